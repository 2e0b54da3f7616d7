// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace postern {
namespace {

Result<int> even(int number) {
  if (number % 2 != 0)
    return Error{"found " + std::to_string(number) + ", expected an even number", "a.yaml", 7};
  return number;
}

TEST(Result, IsAValueOrAnError) {
  const auto good = even(4);
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 4);
  const auto bad = even(3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "found 3, expected an even number");
}

TEST(Result, HoldsWhatOnlyMoves) {
  Result<std::unique_ptr<std::string>> result(std::make_unique<std::string>("text"));
  ASSERT_TRUE(result);
  EXPECT_EQ((*result)->size(), 4u);
  const std::unique_ptr<std::string> taken = std::move(*result);
  EXPECT_EQ(*taken, "text");
}

TEST(Result, HoldsAnErrorAsAValue) {
  // The value is told from the error by its place, not by its type.
  const Result<std::string> text(std::string("no error"));
  EXPECT_TRUE(text);
  EXPECT_EQ(text->size(), 8u);
}

TEST(Result, TellsNothingMoreThanThatItWentWell) {
  const Status good = Ok{};
  EXPECT_TRUE(good);
  const Status bad = Error{"no"};
  EXPECT_FALSE(bad);
}

TEST(Error, ReadsAsCompilersPrintIt) {
  EXPECT_EQ((Error{"wrong", "a.yaml", 7}).text(), "a.yaml:7: wrong");
  EXPECT_EQ((Error{"wrong", "a.yaml", 0}).text(), "a.yaml: wrong");
  EXPECT_EQ((Error{"wrong", "", 7}).text(), "wrong");
}

}  // namespace
}  // namespace postern
