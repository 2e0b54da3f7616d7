// SPDX-License-Identifier: Apache-2.0
#include "profiles/byte_signatures.h"

#include <gtest/gtest.h>

namespace postern::profiles {
namespace {

std::string expression_of(const std::string& hex) {
  const auto read = parse_byte_signatures("Test.One:0:*:" + hex + "\n", "own.ndb");
  if (!read) return read.error().text();
  return read->at(0).pattern.expression;
}

std::string refusal_of(const std::string& text) {
  const auto read = parse_byte_signatures(text, "own.ndb");
  return read ? "" : read.error().text();
}

TEST(ByteSignatures, AreNamesAndBytes) {
  const auto read =
      parse_byte_signatures("# own\n\nOne.Two-3:0:*:4d5a9000\r\nFour:0:*:00112233:51:255", "own.ndb");
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at(0).name, "One.Two-3");
  EXPECT_EQ(read->at(0).pattern.expression, "\\x4d\\x5a\\x90\\x00");
  EXPECT_EQ(read->at(1).pattern.line, 4u);
}

TEST(ByteSignatures, HaveWildcards) {
  EXPECT_EQ(expression_of("41424344??45"), "\\x41\\x42\\x43\\x44.\\x45");
  EXPECT_EQ(expression_of("414243444?"), "\\x41\\x42\\x43\\x44[\\x40-\\x4f]");
  EXPECT_EQ(expression_of("41424344{2-5}45"), "\\x41\\x42\\x43\\x44.{2,5}\\x45");
  EXPECT_EQ(expression_of("41424344{-5}45"), "\\x41\\x42\\x43\\x44.{0,5}\\x45");
  EXPECT_EQ(expression_of("41424344{3}45"), "\\x41\\x42\\x43\\x44.{3,3}\\x45");
  EXPECT_EQ(expression_of("41424344(4546|47)"), "\\x41\\x42\\x43\\x44(?:\\x45\\x46|\\x47)");
}

TEST(ByteSignatures, ThatCannotBeLookedForInAStreamAreRefusedWithTheirPlace) {
  for (const char* hex : {"4142434445*46", "41424344{5-}", "41424344{5-2}", "41424344{1-9999}", "4142434",
                          "41zz43445", "41424344(45", "41424344(4)", "414243"})
    EXPECT_NE(expression_of(hex).find("own.ndb:1"), std::string::npos) << hex << " " << expression_of(hex);
  EXPECT_NE(refusal_of("One:1:*:41424344").find("expected target 0"), std::string::npos);
  EXPECT_NE(refusal_of("One:0:EOF-5:41424344").find("expected target 0 and offset *"), std::string::npos);
  EXPECT_NE(refusal_of("x\n").find("expected Name:Target:Offset:Hex"), std::string::npos);
  EXPECT_NE(refusal_of(std::string(65, 'x') + ":0:*:41424344").find("up to 64"), std::string::npos);
}

}  // namespace
}  // namespace postern::profiles
