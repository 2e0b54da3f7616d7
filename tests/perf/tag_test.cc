// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/tag.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "perf/traffic/datagrams.h"
#include "tests/dataplane/packets.h"

namespace postern::perf {
namespace {

const Tag kTag{.run = 127, .side = Side::Second, .sequence = 0x9876543210, .sent_at = 0xfedcba9876543210};

std::string payload_of(const Tag& tag) {
  std::string payload(Tag::kSize, '\0');
  write_tag(reinterpret_cast<uint8_t*>(payload.data()), tag);
  return payload;
}

dataplane::Octets frame_of(const std::string& payload, const std::vector<dataplane::Tag>& vlans = {}) {
  return dataplane::udp_frame(dataplane::ip("10.64.0.1"), dataplane::ip("10.128.0.1"), 1024, 5001, payload,
                              vlans);
}

TEST(Tag, ComesBackAsItWasWritten) { EXPECT_EQ(read_tag(frame_of(payload_of(kTag))), kTag); }

TEST(Tag, IsFoundBehindVlanTags) {
  EXPECT_EQ(read_tag(frame_of(payload_of(kTag), {{.id = 5}})), kTag);
  EXPECT_EQ(read_tag(frame_of(payload_of(kTag), {{.id = 5, .ethertype = 0x88a8}, {.id = 6}})), kTag);
}

TEST(Tag, IsNotSeenInOtherTraffic) {
  std::string wrong = payload_of(kTag);
  wrong[3] ^= 1;
  EXPECT_FALSE(read_tag(frame_of(wrong)));
  EXPECT_FALSE(read_tag(frame_of("short")));
  EXPECT_FALSE(read_tag({}));
}

TEST(Tag, IsNotSeenInACutFrame) {
  const dataplane::Octets frame = frame_of(payload_of(kTag));
  for (size_t size = 0; size < frame.size(); ++size) EXPECT_FALSE(read_tag(Bytes(frame).first(size))) << size;
}

TEST(Tag, FitsIntoTheSmallestFrame) {
  Datagrams datagrams(DatagramShape{});
  std::array<uint8_t, kFrameRoom> room{};
  Frame frame{.room = room.data()};
  ASSERT_EQ(datagrams.make(std::span(&frame, 1)), 1u);
  tag_frame(frame, kTag);
  EXPECT_EQ(frame.length, 60u);
  EXPECT_EQ(read_tag(Bytes(room).first(frame.length)), kTag);
}

}  // namespace
}  // namespace postern::perf
