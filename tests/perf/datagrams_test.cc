// SPDX-License-Identifier: Apache-2.0
// Frames must be what the product takes for whole: its own checksums judge them.
#include "perf/traffic/datagrams.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "dataplane/checksum.h"
#include "perf/traffic/connections.h"
#include "perf/traffic/probed.h"

namespace postern::perf {
namespace {

struct Heard {
  std::vector<uint8_t> bytes;
  Side side;
  uint16_t tag_at;
};

std::vector<Heard> made_by(FrameSource& source, size_t count, size_t burst = 7) {
  std::vector<Heard> heard;
  std::vector<std::vector<uint8_t>> rooms(burst, std::vector<uint8_t>(kFrameRoom, 0xee));
  while (heard.size() < count) {
    std::vector<Frame> frames(std::min(burst, count - heard.size()));
    for (size_t i = 0; i < frames.size(); ++i) frames[i].room = rooms[i].data();
    source.make(frames);
    for (const Frame& frame : frames) {
      if (frame.tag_at != 0) tag_frame(frame, {.run = 3, .sequence = heard.size(), .sent_at = 12345});
      heard.push_back({{frame.room, frame.room + frame.length}, frame.side, frame.tag_at});
    }
  }
  return heard;
}

// Both checksums of an IPv4 packet without options, VLAN tag or not.
void expect_right_checksums(const Heard& frame) {
  const size_t at = frame.bytes[12] == 0x81 ? 18 : 14;
  const Bytes packet = Bytes(frame.bytes).subspan(at);
  EXPECT_EQ(dataplane::folded_sum(packet.first(20)), 0xffff);
  const size_t total = load_be16(&packet[2]);
  ASSERT_LE(total, packet.size());
  EXPECT_TRUE(dataplane::transport_checksum_ok(IpAddress::from_v4(&packet[12]),
                                               IpAddress::from_v4(&packet[16]), packet[9],
                                               packet.subspan(20, total - 20)));
  if (packet[9] == 17) {
    EXPECT_NE(load_be16(&packet[26]), 0) << "zero would mean there is none";
  }
}

TEST(Datagrams, AreWholeWithEverySizeAndAVlan) {
  for (const char* size : {"64", "65", "imix", "1518"})
    for (const uint16_t vlan : {0, 30}) {
      Datagrams source(
          {.flows = 100, .sizes = *FrameSizes::parse(size), .directions = Directions::Both, .vlan = vlan});
      for (const Heard& frame : made_by(source, 3000)) expect_right_checksums(frame);
    }
}

TEST(Datagrams, OfOneDirectionAllEnterTheFirstSide) {
  Datagrams source({.flows = 10});
  for (const Heard& frame : made_by(source, 3000)) EXPECT_EQ(frame.side, Side::First);
}

TEST(Datagrams, EveryAnswerFollowsItsQuestionAtADistance) {
  Datagrams source({.flows = 5000, .directions = Directions::Both});
  std::map<std::vector<uint8_t>, uint64_t> asked;  // client's and server's address and port
  uint64_t question = 0, answers = 0;
  for (const Heard& frame : made_by(source, 20'000)) {
    const uint8_t* ip = &frame.bytes[26];
    std::vector<uint8_t> ends(ip, ip + 12);
    if (frame.side == Side::First) {
      asked[ends] = question++;
      continue;
    }
    ++answers;
    const std::vector<uint8_t> reversed = {ip[4], ip[5], ip[6],  ip[7],  ip[0], ip[1],
                                           ip[2], ip[3], ip[10], ip[11], ip[8], ip[9]};
    ASSERT_TRUE(asked.contains(reversed));
    EXPECT_EQ(question - asked[reversed], Datagrams::kAnswerLag + 1);
  }
  EXPECT_EQ(answers, (20'000 - Datagrams::kAnswerLag) / 2);
}

TEST(Datagrams, AMixHasItsMean) {
  EXPECT_NEAR(FrameSizes::parse("imix")->mean(), 353.8, 0.1);
  Datagrams source({.flows = 10, .sizes = *FrameSizes::parse("imix")});
  std::map<size_t, int> sizes;
  for (const Heard& frame : made_by(source, 1200)) ++sizes[frame.bytes.size() + kFcs];
  EXPECT_EQ(sizes, (std::map<size_t, int>{{64, 700}, {570, 400}, {1518, 100}}));
}

TEST(Connections, AreWholeFromSynToFin) {
  Connections source({.flows = 50, .open = 10, .answer_bytes = 3000});
  const size_t packets = source.packets_of_connection() * 50;
  std::map<uint16_t, std::pair<uint32_t, uint32_t>> next;  // by client's port and address: numbers to come
  std::set<uint32_t> ended;
  for (const Heard& frame : made_by(source, packets)) {
    expect_right_checksums(frame);
    const uint8_t* ip = &frame.bytes[14];
    const uint8_t* tcp = ip + 20;
    const bool by_client = frame.side == Side::First;
    const uint32_t client = load_be32(ip + (by_client ? 12 : 16));
    auto& numbers = next[static_cast<uint16_t>(client)];
    uint32_t& own = by_client ? numbers.first : numbers.second;
    const uint32_t length = load_be16(ip + 2) - 40u;
    const uint8_t flags = tcp[13];
    if ((flags & 2) != 0)
      own = load_be32(tcp + 4);
    else
      EXPECT_EQ(load_be32(tcp + 4), own);
    own += length + ((flags & 3) != 0);
    if ((flags & 16) != 0) {
      EXPECT_EQ(load_be32(tcp + 8), by_client ? numbers.second : numbers.first);
    }
    if (!by_client && (flags & 1) != 0) ended.insert(client);
  }
  EXPECT_EQ(ended.size(), 50u);
}

TEST(Probed, TagsOneFrameAfterEverySoMany) {
  Probed source(std::make_unique<Connections>(ConnectionShape{.flows = 20, .open = 5}), {.flows = 4}, 9);
  size_t at = 0;
  for (const Heard& frame : made_by(source, 1000)) EXPECT_EQ(frame.tag_at != 0, at++ % 10 == 9);
}

}  // namespace
}  // namespace postern::perf
