// SPDX-License-Identifier: Apache-2.0
#include "dataplane/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace postern::dataplane {
namespace {

Timestamp wall() {
  return static_cast<Timestamp>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                    std::chrono::system_clock::now().time_since_epoch())
                                    .count());
}

TEST(Clock, NeverGoesBack) {
  const Clock clock;
  Timestamp last = clock.now();
  for (int i = 0; i < 200'000; ++i) {
    const Timestamp now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Clock, TellsTheTimeOfDay) {
  const Clock clock;
  const auto apart = [&] {
    const Timestamp here = clock.now(), there = wall();
    return here > there ? here - there : there - here;
  };
  EXPECT_LT(apart(), 50 * kMillisecond);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(apart(), 50 * kMillisecond);
}

}  // namespace
}  // namespace postern::dataplane
