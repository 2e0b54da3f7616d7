// SPDX-License-Identifier: Apache-2.0
#include "dataplane/related.h"

#include <gtest/gtest.h>

#include <thread>

#include "packets.h"

namespace postern::dataplane {
namespace {

Question slp_question() {
  return {
      .client = ip("10.1.0.5"), .client_port = 7, .server_port = 427, .vlan = 10, .protocol = 17, .wire = 1};
}

TEST(Questions, AreRememberedForFifteenSeconds) {
  QuestionTable table;
  const Timestamp now = 1000 * kSecond;
  EXPECT_FALSE(table.asked(slp_question(), now));
  table.remember(slp_question(), now);
  EXPECT_TRUE(table.asked(slp_question(), now));
  EXPECT_TRUE(table.asked(slp_question(), now + 15 * kSecond - 1));
  EXPECT_FALSE(table.asked(slp_question(), now + 15 * kSecond));
  table.remember(slp_question(), now + 20 * kSecond);
  EXPECT_TRUE(table.asked(slp_question(), now + 30 * kSecond));
}

TEST(Questions, DifferInEveryField) {
  QuestionTable table;
  table.remember(slp_question(), kSecond);
  std::vector<Question> others(6, slp_question());
  others[0].client = ip("10.1.0.6");
  others[1].client_port = 8;
  others[2].server_port = 5353;
  others[3].vlan = 11;
  others[4].protocol = 6;
  others[5].wire = 2;
  for (const Question& other : others) EXPECT_FALSE(table.asked(other, kSecond));
}

TEST(Questions, AreForgottenOnlyForNewerOnes) {
  QuestionTable table;
  const auto numbered = [](uint16_t number) {
    Question question = slp_question();
    question.client_port = number;
    return question;
  };
  unsigned kept = 0;
  for (uint16_t i = 0; i < 2000; ++i) {
    table.remember(numbered(i), kSecond);
    ASSERT_TRUE(table.asked(numbered(i), kSecond)) << "the newest is always known";
  }
  for (uint16_t i = 0; i < 2000; ++i) kept += table.asked(numbered(i), kSecond);
  EXPECT_GT(kept, 1400u);
}

// A reader on another thread sees a whole question or none: `asked` may say no, but never yes to what nobody
// asked.
TEST(Questions, AreNeverReadTorn) {
  QuestionTable table;
  const auto asked_one = [](unsigned i) {
    Question question = slp_question();
    question.client_port = static_cast<uint16_t>(i % 64);
    question.server_port = static_cast<uint16_t>(1000 + i % 64);  // belongs to its client port
    return question;
  };
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (unsigned i = 0; !stop.load(std::memory_order_relaxed); ++i) table.remember(asked_one(i), kSecond);
  });
  unsigned right = 0, wrong = 0;
  for (unsigned i = 0; i < 400'000; ++i) {
    right += table.asked(asked_one(i), kSecond);
    Question mixed = asked_one(i);
    mixed.server_port = asked_one(i + 1).server_port;
    wrong += table.asked(mixed, kSecond);
  }
  stop.store(true);
  writer.join();
  EXPECT_GT(right, 1000u);
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace postern::dataplane
