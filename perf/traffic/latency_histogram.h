// SPDX-License-Identifier: Apache-2.0
// Durations in nanoseconds, counted in buckets whose width grows with the value: exact below 64 ns, within
// 1.6 % above, up to 2^40 ns (18 minutes). One thread records; others may copy it meanwhile.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

namespace postern::perf {

class LatencyHistogram {
 public:
  LatencyHistogram() = default;
  LatencyHistogram(const LatencyHistogram& other) noexcept { *this = other; }
  LatencyHistogram& operator=(const LatencyHistogram& other) noexcept;

  void record(uint64_t nanoseconds) noexcept {
    const uint64_t value = nanoseconds < kMost ? nanoseconds : kMost;
    add(counts_[bucket_of(value)], 1);
    add(count_, 1);
    if (value > most_.load(std::memory_order_relaxed)) most_.store(value, std::memory_order_relaxed);
  }
  uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  uint64_t most() const noexcept { return most_.load(std::memory_order_relaxed); }  // exact

  // The smallest value that `share` (0 to 1) of all do not exceed, as the upper end of its bucket; 0: empty.
  uint64_t quantile(double share) const noexcept;

  // What came after `earlier`, an older copy of this one. Its `most` is that of the last bucket.
  LatencyHistogram since(const LatencyHistogram& earlier) const noexcept;
  void add(const LatencyHistogram& other) noexcept;

  // (value, share of all that do not exceed it) by bucket, for plots.
  std::vector<std::pair<uint64_t, double>> distribution() const;

  static size_t bucket_of(uint64_t value) noexcept {
    if (value < kSteps) return static_cast<size_t>(value);
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kBits - 1;
    return (shift + 1) * kSteps + static_cast<size_t>(value >> shift) - kSteps;
  }
  static uint64_t upper_end(size_t bucket) noexcept {
    if (bucket < kSteps) return bucket;
    const unsigned shift = static_cast<unsigned>(bucket / kSteps) - 1;
    return ((bucket % kSteps + kSteps + 1) << shift) - 1;
  }

 private:
  using Count = std::atomic<uint64_t>;
  static constexpr unsigned kBits = 6, kLargest = 40;
  static constexpr size_t kSteps = size_t{1} << kBits;
  static constexpr uint64_t kMost = (uint64_t{1} << kLargest) - 1;
  static constexpr size_t kBuckets = (kLargest - kBits + 1) * kSteps;

  static void add(Count& to, uint64_t n) noexcept {
    to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  std::array<Count, kBuckets> counts_{};
  Count count_{0}, most_{0};
};

}  // namespace postern::perf
