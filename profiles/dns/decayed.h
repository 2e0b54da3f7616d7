// SPDX-License-Identifier: Apache-2.0
// How sums that forget age: by half in every half-life, so that a window needs no list of what is in it. A
// steady rate of one per second adds up to 1.44 half-lives. Any thread.
#pragma once

#include <cmath>

#include "base/time.h"

namespace postern::profiles::dns {

// What is left of sums after the time from `before` to `now`; of clocks that went back, all.
inline float left_after(Timestamp before, Timestamp now, Timestamp half_life) noexcept {
  if (now <= before) return 1;
  return std::exp2(-static_cast<float>(now - before) / static_cast<float>(half_life));
}

}  // namespace postern::profiles::dns
