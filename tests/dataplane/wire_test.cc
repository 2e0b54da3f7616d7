// SPDX-License-Identifier: Apache-2.0
#include "dataplane/wire.h"

#include <gtest/gtest.h>

#include "dataplane/burst.h"

namespace postern::dataplane {
namespace {

using Ids = std::map<uint16_t, uint16_t>;

TEST(VlanMap, ChangesNothingWhenEmpty) {
  const VlanMap map(Ids{});
  EXPECT_TRUE(map.empty());
  for (const uint16_t vlan : {0, 1, 10, 4095}) {
    EXPECT_EQ(map.translate(Side::First, vlan), vlan);
    EXPECT_EQ(map.translate(Side::Second, vlan), vlan);
  }
}

TEST(VlanMap, MapsBothWays) {
  const VlanMap map(Ids{{10, 110}, {11, 111}});
  EXPECT_FALSE(map.empty());
  EXPECT_EQ(map.translate(Side::First, 10), 110);
  EXPECT_EQ(map.translate(Side::Second, 110), 10);
  EXPECT_EQ(map.translate(Side::First, 11), 111);
  EXPECT_EQ(map.translate(Side::First, 12), 12) << "others stay";
  EXPECT_EQ(map.translate(Side::Second, 12), 12);
}

TEST(VlanMap, RefusesIdsThatBelongToTheOtherSide) {
  const VlanMap map(Ids{{10, 110}});
  EXPECT_EQ(map.translate(Side::First, 110), VlanMap::kUnmapped);
  EXPECT_EQ(map.translate(Side::Second, 10), VlanMap::kUnmapped);
}

TEST(VlanMap, MaySwapAndRotate) {
  const VlanMap swap(Ids{{10, 20}, {20, 10}});
  EXPECT_EQ(swap.translate(Side::First, 10), 20);
  EXPECT_EQ(swap.translate(Side::First, 20), 10);
  EXPECT_EQ(swap.translate(Side::Second, 10), 20);
  const VlanMap chain(Ids{{10, 20}, {20, 30}});
  EXPECT_EQ(chain.translate(Side::First, 20), 30);
  EXPECT_EQ(chain.translate(Side::Second, 20), 10);
  EXPECT_EQ(chain.translate(Side::First, 30), VlanMap::kUnmapped);
  EXPECT_EQ(chain.translate(Side::Second, 10), VlanMap::kUnmapped);
}

// Whatever crosses comes back as it was, and no two ids become one.
TEST(VlanMap, IsOneToOne) {
  const VlanMap map(Ids{{1, 2}, {2, 3}, {10, 10}, {100, 4000}});
  std::vector<bool> used(4096);
  for (uint16_t vlan = 0; vlan < 4096; ++vlan) {
    const uint16_t crossed = map.translate(Side::First, vlan);
    if (crossed == VlanMap::kUnmapped) continue;
    EXPECT_FALSE(used[crossed]) << vlan;
    used[crossed] = true;
    EXPECT_EQ(map.translate(Side::Second, crossed), vlan);
  }
}

TEST(PortIndex, NamesASideOfAWire) {
  for (uint8_t wire = 0; wire < 60; ++wire) {
    for (const Side side : {Side::First, Side::Second}) {
      const PortIndex port = PortIndex::of(WireId{wire}, side);
      EXPECT_EQ(port.wire(), WireId{wire});
      EXPECT_EQ(port.side(), side);
      EXPECT_EQ(port.opposite().wire(), WireId{wire});
      EXPECT_EQ(port.opposite().side(), other(side));
    }
  }
}

}  // namespace
}  // namespace postern::dataplane
