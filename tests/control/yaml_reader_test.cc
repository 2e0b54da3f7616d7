// SPDX-License-Identifier: Apache-2.0
#include "control/yaml_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "control/json_reader.h"
#include "tests/control/operator_files.h"

namespace postern::control {
namespace {

std::string yaml_error(const std::string& text, const ReadLimits& limits = {}) {
  const auto node = read_yaml(text, "f.yaml", limits);
  return node ? "no error" : node.error().text();
}

std::string json_error(const std::string& text, const ReadLimits& limits = {}) {
  const auto node = read_json(text, "f.json", limits);
  return node ? "no error" : node.error().text();
}

TEST(YamlReader, EveryNodeKnowsItsLine) {
  const auto root = read_yaml("# head\na: 1\nb:\n  - x\n  - {c: y}\nd: |\n  text\n", "f.yaml");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("a")->line, 2u);
  EXPECT_EQ(root->entry("b")->line, 3u);
  EXPECT_EQ(root->find("b")->items[0].line, 4u);
  EXPECT_EQ(root->find("b")->items[1].find("c")->line, 5u);
  EXPECT_EQ(root->find("d")->text, "text\n");
}

TEST(YamlReader, PlainScalarsKeepTheirTextAndQuotedOnesAreTexts) {
  const auto root = read_yaml("a: no\nb: 'no'\nc: 0x10\nd:\n", "f.yaml");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("a")->kind, Node::Kind::Plain);
  EXPECT_EQ(root->find("a")->text, "no");
  EXPECT_EQ(root->find("b")->kind, Node::Kind::Text);
  EXPECT_EQ(root->find("c")->text, "0x10");
  EXPECT_TRUE(root->find("d")->is_nothing());
}

TEST(YamlReader, AnAnchorIsRefused) {
  EXPECT_EQ(yaml_error("a: 1\nb: &x 2\n"), "f.yaml:2: anchor \"&x\"; expected no anchors");
  EXPECT_EQ(yaml_error("a: 1\nb: &x [2]\n"), "f.yaml:2: anchor \"&x\"; expected no anchors");
}

TEST(YamlReader, AnAliasIsRefused) {
  EXPECT_EQ(yaml_error("a: 1\nb: *x\n"), "f.yaml:2: alias \"*x\"; expected no aliases");
}

TEST(YamlReader, ATagIsRefused) {
  EXPECT_EQ(yaml_error("a: !!str 1\n"), "f.yaml:1: tag \"tag:yaml.org,2002:str\"; expected no tags");
  EXPECT_EQ(yaml_error("a: 1\nb: !local {}\n"), "f.yaml:2: tag \"!local\"; expected no tags");
  EXPECT_EQ(yaml_error("%TAG ! tag:x,2000:\n---\na: 1\n"), "f.yaml:1: %TAG directive; expected no tags");
}

TEST(YamlReader, ADuplicateKeyIsRefused) {
  EXPECT_EQ(yaml_error("a: 1\nb: 2\n\"a\": 3\n"),
            "f.yaml:3: key \"a\" is already on line 1; expected each key once");
  EXPECT_EQ(yaml_error("{a: 1, a: 1}"), "f.yaml:1: key \"a\" is already on line 1; expected each key once");
}

TEST(YamlReader, AMergeKeyIsRefused) {
  EXPECT_EQ(yaml_error("a: 1\n<<: {b: 2}\n"), "f.yaml:2: merge key \"<<\"; expected every key written out");
}

TEST(YamlReader, AListAsKeyIsRefused) {
  EXPECT_EQ(yaml_error("? [a, b]\n: 1\n"), "f.yaml:1: a list or mapping as key; expected a text");
}

TEST(YamlReader, ASecondDocumentIsRefused) {
  EXPECT_EQ(yaml_error("a: 1\n---\nb: 1\n"), "f.yaml:2: a second document; expected one document per file");
}

TEST(YamlReader, BytesThatAreNotUtf8AreRefusedWithTheirLine) {
  const std::string error = yaml_error("a: 1\nb: \"\xff\"\n");
  EXPECT_TRUE(error.starts_with("f.yaml:2: not UTF-8 text: ")) << error;
  EXPECT_TRUE(yaml_error(std::string("\xff\xfe"
                                     "a\0",
                                     4))
                  .starts_with("f.yaml:1: not UTF-8 text: "));
}

TEST(YamlReader, BrokenSyntaxNamesTheLine) {
  EXPECT_TRUE(yaml_error("a: 1\nb: [1, 2\nc: 3\n").starts_with("f.yaml:3: not YAML: "));
  EXPECT_TRUE(yaml_error("a: 1\n\tb: 2\n").starts_with("f.yaml:2: not YAML: "));
}

TEST(YamlReader, SixtyFourLevelsAreReadAndSixtyFiveAreNot) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(yaml_error(nested(64)), "no error");
  EXPECT_EQ(yaml_error(nested(65)), "f.yaml:1: nested deeper than 64 levels; expected a flatter file");
}

TEST(YamlReader, AMillionOpenBracketsEndQuickly) {
  EXPECT_EQ(yaml_error(std::string(1'000'000, '[')),
            "f.yaml:1: nested deeper than 64 levels; expected a flatter file");
}

TEST(YamlReader, MoreNodesThanTheLimitAreRefused) {
  EXPECT_EQ(yaml_error("- 1\n- 2\n", {.nodes = 3}), "no error");
  EXPECT_EQ(yaml_error("- 1\n- 2\n- 3\n", {.nodes = 3}),
            "f.yaml:3: more than 3 values; expected a smaller file");
}

TEST(YamlReader, ALongKeyIsRefused) {
  EXPECT_EQ(yaml_error("a: 1\n" + std::string(300, 'k') + ": 1\n"),
            "f.yaml:2: key of 300 bytes; expected at most 256");
}

TEST(YamlReader, ANulInATextIsRefused) {
  EXPECT_EQ(yaml_error("a: 1\nb: \"x\\0y\"\n"), "f.yaml:2: text with a NUL character; expected none");
}

TEST(YamlReader, AnEmptyFileIsNothing) {
  const auto root = read_yaml("# only a comment\n", "f.yaml");
  ASSERT_TRUE(root);
  EXPECT_TRUE(root->is_nothing());
}

TEST(JsonReader, EveryNodeKnowsItsLine) {
  const auto root = read_json("{\n\"a\": 1\n,\n\"b\": [\n\"x\",\n2\n]\n, \"c\"\n:\ntrue}", "f.json");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("a")->line, 2u);
  EXPECT_EQ(root->entry("b")->line, 4u);
  EXPECT_EQ(root->find("b")->items[0].line, 5u);
  EXPECT_EQ(root->find("b")->items[1].line, 6u);
  EXPECT_EQ(root->entry("c")->line, 8u);
  EXPECT_EQ(root->find("c")->line, 10u);
}

TEST(JsonReader, TypesAreThoseOfTheFile) {
  const auto root = read_json(R"({"a": "1", "b": 1, "c": true, "d": null, "e": -2.5})", "f.json");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("a")->kind, Node::Kind::Text);
  EXPECT_EQ(root->find("b")->kind, Node::Kind::Number);
  EXPECT_EQ(root->find("c")->kind, Node::Kind::Bool);
  EXPECT_EQ(root->find("d")->kind, Node::Kind::Null);
  EXPECT_EQ(root->find("e")->text, "-2.5");
}

TEST(JsonReader, ADuplicateKeyIsRefused) {
  EXPECT_EQ(json_error("{\"a\": 1,\n\"b\": {\"a\": 2},\n\"\\u0061\": 3}"),
            "f.json:3: key \"a\" is already on line 1; expected each key once");
}

TEST(JsonReader, WhatIsNotStrictJsonIsRefusedWithItsLine) {
  for (const char* text :
       {"{\n\"a\": 1,\n}", "{\n// no\n}", "{\n'a': 1}", "{\n\"a\": 01}", "{\"a\": 1}\n{}", "[1\n NaN]"}) {
    const std::string error = json_error(text);
    EXPECT_TRUE(error.starts_with("f.json:2: not JSON: ") || error.starts_with("f.json:3: not JSON: "))
        << error;
    EXPECT_TRUE(error.ends_with("; expected strict JSON")) << error;
  }
}

TEST(JsonReader, AnEmptyFileIsRefused) { EXPECT_TRUE(json_error("").starts_with("f.json:1: not JSON: ")); }

TEST(JsonReader, BytesThatAreNotUtf8AreRefused) {
  EXPECT_TRUE(json_error("{\n\"a\": \"\xff\"}").starts_with("f.json:2: not JSON: "));
}

TEST(JsonReader, DepthAndNodesAreBounded) {
  EXPECT_EQ(json_error(std::string(1'000'000, '[')),
            "f.json:1: nested deeper than 64 levels; expected a flatter file");
  EXPECT_EQ(json_error("[1,\n2,\n3]", {.nodes = 3}), "f.json:3: more than 3 values; expected a smaller file");
}

TEST(Document, AHugeFileIsRefusedUnread) {
  const OperatorFiles files;
  const std::string path = files.write("huge.yaml", "");
  std::filesystem::resize_file(path, uintmax_t{1} << 30);
  const auto document = read_document(path);
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().text(), path + ": is 1024 MiB long; expected at most 64 MiB");
}

TEST(Document, WhatIsNoOrdinaryFileIsRefused) {
  const OperatorFiles files;
  const std::string pipe = files.path("pipe.yaml");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_document(pipe).error().message, "is a device or pipe; expected an ordinary file");
  EXPECT_EQ(read_document(files.path("")).error().message, "is a directory; expected a file");
  EXPECT_EQ(read_document(files.path("none")).error().message, "cannot be opened: No such file or directory");
}

TEST(Document, TheExtensionSaysTheFormat) {
  EXPECT_TRUE(parse_document("a: 1", "x.yaml"));
  EXPECT_FALSE(parse_document("a: 1", "x.json"));
}

TEST(Document, PathsAreSeenFromTheFolderOfTheFile) {
  EXPECT_EQ(beside("/etc/postern/site.yaml", "packs/../a.json"), "/etc/postern/a.json");
  EXPECT_EQ(beside("/etc/postern/site.yaml", "/a.json"), "/a.json");
}

}  // namespace
}  // namespace postern::control
