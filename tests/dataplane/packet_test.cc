// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "buffers.h"
#include "dataplane/burst.h"

namespace postern::dataplane {
namespace {

// That copying does not even compile is shown beside, in packet_copy.cc.
static_assert(!std::is_copy_constructible_v<Packet> && !std::is_copy_assignable_v<Packet>);
static_assert(std::is_nothrow_move_constructible_v<Packet> && std::is_nothrow_move_assignable_v<Packet>);
static_assert(!std::is_copy_constructible_v<Slot> && !std::is_copy_constructible_v<Burst>);

TEST(Packet, GivesItsBufferBackOnce) {
  Buffers buffers(15);
  {
    Packet one = buffers.packet(Octets(10));
    EXPECT_EQ(buffers.available(), 14u);
    Packet two = std::move(one);
    EXPECT_FALSE(one);  // NOLINT: moved from on purpose
    EXPECT_TRUE(two);
    EXPECT_EQ(buffers.available(), 14u);
  }
  EXPECT_EQ(buffers.available(), 15u);
}

TEST(Packet, GivesTheOldBufferBackWhenItGetsANewOne) {
  Buffers buffers(15);
  Packet one = buffers.packet(Octets(1)), two = buffers.packet(Octets(2));
  one = std::move(two);
  EXPECT_EQ(buffers.available(), 14u);
  EXPECT_EQ(one.length(), 2u);
  Packet& same = one;
  one = std::move(same);
  EXPECT_TRUE(one) << "moving to itself keeps it";
}

TEST(Packet, LetsGoOfItsBufferOnlyOnRelease) {
  Buffers buffers(15);
  Packet one = buffers.packet(Octets(1));
  rte_mbuf* mbuf = one.release();
  EXPECT_FALSE(one);
  EXPECT_EQ(buffers.available(), 14u);
  rte_pktmbuf_free(mbuf);
}

TEST(Packet, ShowsItsBytes) {
  Buffers buffers(15);
  const Packet packet = buffers.packet({1, 2, 3});
  EXPECT_EQ(packet.length(), 3u);
  EXPECT_TRUE(packet.linear());
  EXPECT_EQ(Octets(packet.bytes().begin(), packet.bytes().end()), (Octets{1, 2, 3}));
}

TEST(Burst, OwnsItsPacketsUntilTheyAreTaken) {
  Buffers buffers(15);
  auto burst = std::make_unique<Burst>();
  for (int i = 0; i < 5; ++i) burst->add(buffers.packet(Octets(1)), PortIndex{0});
  const Packet taken = burst->take(2);
  EXPECT_EQ(buffers.available(), 10u);
  burst.reset();
  EXPECT_EQ(buffers.available(), 14u);
}

TEST(Burst, ForgetsWhatItsSlotsKnewOfEarlierPackets) {
  Buffers buffers(15);
  Burst burst;
  burst.add(buffers.packet(Octets(1)), PortIndex{0});
  burst[0].flow = 7;
  burst[0].fate = Fate::Forward;
  burst[0].fragments = 3;
  burst[0].vlan_changes = true;
  burst[0].tcp_flags = burst[0].icmp_type = burst[0].icmp_code = 9;
  burst.take(0);
  burst.clear();
  burst.add(buffers.packet(Octets(1)), PortIndex{1});
  EXPECT_EQ(burst[0].flow, kNoFlow);
  EXPECT_EQ(burst[0].fate, Fate::Open);
  EXPECT_EQ(burst[0].fragments, kNoFragments);
  EXPECT_FALSE(burst[0].vlan_changes);
  EXPECT_EQ(burst[0].tcp_flags + burst[0].icmp_type + burst[0].icmp_code, 0);
}

}  // namespace
}  // namespace postern::dataplane
