// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/management_mix.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "dataplane/checksum.h"

namespace postern::perf {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17;

Result<ManagementMix> mix_of(uint32_t total, uint64_t seed = 1) {
  return ManagementMix::read(management_parts(POSTERN_CAPTURES), 16, total, seed);
}

std::vector<std::vector<uint8_t>> all_of(ManagementMix& mix) {
  std::vector<std::vector<uint8_t>> frames;
  std::array<uint8_t, kFrameRoom> room;
  for (Frame frame{.room = room.data()}; mix.make(std::span(&frame, 1)) == 1;)
    frames.emplace_back(frame.room, frame.room + frame.length);
  return frames;
}

TEST(ManagementMix, FramesAreWholeBetweenTheAddressesOfThePlan) {
  auto mix = mix_of(300);
  ASSERT_TRUE(mix) << mix.error().text();
  std::set<uint16_t> ports;
  for (const auto& frame : all_of(*mix)) {
    const Bytes packet = Bytes(frame).subspan(14);
    const size_t header = size_t{packet[0]} % 16 * 4, total = load_be16(&packet[2]);
    EXPECT_EQ(dataplane::folded_sum(packet.first(header)), 0xffff);
    EXPECT_EQ(packet[12], 10);
    EXPECT_TRUE(packet[13] == 64 || packet[13] == 128);
    if (packet[9] != kTcp && packet[9] != kUdp) continue;
    ports.insert(load_be16(&packet[header + 2]));
    EXPECT_TRUE(dataplane::transport_checksum_ok(IpAddress::from_v4(&packet[12]),
                                                 IpAddress::from_v4(&packet[16]), packet[9],
                                                 packet.subspan(header, total - header)));
  }
  for (const uint16_t port : {53, 80, 427, 623}) EXPECT_TRUE(ports.contains(port)) << port;
}

TEST(ManagementMix, TheSameSeedMakesTheSameFrames) {
  auto one = mix_of(50), same = mix_of(50), other = mix_of(50, 2);
  const auto frames = all_of(*one);
  EXPECT_EQ(frames, all_of(*same));
  EXPECT_NE(frames, all_of(*other));
}

TEST(ManagementMix, NamesACaptureThatIsMissing) {
  const auto mix = ManagementMix::read({{"/nowhere/at_all.pcapng"}}, 1, 1, 1);
  ASSERT_FALSE(mix);
  EXPECT_NE(mix.error().text().find("at_all"), std::string::npos);
}

}  // namespace
}  // namespace postern::perf
