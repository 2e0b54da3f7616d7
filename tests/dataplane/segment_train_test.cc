// SPDX-License-Identifier: Apache-2.0
#include "dataplane/segment_train.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dataplane/tcp_flags.h"

namespace postern::dataplane {
namespace {

using Packet = std::vector<uint8_t>;

struct Said {
  uint32_t sequence = 1000, acknowledgement = 500;
  std::string payload = {};
  uint8_t flags = kAck;
  uint16_t port = 40000;
  std::vector<uint8_t> options = {};
};

Packet packet(const Said& said) {
  Packet bytes(kMostBareFrame);
  const BareSegment segment{.from = {*IpAddress::parse("10.1.0.5"), said.port},
                            .to = {*IpAddress::parse("10.3.0.10"), 443},
                            .sequence = said.sequence,
                            .acknowledgement = said.acknowledgement,
                            .flags = said.flags};
  bytes.resize(write_frame(segment, {}, bytes.data()));
  bytes[32] = static_cast<uint8_t>((5 + said.options.size() / 4) << 4);
  bytes.insert(bytes.end(), said.options.begin(), said.options.end());
  bytes.insert(bytes.end(), said.payload.begin(), said.payload.end());
  write_ip_length(bytes.data(), bytes.size());
  return bytes;
}

std::vector<uint8_t> timestamps(uint8_t now) { return {1, 1, 8, 10, 0, 0, 0, now, 0, 0, 0, 1}; }

bool take(SegmentTrain& train, const Packet& packet) { return train.take(packet, *find_tcp(packet)); }

Packet whole(SegmentTrain& train) {
  const SegmentTrain::Parts parts = train.parts();
  Packet bytes;
  for (size_t i = 0; i < parts.count; ++i) {
    const auto* from = static_cast<const uint8_t*>(parts.parts[i].iov_base);
    bytes.insert(bytes.end(), from, from + parts.parts[i].iov_len);
  }
  return bytes;
}

uint32_t acknowledged(const Packet& packet) { return load_be32(&packet[28]); }

TEST(SegmentTrain, JoinsDataThatFollows) {
  SegmentTrain train;
  const Packet first = packet({.payload = "abcd"}), second = packet({.sequence = 1004, .payload = "efgh"});
  ASSERT_TRUE(take(train, first));
  ASSERT_TRUE(take(train, second));
  EXPECT_EQ(train.parts().segment_size, 4);
  EXPECT_EQ(whole(train), packet({.payload = "abcdefgh"}));
}

TEST(SegmentTrain, GoesOnAfterAPushAndPushesAtLast) {
  SegmentTrain train;
  const Packet first = packet({.payload = "abcd", .flags = kAck | kPsh});
  const Packet second = packet({.sequence = 1004, .payload = "efgh"});
  ASSERT_TRUE(take(train, first));
  ASSERT_TRUE(take(train, second));
  EXPECT_EQ(whole(train), packet({.payload = "abcdefgh", .flags = kAck | kPsh}));
}

TEST(SegmentTrain, EndsWithAShorterSegment) {
  SegmentTrain train;
  const Packet first = packet({.payload = "abcd"}), second = packet({.sequence = 1004, .payload = "ef"});
  const Packet third = packet({.sequence = 1006, .payload = "gh"});
  ASSERT_TRUE(take(train, first));
  ASSERT_TRUE(take(train, second));
  EXPECT_FALSE(take(train, third));
}

TEST(SegmentTrain, LeavesAGapOpen) {
  SegmentTrain train;
  const Packet first = packet({.payload = "abcd"}), late = packet({.sequence = 1008, .payload = "ijkl"});
  ASSERT_TRUE(take(train, first));
  EXPECT_FALSE(take(train, late));
}

TEST(SegmentTrain, KeepsTheEndOfAConnectionApart) {
  SegmentTrain train;
  const Packet first = packet({.payload = "abcd"});
  const Packet last = packet({.sequence = 1004, .payload = "efgh", .flags = kAck | kFin});
  ASSERT_TRUE(take(train, first));
  EXPECT_FALSE(take(train, last));
}

TEST(SegmentTrain, OfBareAcknowledgementsTheLastIsEnough) {
  SegmentTrain train;
  const Packet first = packet({.acknowledgement = 500, .options = timestamps(1)});
  const Packet second = packet({.acknowledgement = 600, .options = timestamps(2)});
  ASSERT_TRUE(take(train, first));
  ASSERT_TRUE(take(train, second));
  EXPECT_EQ(whole(train), second);
}

TEST(SegmentTrain, TakesDataForABareAcknowledgementThatItOutdates) {
  SegmentTrain train;
  const Packet bare = packet({.acknowledgement = 500}),
               data = packet({.acknowledgement = 600, .payload = "abcd"});
  ASSERT_TRUE(take(train, bare));
  ASSERT_TRUE(take(train, data));
  EXPECT_EQ(whole(train), data);
}

TEST(SegmentTrain, TakesNoBareAcknowledgementForData) {
  SegmentTrain train;
  const Packet data = packet({.payload = "abcd"}), bare = packet({.sequence = 1004, .acknowledgement = 600});
  ASSERT_TRUE(take(train, data));
  EXPECT_FALSE(take(train, bare));
}

TEST(SegmentTrain, KeepsRepeatedAcknowledgements) {
  SegmentTrain train;
  const Packet bare = packet({});
  ASSERT_TRUE(take(train, bare));
  EXPECT_FALSE(take(train, bare));
}

TEST(SegmentTrain, KeepsAcknowledgementsThatTellOfLoss) {
  const std::vector<uint8_t> sack = {1, 1, 5, 10, 0, 0, 4, 0, 0, 0, 8, 0};
  SegmentTrain train;
  const Packet first = packet({.acknowledgement = 500, .options = sack});
  const Packet second = packet({.acknowledgement = 600, .options = timestamps(1)});
  ASSERT_TRUE(take(train, first));
  EXPECT_FALSE(take(train, second));
}

TEST(SegmentTrain, KeepsAnAcknowledgementThatOverflowedBehindTheOneBefore) {
  SegmentTrain train;
  const Packet first = packet({.acknowledgement = 0xffffff00}), second = packet({.acknowledgement = 0x100});
  ASSERT_TRUE(take(train, first));
  ASSERT_TRUE(take(train, second));
  EXPECT_EQ(acknowledged(whole(train)), 0x100U);
}

TEST(SegmentTrain, KnowsItsSender) {
  SegmentTrain train;
  const Packet first = packet({.payload = "abcd"}), other = packet({.payload = "abcd", .port = 40001});
  ASSERT_TRUE(take(train, first));
  EXPECT_TRUE(train.has_sender_of(first, *find_tcp(first)));
  EXPECT_FALSE(train.has_sender_of(other, *find_tcp(other)));
}

TEST(SegmentTrain, HoldsNoMoreThanOneSegmentCan) {
  SegmentTrain train;
  std::vector<Packet> packets;
  for (uint32_t i = 0; i <= SegmentTrain::kMostSegments; ++i)
    packets.push_back(packet({.sequence = 1000 + i * 4, .payload = "abcd"}));
  for (size_t i = 0; i < SegmentTrain::kMostSegments; ++i) ASSERT_TRUE(take(train, packets[i]));
  EXPECT_FALSE(take(train, packets.back()));
}

}  // namespace
}  // namespace postern::dataplane
