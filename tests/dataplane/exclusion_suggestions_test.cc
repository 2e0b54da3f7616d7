// SPDX-License-Identifier: Apache-2.0
#include "dataplane/exclusion_suggestions.h"

#include <gtest/gtest.h>

namespace postern::dataplane {
namespace {

using Why = ExclusionSuggestion::Why;

ExclusionSuggestion seen(std::string host, Why why = Why::UnknownCa) {
  return {.host = std::move(host), .server = *IpAddress::parse("10.3.0.1"), .port = 443, .why = why};
}

TEST(ExclusionSuggestions, CountsSessionsOfTheSameServerTogether) {
  ExclusionSuggestions suggestions;
  suggestions.note(seen("a.example"), 10);
  suggestions.note(seen("b.example"), 11);
  suggestions.note(seen("a.example", Why::ClientLeft), 12);
  const auto all = suggestions.seen().all;
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].sessions, 2u);
  EXPECT_EQ(all[0].first, 10u);
  EXPECT_EQ(all[0].last, 12u);
  EXPECT_EQ(all[0].why, Why::ClientLeft);
  EXPECT_EQ(all[1].sessions, 1u);
}

TEST(ExclusionSuggestions, ForgetsWhatWasNotSeenLongestWhenFull) {
  ExclusionSuggestions suggestions;
  Timestamp now = 0;
  for (size_t i = 0; i < ExclusionSuggestions::kMost; ++i)
    suggestions.note(seen("h" + std::to_string(i)), ++now);
  suggestions.note(seen("h0"), ++now);
  suggestions.note(seen("new"), ++now);
  const auto after = suggestions.seen();
  EXPECT_EQ(after.all.size(), ExclusionSuggestions::kMost);
  EXPECT_EQ(after.displaced, 1u);
  const auto has = [&](const std::string& host) {
    return std::any_of(after.all.begin(), after.all.end(), [&](const auto& s) { return s.host == host; });
  };
  EXPECT_TRUE(has("h0"));
  EXPECT_FALSE(has("h1"));
  EXPECT_TRUE(has("new"));
}

}  // namespace
}  // namespace postern::dataplane
