// SPDX-License-Identifier: Apache-2.0
#include "profiles/content_engine.h"

#include <gtest/gtest.h>

#include <random>

namespace postern::profiles {
namespace {

const std::string kEicar =
    std::string(R"(X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS)") + "-TEST-FILE!$H+H*";

std::shared_ptr<const ContentEngine> engine_with(const std::string& own = "") {
  classify::PatternCache cache;
  ContentEngine::Setup setup{.antivirus = parse_byte_signatures(own, "own.ndb").value()};
  setup.antivirus.push_back(eicar_signature());
  return ContentEngine::compile(std::move(setup), cache).value();
}

TEST(ContentInspection, FindsATestFileInOnePiece) {
  ContentInspection flow;
  EXPECT_EQ(flow.inspect(Direction::ToClient, as_bytes("before " + kEicar + " after"), *engine_with(), 0),
            "Eicar-Test-Signature");
}

TEST(ContentInspection, FindsWhatComesInPiecesOfAnySize) {
  const auto engine = engine_with();
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    ContentInspection flow;
    const std::string text = std::string(random() % 600, 'a') + kEicar;
    std::string_view left = text;
    std::string_view found;
    while (!left.empty()) {
      EXPECT_EQ(found, "") << "found before its last byte";
      const size_t size = std::min<size_t>(left.size(), 1 + random() % (round % 2 == 0 ? 3 : 300));
      found = flow.inspect(Direction::ToServer, as_bytes(left.substr(0, size)), *engine, 0);
      left.remove_prefix(size);
    }
    EXPECT_EQ(found, "Eicar-Test-Signature") << "round " << round;
  }
}

TEST(ContentInspection, FindsItOnceThoughItsBytesAreStillRemembered) {
  const auto engine = engine_with();
  ContentInspection flow;
  EXPECT_NE(flow.inspect(Direction::ToServer, as_bytes(kEicar), *engine, 0), "");
  EXPECT_EQ(flow.inspect(Direction::ToServer, as_bytes("more"), *engine, 0), "");
  EXPECT_NE(flow.inspect(Direction::ToServer, as_bytes(kEicar), *engine, 0), "") << "a second one";
}

TEST(ContentInspection, KeepsDirectionsApart) {
  const auto engine = engine_with();
  ContentInspection flow;
  const std::string_view text = kEicar;
  EXPECT_EQ(flow.inspect(Direction::ToServer, as_bytes(text.substr(0, 30)), *engine, 0), "");
  EXPECT_EQ(flow.inspect(Direction::ToClient, as_bytes(text.substr(30)), *engine, 0), "");
}

TEST(ContentInspection, GoesOnUnderAnotherPolicy) {
  const auto before = engine_with(), after = engine_with("Own.One:0:*:00112233445566778899\n");
  ContentInspection flow;
  const std::string_view text = kEicar;
  EXPECT_EQ(flow.inspect(Direction::ToServer, as_bytes(text.substr(0, 30)), *before, 0), "");
  EXPECT_EQ(flow.inspect(Direction::ToServer, as_bytes(text.substr(30)), *after, 0), "Eicar-Test-Signature");
}

TEST(ContentInspection, FindsTheLongestSignatureThatIsTakenAcrossAllItsBytes) {
  std::string hex;
  for (int i = 0; i < 256; ++i) hex += "ab";
  const auto engine = engine_with("Own.Long:0:*:" + hex + "\n");
  ContentInspection flow;
  const std::string one(1, '\xab');
  for (int i = 0; i < 255; ++i)
    ASSERT_EQ(flow.inspect(Direction::ToServer, as_bytes(one), *engine, 0), "") << i;
  EXPECT_EQ(flow.inspect(Direction::ToServer, as_bytes(one), *engine, 0), "Own.Long");
}

TEST(ContentEngine, RefusesASignatureThatIsTooLong) {
  classify::PatternCache cache;
  std::string hex;
  for (int i = 0; i < 257; ++i) hex += "ab";
  const auto made = ContentEngine::compile(
      {.antivirus = parse_byte_signatures("\nOwn.Long:0:*:" + hex + "\n", "own.ndb").value()}, cache);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().file, "own.ndb");
  EXPECT_EQ(made.error().line, 2u);
}

TEST(ContentEngine, CanBeLoadedFromTheCache) {
  classify::PatternCache cache;
  for (int i = 0; i < 2; ++i) {
    const auto engine = ContentEngine::compile({.antivirus = {eicar_signature()}}, cache);
    ASSERT_TRUE(engine);
    EXPECT_EQ((*engine)->find({}, as_bytes(kEicar), 0), "Eicar-Test-Signature");
  }
}

}  // namespace
}  // namespace postern::profiles
