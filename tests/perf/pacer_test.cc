// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/pacer.h"

#include <gtest/gtest.h>

#include "perf/traffic/rate.h"

namespace postern::perf {
namespace {

constexpr uint64_t kHz = 2'400'000'000;

TEST(Pacer, GivesTheRateOverALongTimeWithoutDrift) {
  constexpr double kRate = 1'234'567;
  Pacer pacer(kRate, kHz, 1000, 1'000'000);
  uint64_t given = 0;
  for (uint64_t now = 1000; now <= 1000 + 600 * kHz; now += 7'777'777) {
    const uint64_t due = pacer.due(now);
    pacer.give(due);
    given += due;
  }
  EXPECT_NEAR(static_cast<double>(given), kRate * 600, kRate / 100);
  EXPECT_EQ(pacer.skipped(), 0u);
}

TEST(Pacer, NothingIsDueBeforeTheFirstInterval) {
  Pacer pacer(1000, kHz, 0, 32);
  EXPECT_EQ(pacer.due(0), 0u);
  EXPECT_EQ(pacer.due(kHz / 1000 - 1), 0u);
  EXPECT_EQ(pacer.due(kHz / 1000 + 1), 1u);
}

TEST(Pacer, WhatWasNotGivenStaysDue) {
  Pacer pacer(1000, kHz, 0, 32);
  EXPECT_EQ(pacer.due(kHz / 100 + 1), 10u);
  pacer.give(3);
  EXPECT_EQ(pacer.due(kHz / 100 + 1), 7u);
}

TEST(Pacer, AbsenceBecomesNoBurst) {
  Pacer pacer(1'000'000, kHz, 0, 32);
  EXPECT_EQ(pacer.due(kHz), 32u);
  EXPECT_EQ(pacer.skipped(), 1'000'000u - 32u);
  pacer.give(32);
  EXPECT_EQ(pacer.due(kHz + kHz / 1'000'000 + 1), 1u) << "and then the old pace goes on";
}

TEST(Pacer, RateZeroIsAsFastAsPossible) {
  Pacer pacer(0, kHz, 0, 32);
  EXPECT_GT(pacer.due(1), 1'000'000u);
}

TEST(Rate, UnderstandsPacketsAndBits) {
  EXPECT_EQ(*parse_rate("max", 672), 0.0);
  EXPECT_EQ(*parse_rate("9000", 672), 9000.0);
  EXPECT_EQ(*parse_rate("500k", 672), 500e3);
  EXPECT_DOUBLE_EQ(*parse_rate("1.25Mpps", 672), 1.25e6);
  EXPECT_NEAR(*parse_rate("10Gbps", 672), 14'880'952.4, 0.1) << "64 bytes on a 10G link";
}

TEST(Rate, RefusesWhatIsNoRate) {
  for (const char* text : {"", "fast", "-1", "0", "1Tpps", "10kk", "5 Mpps", "nan"})
    EXPECT_FALSE(parse_rate(text, 672)) << text;
}

}  // namespace
}  // namespace postern::perf
