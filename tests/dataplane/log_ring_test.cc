// SPDX-License-Identifier: Apache-2.0
#include "dataplane/log_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace postern::dataplane {
namespace {

LogRecord numbered(uint64_t number) {
  LogRecord record;
  record.flow_id = record.time = record.bytes[1] = number;
  return record;
}

TEST(LogRing, GivesBackWhatItGotInOrder) {
  LogRing ring(8);
  std::array<LogRecord, 3> into;
  EXPECT_EQ(ring.read(into), 0u);
  for (uint64_t i = 0; i < 5; ++i) EXPECT_TRUE(ring.push(numbered(i)));
  ASSERT_EQ(ring.read(into), 3u);
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(into[i].flow_id, i);
  ASSERT_EQ(ring.read(into), 2u);
  EXPECT_EQ(into[1].flow_id, 4u);
  EXPECT_EQ(ring.read(into), 0u);
}

TEST(LogRing, RefusesWhenFullAndTakesAgainWhenRead) {
  LogRing ring(5);  // rounded up
  EXPECT_EQ(ring.room(), 8u);
  for (uint64_t i = 0; i < 8; ++i) EXPECT_TRUE(ring.push(numbered(i)));
  EXPECT_FALSE(ring.push(numbered(8)));
  EXPECT_EQ(ring.room(), 0u);
  std::array<LogRecord, 1> into;
  EXPECT_EQ(ring.read(into), 1u);
  EXPECT_TRUE(ring.push(numbered(9)));
  EXPECT_FALSE(ring.push(numbered(10)));
}

TEST(LogRing, TearsNothingBetweenTwoThreads) {
  constexpr uint64_t kRecords = 300'000;
  LogRing ring(64);
  uint64_t lost = 0, read = 0;
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kRecords; ++i) {
      bool pushed = ring.push(numbered(i));
      // Mostly patient, so that the reader sees many; sometimes not, so that losses happen.
      for (int tries = 0; !pushed && tries < 100; ++tries) {
        std::this_thread::yield();
        pushed = ring.push(numbered(i));
      }
      if (!pushed) ++lost;
    }
    while (!ring.push(numbered(0))) std::this_thread::yield();
  });
  uint64_t last = 0;
  bool done = false, whole = true, ascending = true;
  while (!done) {
    std::array<LogRecord, 16> into;
    const size_t count = ring.read(into);
    for (size_t i = 0; i < count; ++i) {
      done = into[i].flow_id == 0;
      if (done) break;
      whole &= into[i].time == into[i].flow_id && into[i].bytes[1] == into[i].flow_id;
      ascending &= into[i].flow_id > last;
      last = into[i].flow_id;
      ++read;
    }
    if (count == 0) std::this_thread::yield();
  }
  writer.join();
  EXPECT_TRUE(whole);
  EXPECT_TRUE(ascending);
  EXPECT_EQ(read + lost, kRecords);
}

}  // namespace
}  // namespace postern::dataplane
