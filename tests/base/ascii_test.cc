// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.h"

#include <gtest/gtest.h>

namespace postern {
namespace {

TEST(Ascii, OnlyLettersMayDifferInCase) {
  EXPECT_TRUE(equals_ignoring_case("Content-LENGTH", "content-length"));
  EXPECT_FALSE(equals_ignoring_case("content-length", "content_length"));
  EXPECT_FALSE(equals_ignoring_case("[", "{")) << "neighbours of the letters are no letters";
  EXPECT_FALSE(equals_ignoring_case("\xc4", "\xe4"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
}

TEST(Ascii, StartsAndPartsAreFoundWhereTheyAre) {
  EXPECT_TRUE(starts_ignoring_case("TEL:+1", "tel:"));
  EXPECT_FALSE(starts_ignoring_case("te", "tel:"));
  EXPECT_TRUE(contains_ignoring_case("vsFTPd 3.0", "FTP"));
  EXPECT_FALSE(contains_ignoring_case("vsFTPd 3.0", "smtp"));
  EXPECT_TRUE(contains_ignoring_case("", ""));
}

}  // namespace
}  // namespace postern
