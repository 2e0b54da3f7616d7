// SPDX-License-Identifier: Apache-2.0
// Time for workers: the wall clock at start carried on by the time stamp counter, so setting the machine's
// clock neither expires flows nor makes a duration negative. Any thread.
#pragma once

#include <rte_cycles.h>

#include <ctime>

#include "base/time.h"

namespace postern::dataplane {

class Clock {
 public:
  Clock() noexcept {
    timespec wall{};
    clock_gettime(CLOCK_REALTIME, &wall);
    cycles_at_start_ = rte_rdtsc();
    start_ = static_cast<Timestamp>(wall.tv_sec) * kSecond + static_cast<Timestamp>(wall.tv_nsec);
    nanoseconds_per_cycle_ = (kSecond << kShift) / rte_get_tsc_hz();
  }
  Timestamp now() const noexcept {
    __extension__ using Wide = unsigned __int128;
    return start_ +
           static_cast<Timestamp>(Wide{rte_rdtsc() - cycles_at_start_} * nanoseconds_per_cycle_ >> kShift);
  }

 private:
  static constexpr unsigned kShift = 32;
  uint64_t cycles_at_start_ = 0;
  Timestamp start_ = 0;
  uint64_t nanoseconds_per_cycle_ = 0;  // fixed point
};

}  // namespace postern::dataplane
