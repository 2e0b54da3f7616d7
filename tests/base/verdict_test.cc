// SPDX-License-Identifier: Apache-2.0
#include "base/verdict.h"

#include <gtest/gtest.h>

#include <set>

namespace postern {
namespace {

TEST(DropReason, HasANameOfItsOwnInSnakeCase) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kDropReasons; ++i) {
    const std::string_view name = drop_reason_name(static_cast<DropReason>(i));
    EXPECT_TRUE(names.insert(name).second) << name << " is used twice";
    ASSERT_FALSE(name.empty());
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string_view::npos)
        << name;
    EXPECT_NE(name.front(), '_');
    EXPECT_NE(name.back(), '_');
    EXPECT_EQ(name.find("__"), std::string_view::npos) << name;
  }
}

TEST(DropReason, SaysWhatItMeans) {
  std::set<std::string_view> meanings;
  for (size_t i = 0; i < kDropReasons; ++i) {
    const std::string_view meaning = drop_reason_meaning(static_cast<DropReason>(i));
    EXPECT_GE(meaning.size(), 10u);
    EXPECT_NE(meaning.back(), '.');
    EXPECT_TRUE(meanings.insert(meaning).second) << meaning << " is said twice";
  }
}

TEST(DropReason, NamesAreThoseOfTheLogs) {
  // A rename breaks operators' searches; this is where it has to be meant.
  EXPECT_EQ(drop_reason_name(DropReason::None), "none");
  EXPECT_EQ(drop_reason_name(DropReason::Truncated), "truncated");
  EXPECT_EQ(drop_reason_name(DropReason::TcpOutOfWindow), "tcp_out_of_window");
  EXPECT_EQ(drop_reason_name(DropReason::PolicyDefault), "policy_default");
  EXPECT_EQ(drop_reason_name(DropReason::NoBuffer), "no_buffer");
}

}  // namespace
}  // namespace postern
