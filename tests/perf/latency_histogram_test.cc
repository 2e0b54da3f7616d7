// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "perf/traffic/random.h"

namespace postern::perf {
namespace {

TEST(LatencyHistogram, EveryValueLiesInItsBucketAndNotInTheOneBefore) {
  Random random(1);
  std::vector<uint64_t> values = {0, 1, 63, 64, 65, 127, 128, 129, (uint64_t{1} << 40) - 1};
  for (int i = 0; i < 100'000; ++i) values.push_back(random.next() >> 24 >> random.below(40));
  for (const uint64_t value : values) {
    const size_t bucket = LatencyHistogram::bucket_of(value);
    EXPECT_LE(value, LatencyHistogram::upper_end(bucket));
    if (bucket > 0) {
      EXPECT_GT(value, LatencyHistogram::upper_end(bucket - 1));
    }
  }
}

TEST(LatencyHistogram, QuantilesAreThoseOfSortedValuesWithinTheWidthOfABucket) {
  Random random(2);
  std::vector<uint64_t> values;
  LatencyHistogram histogram;
  for (int i = 0; i < 50'000; ++i) {
    values.push_back(static_cast<uint64_t>(std::exp(random.unit() * 16)));
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<size_t>(std::ceil(share * 50'000));
    const uint64_t exact = values[rank - 1], found = histogram.quantile(share);
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(static_cast<double>(found), static_cast<double>(exact) * (1 + 1.0 / 64) + 1) << share;
  }
}

TEST(LatencyHistogram, TheLargestValueIsExact) {
  LatencyHistogram histogram;
  histogram.record(1'000'003);
  EXPECT_EQ(histogram.most(), 1'000'003u);
  EXPECT_EQ(histogram.quantile(1), 1'000'003u);
}

TEST(LatencyHistogram, WhatCannotBeCountedIsCountedAsTheMost) {
  LatencyHistogram histogram;
  histogram.record(~uint64_t{0});
  EXPECT_EQ(histogram.count(), 1u);
  EXPECT_EQ(histogram.most(), (uint64_t{1} << 40) - 1);
}

TEST(LatencyHistogram, AnEmptyOneHasNoQuantile) { EXPECT_EQ(LatencyHistogram().quantile(0.5), 0u); }

TEST(LatencyHistogram, SinceKnowsOnlyWhatCameLater) {
  LatencyHistogram histogram;
  for (int i = 0; i < 100; ++i) histogram.record(5000);
  const LatencyHistogram earlier = histogram;
  for (int i = 0; i < 10; ++i) histogram.record(40);
  const LatencyHistogram later = histogram.since(earlier);
  EXPECT_EQ(later.count(), 10u);
  EXPECT_EQ(later.quantile(1), 40u);
}

TEST(LatencyHistogram, TheDistributionEndsWithAll) {
  LatencyHistogram histogram;
  for (uint64_t value : {10, 10, 20, 30}) histogram.record(value);
  const auto points = histogram.distribution();
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[0], std::pair(uint64_t{10}, 0.5));
  EXPECT_EQ(points[2], std::pair(uint64_t{30}, 1.0));
}

}  // namespace
}  // namespace postern::perf
