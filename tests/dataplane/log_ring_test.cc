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

// As many bytes as asked for, which no other number gives.
std::vector<uint8_t> extra_for(uint64_t number, size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(number * 31 + i * 7 + 1);
  return bytes;
}

TEST(LogRing, GivesBackWhatItGotInOrder) {
  LogRing ring(8);
  std::array<LogEvent, 3> into;
  EXPECT_EQ(ring.read(into), 0u);
  for (uint64_t i = 0; i < 5; ++i) EXPECT_TRUE(ring.push(numbered(i)));
  ASSERT_EQ(ring.read(into), 3u);
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(into[i].record.flow_id, i);
  ASSERT_EQ(ring.read(into), 2u);
  EXPECT_EQ(into[1].record.flow_id, 4u);
  EXPECT_EQ(ring.read(into), 0u);
}

TEST(LogRing, RefusesWhenFullAndTakesAgainWhenRead) {
  LogRing ring(5);  // rounded up
  EXPECT_EQ(ring.room(), 8u);
  for (uint64_t i = 0; i < 8; ++i) EXPECT_TRUE(ring.push(numbered(i)));
  EXPECT_FALSE(ring.push(numbered(8)));
  EXPECT_EQ(ring.room(), 0u);
  std::array<LogEvent, 1> into;
  EXPECT_EQ(ring.read(into), 1u);
  EXPECT_TRUE(ring.push(numbered(9)));
  EXPECT_FALSE(ring.push(numbered(10)));
}

TEST(LogRing, GivesExtraBytesBackAtEveryPlaceOfTheRing) {
  LogRing ring(16);
  std::array<LogEvent, 4> into;
  for (uint64_t i = 0; i < 1000; ++i) {
    const auto extra = extra_for(i, i * 37 % (kMostLogExtra + 1));
    ASSERT_TRUE(ring.push(numbered(i), extra)) << i;
    ASSERT_EQ(ring.read(into), 1u) << i;
    EXPECT_EQ(into[0].record.flow_id, i);
    ASSERT_EQ(into[0].extra, extra) << i;
  }
}

TEST(LogRing, MixesRecordsWithAndWithoutExtraBytes) {
  LogRing ring(64);
  const size_t sizes[] = {0, 1200, 0, 1, kMostLogExtra, 0};
  for (uint64_t i = 0; i < std::size(sizes); ++i) ASSERT_TRUE(ring.push(numbered(i), extra_for(i, sizes[i])));
  std::array<LogEvent, 8> into;
  into[0].extra = extra_for(9, 99);  // of an earlier read
  ASSERT_EQ(ring.read(into), std::size(sizes));
  for (uint64_t i = 0; i < std::size(sizes); ++i) {
    EXPECT_EQ(into[i].record.flow_id, i);
    EXPECT_EQ(into[i].extra, extra_for(i, sizes[i])) << i;
  }
}

TEST(LogRing, TakesARecordWithAllOfItsExtraBytesOrNotAtAll) {
  LogRing ring(16);
  const auto extra = extra_for(7, 1200);
  const size_t needed = LogRing::slots_of(extra.size());
  for (uint64_t i = 0; i < 16 - needed + 1; ++i) ASSERT_TRUE(ring.push(numbered(i)));
  EXPECT_FALSE(ring.push(numbered(7), extra)) << "one slot is missing";
  EXPECT_EQ(ring.room(), needed - 1);
  std::array<LogEvent, 1> one;
  ASSERT_EQ(ring.read(one), 1u);
  EXPECT_TRUE(ring.push(numbered(7), extra));
  EXPECT_EQ(ring.room(), 0u);
  std::array<LogEvent, 32> into;
  ASSERT_EQ(ring.read(into), 16 - needed + 1);
  EXPECT_EQ(into[16 - needed].extra, extra);
  EXPECT_EQ(ring.room(), 16u);
}

TEST(LogRing, RefusesForEverWhatIsLargerThanItself) {
  LogRing ring(2);
  EXPECT_FALSE(ring.push(numbered(1), extra_for(1, kMostLogExtra)));
  EXPECT_EQ(ring.room(), 2u);
}

TEST(LogRing, TearsNothingBetweenTwoThreads) {
  constexpr uint64_t kRecords = 300'000;
  LogRing ring(64);
  const auto size_of = [](uint64_t number) { return number % 3 == 0 ? number * 13 % 1300 : 0; };
  uint64_t lost = 0, read = 0;
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kRecords; ++i) {
      const auto extra = extra_for(i, size_of(i));
      bool pushed = ring.push(numbered(i), extra);
      // Mostly patient, so that the reader sees many; sometimes not, so that losses happen.
      for (int tries = 0; !pushed && tries < 100; ++tries) {
        std::this_thread::yield();
        pushed = ring.push(numbered(i), extra);
      }
      if (!pushed) ++lost;
    }
    while (!ring.push(numbered(0))) std::this_thread::yield();
  });
  uint64_t last = 0;
  bool done = false, whole = true, ascending = true;
  std::array<LogEvent, 16> into;
  while (!done) {
    const size_t count = ring.read(into);
    for (size_t i = 0; i < count; ++i) {
      const LogRecord& record = into[i].record;
      done = record.flow_id == 0;
      if (done) break;
      whole &= record.time == record.flow_id && record.bytes[1] == record.flow_id;
      whole &= into[i].extra == extra_for(record.flow_id, size_of(record.flow_id));
      ascending &= record.flow_id > last;
      last = record.flow_id;
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
