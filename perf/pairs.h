// SPDX-License-Identifier: Apache-2.0
// Two ways to do the same work, timed in turns A B B A on the clock of this thread, so that neither drift nor
// other work of a shared machine favours one of them. Ratios are the yardstick's time over ours: 1 is as
// fast, below 1 is slower. One thread.
#pragma once

#include <x86intrin.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <type_traits>
#include <vector>

namespace postern::perf {

inline double cpu_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Times a part of a round where its preparation shall not count, by the time stamp counter, which is read
// faster than the thread's clock. Parts are some microseconds long, and a reading is 40 ns.
class Stopwatch {
 public:
  double seconds() const { return static_cast<double>(ticks() - begin_) / ticks_per_second(); }

 private:
  static uint64_t ticks() {
    _mm_lfence();
    return __rdtsc();
  }
  static double ticks_per_second() {
    static const double frequency = [] {
      using Clock = std::chrono::steady_clock;
      const auto begin = Clock::now();
      const uint64_t first = ticks();
      while (Clock::now() - begin < std::chrono::milliseconds(20)) {
      }
      const std::chrono::duration<double> passed = Clock::now() - begin;
      return static_cast<double>(ticks() - first) / passed.count();
    }();
    return frequency;
  }
  uint64_t begin_ = ticks();
};

// Work that returns seconds has timed itself.
template <typename Work>
double seconds_of(Work& work, size_t rounds) {
  if constexpr (std::is_same_v<decltype(work()), double>) {
    double sum = 0;
    for (size_t i = 0; i < rounds; ++i) sum += work();
    return sum;
  }
  const double begin = cpu_seconds();
  for (size_t i = 0; i < rounds; ++i) work();
  return cpu_seconds() - begin;
}

class Pairs {
 public:
  static constexpr double kShortestTurn = 2e-3;  // seconds; a clock read costs 0.3 us
  static constexpr int kPairs = 31;

  // How often `work` fills a turn; also warms it up.
  template <typename Work>
  static size_t rounds_of(Work& work) {
    size_t rounds = 1;
    while (seconds_of(work, rounds) < kShortestTurn) rounds *= 2;
    return rounds;
  }

  // One pair; returns the seconds of a round of ours.
  template <typename Ours, typename Yardstick>
  double measure(Ours& ours, Yardstick& yardstick, size_t rounds) {
    double own = seconds_of(ours, rounds);
    const double other = seconds_of(yardstick, rounds) + seconds_of(yardstick, rounds);
    own += seconds_of(ours, rounds);
    ratios_.push_back(other / own);
    ours_.push_back(own / 2 / static_cast<double>(rounds));
    yardsticks_.push_back(other / 2 / static_cast<double>(rounds));
    return ours_.back();
  }

  double ratio() const { return median(ratios_); }
  size_t count() const { return ratios_.size(); }
  double least() const { return *std::min_element(ratios_.begin(), ratios_.end()); }
  double most() const { return *std::max_element(ratios_.begin(), ratios_.end()); }
  double seconds_of_ours() const { return median(ours_); }  // of a round
  double seconds_of_yardstick() const { return median(yardsticks_); }

 private:
  static double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
  std::vector<double> ratios_, ours_, yardsticks_;
};

}  // namespace postern::perf
