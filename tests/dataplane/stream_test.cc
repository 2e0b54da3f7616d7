// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stream.h"

#include <gtest/gtest.h>

#include <random>

#include "buffers.h"
#include "stream_bench.h"

namespace postern::dataplane {
namespace {

using Bench = StreamBench<Buffers>;

class StreamTest : public testing::Test {
 protected:
  static std::string text(const Octets& bytes) { return std::string(bytes.begin(), bytes.end()); }
  static Octets stamped(uint32_t timestamp) {
    Octets options = {1, 1, 8, 10};
    append32(options, timestamp);
    append32(options, 0);
    return options;
  }
  uint64_t dropped(DropReason reason) const { return counters_.dropped[static_cast<size_t>(reason)].value(); }

  Buffers buffers_;  // before what may hold packets
  Counters counters_;
  StreamTable table_{{.streams = 4, .blocks = 16, .held = 8, .held_per_flow = 4}, counters_};
};

TEST_F(StreamTest, PassesBytesInOrder) {
  Bench bench(buffers_, table_, 1000);
  EXPECT_EQ(bench.send(1000, octets("abc")).sent.size(), 1u);
  EXPECT_EQ(bench.send(1003, octets("def")).sent.size(), 1u);
  EXPECT_EQ(text(bench.scanned), "abcdef");
}

TEST_F(StreamTest, HoldsWhatComesBehindAGapUntilItIsFilled) {
  Bench bench(buffers_, table_, 1000);
  EXPECT_EQ(bench.send(1006, octets("ghi")).fate, Fate::Taken);
  EXPECT_EQ(bench.send(1003, octets("def")).fate, Fate::Taken);
  EXPECT_EQ(table_.held(), 2u);
  const Bench::Result result = bench.send(1000, octets("abc"));
  ASSERT_EQ(result.sent.size(), 3u);
  EXPECT_EQ(result.sent[1].sequence, 1003u);
  EXPECT_EQ(result.sent[2].sequence, 1006u);
  EXPECT_EQ(text(bench.scanned), "abcdefghi");
  EXPECT_EQ(table_.held(), 0u);
}

TEST_F(StreamTest, DropsASegmentThatTellsAnotherStoryAboutForwardedBytes) {
  Bench bench(buffers_, table_, 1000);
  bench.send(1000, octets("good"));
  EXPECT_EQ(bench.send(1000, octets("evil")).reason, DropReason::TcpOverlapDiffers);
  EXPECT_EQ(bench.send(1002, octets("ODxx")).reason, DropReason::TcpOverlapDiffers);
  EXPECT_EQ(bench.send(1000, octets("good")).fate, Fate::Open);
  EXPECT_EQ(bench.send(1002, octets("od and more")).fate, Fate::Open);
  EXPECT_EQ(text(bench.scanned), "good and more");
}

TEST_F(StreamTest, DropsASegmentThatTellsAnotherStoryAboutHeldBytes) {
  Bench bench(buffers_, table_, 1000);
  bench.send(1004, octets("wait"));
  EXPECT_EQ(bench.send(1002, octets("xxWA")).reason, DropReason::TcpOverlapDiffers);
  EXPECT_EQ(bench.send(1000, octets("abcdWAIT")).reason, DropReason::TcpOverlapDiffers);
  EXPECT_EQ(bench.send(1000, octets("abcdwa")).sent.size(), 2u);
  EXPECT_EQ(text(bench.scanned), "abcdwait");
}

TEST_F(StreamTest, DropsACopyOfWhatIsHeld) {
  Bench bench(buffers_, table_, 1000);
  bench.send(1002, octets("cd"));
  bench.send(1004, octets("ef"));
  EXPECT_EQ(bench.send(1002, octets("cdef")).reason, DropReason::TcpDuplicateHeld);
  EXPECT_EQ(bench.send(1003, octets("de")).reason, DropReason::TcpDuplicateHeld);
  EXPECT_EQ(bench.send(1003, octets("defg")).fate, Fate::Taken);
}

TEST_F(StreamTest, ForgetsWhatTheReceiverHas) {
  Bench bench(buffers_, table_, 1000);
  bench.send(1000, octets("good"));
  bench.forget_front();
  bench.acknowledge(1003);
  EXPECT_EQ(bench.send(1000, octets("eviX")).reason, DropReason::TcpOverlapDiffers);
  EXPECT_EQ(bench.send(1000, octets("evid")).fate, Fate::Open) << "the receiver ignores what it has";
  bench.acknowledge(1004);
  EXPECT_EQ(bench.stream().half(Direction::ToServer).kept.size, 0u);
}

TEST_F(StreamTest, KeepsTheFrontEvenWhenItWasAcknowledged) {
  Bench bench(buffers_, table_, 1000);
  bench.send(1000, octets("first "));
  bench.acknowledge(1006);
  bench.send(1006, octets("bytes"));
  EXPECT_EQ(as_text(table_.front(bench.stream(), Direction::ToServer)), "first bytes");
}

TEST_F(StreamTest, BelievesNoAcknowledgementOfBytesThatDidNotPass) {
  Bench bench(buffers_, table_, 1000);
  bench.send(1000, octets("good"));
  bench.forget_front();
  bench.send(1010, octets("held"));
  bench.acknowledge(1014);
  EXPECT_EQ(bench.send(1004, octets("middle")).sent.size(), 2u);
  EXPECT_EQ(bench.send(1010, octets("HELD")).reason, DropReason::TcpOverlapDiffers);
}

TEST_F(StreamTest, RefusesDataWithAnOldTimestamp) {
  Bench bench(buffers_, table_, 1000);
  StreamTable::use_timestamps(bench.stream(), 400, 0);
  EXPECT_EQ(bench.send(1000, octets("X"), stamped(399)).reason, DropReason::TcpOldTimestamp);
  bench.send(1000, octets("a"), stamped(500));
  EXPECT_EQ(bench.send(1001, octets("X"), stamped(499)).reason, DropReason::TcpOldTimestamp);
  EXPECT_EQ(bench.send(1001, octets("b")).fate, Fate::Open) << "Linux takes segments without one";
  EXPECT_EQ(bench.send(1002, octets("c"), stamped(500)).fate, Fate::Open);
  EXPECT_EQ(bench.send(1003, octets("d"), stamped(501)).fate, Fate::Open);
  EXPECT_EQ(text(bench.scanned), "abcd");
}

TEST_F(StreamTest, TakesTheTimestampOfHeldDataWhenItsTurnComes) {
  Bench bench(buffers_, table_, 1000);
  StreamTable::use_timestamps(bench.stream(), 400, 0);
  bench.send(1002, octets("c"), stamped(502));
  EXPECT_EQ(bench.send(1000, octets("ab"), stamped(501)).sent.size(), 2u);
  EXPECT_EQ(bench.send(1003, octets("X"), stamped(501)).reason, DropReason::TcpOldTimestamp);
}

TEST_F(StreamTest, KnowsNoOldTimestampsWhereNoneWereNegotiated) {
  Bench bench(buffers_, table_, 1000);
  bench.send(1000, octets("a"), stamped(500));
  EXPECT_EQ(bench.send(1001, octets("b"), stamped(1)).fate, Fate::Open);
}

TEST_F(StreamTest, BelievesNoAcknowledgementFromBeforeTheConnection) {
  Bench bench(buffers_, table_, 1000);
  EXPECT_FALSE(bench.acknowledge(999));
  EXPECT_TRUE(bench.acknowledge(1000));
  bench.send(1000, octets("ab"));
  EXPECT_TRUE(bench.acknowledge(1001));
  EXPECT_FALSE(bench.acknowledge(999));
}

TEST_F(StreamTest, RunsOverTheEndOfTheSequenceNumbers) {
  Bench bench(buffers_, table_, 0xfffffffe);
  EXPECT_EQ(bench.send(1, octets("def")).fate, Fate::Taken);
  EXPECT_EQ(bench.send(0xfffffffe, octets("abc")).sent.size(), 2u);
  EXPECT_EQ(bench.send(0xffffffff, octets("bcX")).reason, DropReason::TcpOverlapDiffers);
  EXPECT_EQ(text(bench.scanned), "abcdef");
}

TEST_F(StreamTest, HoldsAFewSegmentsPerDirectionAndSaysWhenThatIsFull) {
  Bench bench(buffers_, table_, 1000);
  for (uint32_t i = 1; i <= 4; ++i) EXPECT_EQ(bench.send(1000 + i * 2, octets("x")).fate, Fate::Taken);
  EXPECT_EQ(bench.send(1020, octets("x")).reason, DropReason::StreamFull);
  EXPECT_EQ(bench.send(1000, octets("abx")).sent.size(), 2u);
}

TEST_F(StreamTest, TakesNoMoreBytesThanThereAreBlocksForThem) {
  Bench bench(buffers_, table_, 0);
  const Octets segment(1024, 'x');
  for (uint32_t i = 0; i < 32; ++i) ASSERT_EQ(bench.send(i * 1024, segment).fate, Fate::Open);
  EXPECT_EQ(bench.send(32 * 1024, segment).reason, DropReason::StreamFull);
  bench.forget_front();
  bench.acknowledge(4096);
  EXPECT_EQ(bench.send(32 * 1024, segment).fate, Fate::Open);
}

TEST_F(StreamTest, KeepsSoManyBytesOfOneDirection) {
  StreamTable table({.streams = 1, .blocks = 16, .held = 8, .kept_per_flow = 2048}, counters_);
  Bench bench(buffers_, table, 0);
  const Octets segment(1024, 'x');
  for (uint32_t i = 0; i < 2; ++i) ASSERT_EQ(bench.send(i * 1024, segment).fate, Fate::Open);
  EXPECT_EQ(bench.send(2048, segment).reason, DropReason::StreamFull);
}

TEST_F(StreamTest, KeepsComparingScannedBytesAfterScanningEnded) {
  Bench bench(buffers_, table_, 1000);
  bench.send(1000, octets("hello"));
  bench.stop();
  EXPECT_EQ(bench.send(1000, octets("jello")).reason, DropReason::TcpOverlapDiffers);
  EXPECT_EQ(bench.send(1003, octets("lo world")).fate, Fate::Open);
  EXPECT_EQ(bench.send(1020, octets("unscanned")).fate, Fate::Open);
  EXPECT_EQ(text(bench.scanned), "hello");
  EXPECT_FALSE(StreamTable::drained(bench.stream()));
  bench.acknowledge(1005);
  EXPECT_TRUE(StreamTable::drained(bench.stream()));
}

TEST_F(StreamTest, LetsHeldSegmentsGoWhenScanningEnds) {
  Bench bench(buffers_, table_, 1000);
  bench.send(1000, octets("hello"));
  bench.send(1010, octets("held"));
  bench.stop();
  EXPECT_EQ(bench.send(1005, octets("world")).sent.size(), 2u);
  EXPECT_EQ(table_.held(), 0u);
}

TEST_F(StreamTest, DropsHeldSegmentsWithTheirFlow) {
  {
    Bench bench(buffers_, table_, 1000);
    bench.send(1010, octets("held"));
  }
  EXPECT_EQ(dropped(DropReason::TcpGap), 1u);
  EXPECT_EQ(table_.held(), 0u);
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(StreamTest, HasRoomForSoManyStreams) {
  for (uint32_t flow = 0; flow < 4; ++flow) EXPECT_NE(table_.open(flow, 0, 0), nullptr);
  EXPECT_EQ(table_.open(4, 0, 0), nullptr);
  table_.close(2);
  EXPECT_NE(table_.open(4, 0, 0), nullptr);
  EXPECT_EQ(table_.find(2), nullptr);
  EXPECT_EQ(table_.find(4)->flow, 4u);
}

// Whatever a sender does and whatever is lost behind the box: hosts that prefer old bytes and hosts that
// prefer new ones read what was scanned.
TEST_F(StreamTest, EveryReceiverReadsWhatWasScanned) {
  std::mt19937 random(11);
  for (int round = 0; round < 2000; ++round) {
    const uint32_t first = static_cast<uint32_t>(random());
    Bench bench(buffers_, table_, first);
    NaiveReceiver old_wins(first, Keeps::First), new_wins(first, Keeps::Last);
    if (random() % 2 == 0) bench.forget_front();
    for (int step = 0; step < 40; ++step) {
      Octets data(1 + random() % 6);
      const uint32_t at = random() % 24;
      // Mostly the same text; sometimes lies.
      for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>('a' + at + i);
      if (random() % 4 == 0) data[random() % data.size()] = '!';
      for (const SentSegment& sent : bench.send(first + at, data).sent) {
        if (random() % 4 == 0) continue;  // lost on the way
        old_wins.receive(sent);
        new_wins.receive(sent);
      }
      if (random() % 4 == 0) bench.acknowledge(old_wins.next());
      ASSERT_EQ(old_wins.delivered, new_wins.delivered);
      ASSERT_LE(old_wins.delivered.size(), bench.scanned.size());
      ASSERT_TRUE(std::equal(old_wins.delivered.begin(), old_wins.delivered.end(), bench.scanned.begin()));
    }
  }
}

}  // namespace
}  // namespace postern::dataplane
