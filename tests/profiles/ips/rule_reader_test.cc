// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/rule_reader.h"

#include <chrono>

#include "tests/profiles/ips/rules_kit.h"

namespace postern::profiles::ips {
namespace {

std::string rule(const std::string& options) { return "alert tcp any any -> any any (" + options + ")\n"; }

std::string refusal_of(const std::string& text) {
  const RulesKit kit(text);
  return kit.refusals().empty() ? "" : kit.refusals()[0].text();
}

TEST(RuleText, SaysWhatWasWritten) {
  const std::string line =
      "drop http $HOME_NET [80, 81] -> ![10.0.0.0/8,$X] any (msg:\"a\\;b\"; content:!\"|3b|\\\"\"; nocase; "
      "sid:1;)";
  const Result<RuleText> first = parse_rule_text(line);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->options[1].value, "!\"|3b|\\\"\"");
  EXPECT_EQ(text_of(*first), line);
  EXPECT_EQ(*parse_rule_text(text_of(*first)), *first);
}

TEST(RuleLines, JoinsContinuedLinesAndCountsThem) {
  RuleLines lines("# comment\n\nfirst \\\n  goes on\r\nsecond\n#last");
  RuleLines::Line line = lines.next();
  EXPECT_EQ(line.number, 3u);
  EXPECT_EQ(line.text, "first   goes on");
  line = lines.next();
  EXPECT_EQ(line.number, 5u);
  EXPECT_EQ(line.text, "second");
  EXPECT_EQ(lines.next().number, 0u);
}

TEST(RuleReader, RefusesARuleAloneWithFileLineAndKeyword) {
  const RulesKit kit(rule("content:\"a\"; sid:1;") + "# comment\n" +
                     rule("content:\"b\"; frobnicate:3; sid:2;") + rule("content:\"c\"; sid:3;"));
  ASSERT_EQ(kit.refusals().size(), 1u);
  EXPECT_EQ(kit.refusals()[0].text(), "test.rules:3: sid 2: frobnicate: the keyword is not known");
  EXPECT_EQ(kit.rules().signatures().size(), 2u);
}

struct Mistake {
  const char* rule;
  const char* told;
};
class Mistakes : public testing::TestWithParam<Mistake> {};
TEST_P(Mistakes, AreRefusedWithTheirReason) {
  EXPECT_NE(refusal_of(GetParam().rule).find(GetParam().told), std::string::npos)
      << GetParam().rule << "\n"
      << refusal_of(GetParam().rule);
}
INSTANTIATE_TEST_SUITE_P(
    , Mistakes,
    testing::Values(
        Mistake{"alert tcp any any -> any any sid:1;", "found no '('"},
        Mistake{"alert tcp any any -> any any (sid:1", "found no ')'"},
        Mistake{"alert tcp any any -> any any (sid:1)", "does not end with ';'"},
        Mistake{"alert tcp any any any any (sid:1;)", "before '('"},
        Mistake{"alert tcp any any => any any (sid:1;)", "expected -> or <>"},
        Mistake{"shout tcp any any -> any any (sid:1;)", "expected alert, drop, reject or pass"},
        Mistake{"alert xyz any any -> any any (sid:1;)", "protocol 'xyz' is not known"},
        Mistake{"alert tcp $NOPE any -> any any (sid:1;)", "variable $NOPE is not defined"},
        Mistake{"alert tcp any 90:80 -> any any (sid:1;)", "expected a port"},
        Mistake{"alert tcp any 65536 -> any any (sid:1;)", "expected a port"},
        Mistake{"alert tcp 10.0.0.1/33 any -> any any (sid:1;)", "expected an address"},
        Mistake{"alert tcp !any any -> any any (sid:1;)", "leaves nothing to match"},
        Mistake{"alert tcp any any -> any any (content:\"a\";)", "no sid"},
        Mistake{"alert tcp any any -> any any (content:abc; sid:1;)", "expected text in double quotes"},
        Mistake{"alert tcp any any -> any any (content:\"|4|\"; sid:1;)", "half a byte"},
        Mistake{"alert tcp any any -> any any (content:\"|41\"; sid:1;)", "is not closed"},
        Mistake{"alert tcp any any -> any any (content:\"\"; sid:1;)", "is empty"},
        Mistake{"alert tcp any any -> any any (nocase; sid:1;)", "nocase: needs a content before it"},
        Mistake{"alert tcp any any -> any any (content:\"abc\"; depth:2; sid:1;)", "less than the content's"},
        Mistake{"alert tcp any any -> any any (content:\"abc\"; offset:n; sid:1;)",
                "byte_extract or byte_math gave"},
        Mistake{"alert tcp any any -> any any (pcre:\"/(a/\"; sid:1;)", "does not compile"},
        Mistake{"alert tcp any any -> any any (pcre:\"/a/k\"; sid:1;)", "flag 'k'"},
        Mistake{"alert tcp any any -> any any (flow:to_server; http.stat_code; content:\"2\"; sid:1;)",
                "other direction"},
        Mistake{"alert dns any any -> any any (http.uri; content:\"2\"; sid:1;)",
                "not of the rule's protocol"},
        Mistake{"alert tcp any any -> any any (byte_test:9,>,1,0; sid:1;)", "expected 1 to 8"},
        Mistake{"alert tcp any any -> any any (byte_math:bytes 1,offset 0,oper /,rvalue 0,result r; sid:1;)",
                "zero"},
        Mistake{"alert tcp any any -> any any (flags:X; sid:1;)", "expected letters"},
        Mistake{"alert tcp any any -> any any (threshold:type limit,track by_src; sid:1;)",
                "expected track, count"},
        Mistake{"alert tcp any any -> any any (dataset:set,x,type string,load y; sid:1;)",
                "read, not written"},
        Mistake{"alert tcp any any -> any any (dsize:5; content:\"x\"; http_uri; content:\"y\"; sid:1;)",
                "never there together"}));

TEST(RuleReader, TakesTheLaterRevisionOfTwo) {
  RulesKit kit(rule("content:\"old\"; sid:5; rev:1;") + rule("content:\"new\"; sid:5; rev:2;") +
               rule("content:\"older\"; sid:5; rev:1;"));
  ASSERT_EQ(kit.rules().signatures().size(), 1u);
  EXPECT_EQ(kit.rules().signatures()[0].rev, 2u);
  ASSERT_EQ(kit.refusals().size(), 2u);
  EXPECT_EQ(kit.refusals()[1].line, 3u);
}

TEST(RuleReader, ReadsAMillionLinesInBoundedMemory) {
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += "alert nonsense\n";
  const RuleSite site;
  StateNames names;
  RuleReader reader(site, names);
  const auto begin = std::chrono::steady_clock::now();
  reader.read(text, "long.rules");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  EXPECT_EQ(reader.coverage().rules, 1'000'000u);
  EXPECT_EQ(reader.refusals().size(), RuleReader::kMostRefusals);
  EXPECT_EQ(reader.coverage().refusals_not_kept, 1'000'000u - RuleReader::kMostRefusals);
}

TEST(RuleReader, RefusesAMegabyteOfOneLine) {
  const std::string text =
      rule("content:\"" + std::string(1 << 20, 'a') + "\"; sid:1;") + rule("content:\"b\"; sid:2;");
  const RulesKit kit(text);
  ASSERT_EQ(kit.refusals().size(), 1u);
  EXPECT_NE(kit.refusals()[0].text().find("test.rules:1: the rule is longer than"), std::string::npos);
  EXPECT_EQ(kit.rules().signatures().size(), 1u);
}

TEST(RuleReader, TellsMessagesInUtf8WhateverBytesTheyHave) {
  const RulesKit kit(rule("msg:\"caf\xe9 \xc3\xa9 \xed\xa0\x80\"; content:\"\xff\"; sid:1;"));
  ASSERT_TRUE(kit.refusals().empty());
  EXPECT_EQ(kit.rules().signatures()[0].message,
            "caf\xef\xbf\xbd \xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(RuleReader, EndsVariablesThatNameThemselves) {
  RuleSite site;
  site.variables["A"] = "[$B,$B]";
  site.variables["B"] = "[$A,$A]";
  const RulesKit kit("alert tcp $A any -> any any (content:\"x\"; sid:1;)", site);
  ASSERT_EQ(kit.refusals().size(), 1u);
  EXPECT_NE(kit.refusals()[0].reason.find("nested deeper"), std::string::npos);
}

TEST(RuleReader, GivesSeverityByClassPriorityAndItsWriter) {
  const auto severity = [](const std::string& options) {
    const RulesKit kit(rule("content:\"x\"; sid:1; " + options));
    return severity_name(kit.rules().signatures()[0].severity);
  };
  EXPECT_EQ(severity("classtype:trojan-activity;"), "high");
  EXPECT_EQ(severity("classtype:trojan-activity; metadata:signature_severity Critical;"), "critical");
  EXPECT_EQ(severity("classtype:attempted-recon;"), "medium");
  EXPECT_EQ(severity("classtype:misc-activity;"), "low");
  EXPECT_EQ(severity("classtype:misc-activity; priority:1;"), "high");
  EXPECT_EQ(severity("priority:9;"), "informational");
  EXPECT_EQ(severity("metadata:signature_severity Critical;"), "low");
}

TEST(Classifications, AreAddedToFromAFile) {
  Classifications table = usual_classifications();
  ASSERT_TRUE(add_classifications(table, "# c\nconfig classification: mine,My class,1\n", "c.config"));
  EXPECT_EQ(table["mine"].description, "My class");
  const Status bad = add_classifications(table, "\nconfig classification: mine\n", "c.config");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().text(), "c.config:2: expected a name, a description and a priority from 1 to 255");
}

TEST(Coverage, CountsKeywordsAndWhatTheyCost) {
  const RuleSite site;
  StateNames names;
  RuleReader reader(site, names);
  reader.read(rule("content:\"a\"; content:\"b\"; sid:1;") + rule("content:\"a\"; geoip:src,XX; sid:2;"),
              "a.rules");
  const std::string table = reader.coverage().table();
  EXPECT_NE(table.find("1 of 2 rules loaded (50.0 %)"), std::string::npos) << table;
  EXPECT_NE(table.find("content                 bytes      2        0\n"), std::string::npos) << table;
  EXPECT_NE(table.find("geoip                   refused    1        1\n"), std::string::npos) << table;
}

}  // namespace
}  // namespace postern::profiles::ips
