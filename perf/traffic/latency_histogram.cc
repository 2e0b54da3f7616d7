// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace postern::perf {

namespace {
constexpr auto kRelaxed = std::memory_order_relaxed;
}

LatencyHistogram& LatencyHistogram::operator=(const LatencyHistogram& other) noexcept {
  // The sum of the buckets that were seen, so that a copy of a running one agrees with itself.
  uint64_t sum = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    const uint64_t count = other.counts_[i].load(kRelaxed);
    counts_[i].store(count, kRelaxed);
    sum += count;
  }
  count_.store(sum, kRelaxed);
  most_.store(other.most_.load(kRelaxed), kRelaxed);
  return *this;
}

uint64_t LatencyHistogram::quantile(double share) const noexcept {
  const uint64_t all = count();
  if (all == 0) return 0;
  const auto wanted =
      std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(share * static_cast<double>(all))));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i].load(kRelaxed);
    if (seen >= wanted) return std::min(upper_end(i), most());
  }
  return most();
}

LatencyHistogram LatencyHistogram::since(const LatencyHistogram& earlier) const noexcept {
  LatencyHistogram later;
  for (size_t i = 0; i < kBuckets; ++i) {
    const uint64_t count = counts_[i].load(kRelaxed) - earlier.counts_[i].load(kRelaxed);
    if (count == 0) continue;
    later.counts_[i].store(count, kRelaxed);
    add(later.count_, count);
    later.most_.store(std::min(upper_end(i), most()), kRelaxed);
  }
  return later;
}

void LatencyHistogram::add(const LatencyHistogram& other) noexcept {
  for (size_t i = 0; i < kBuckets; ++i) {
    const uint64_t count = other.counts_[i].load(kRelaxed);
    add(counts_[i], count);
    add(count_, count);
  }
  most_.store(std::max(most(), other.most()), kRelaxed);
}

std::vector<std::pair<uint64_t, double>> LatencyHistogram::distribution() const {
  std::vector<std::pair<uint64_t, double>> points;
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    const uint64_t count = counts_[i].load(kRelaxed);
    if (count == 0) continue;
    seen += count;
    points.emplace_back(std::min(upper_end(i), most()),
                        static_cast<double>(seen) / static_cast<double>(this->count()));
  }
  return points;
}

}  // namespace postern::perf
