// SPDX-License-Identifier: Apache-2.0
#include "classify/value_sets.h"

#include <gtest/gtest.h>

#include "policy_builder.h"

namespace postern::classify {
namespace {

TEST(PrefixSet, HoldsWhatItsPrefixesHold) {
  const PrefixSet set(
      {prefix("10.3.0.0/24"), prefix("10.1.0.0/16"), prefix("10.1.7.0/24"), prefix("fd00::/64")});
  for (const char* inside :
       {"10.1.0.0", "10.1.255.255", "10.1.7.1", "10.3.0.255", "fd00::1", "fd00::ffff:ffff:ffff:ffff"})
    EXPECT_TRUE(set.contains(address(inside))) << inside;
  for (const char* outside :
       {"10.0.255.255", "10.2.0.0", "10.3.1.0", "0.0.0.0", "255.255.255.255", "::", "fd00:0:0:1::", "fcff::"})
    EXPECT_FALSE(set.contains(address(outside))) << outside;
}

TEST(PrefixSet, DropsPrefixesThatAreInsideOthers) {
  const PrefixSet set(
      {prefix("10.1.7.0/24"), prefix("10.1.0.0/16"), prefix("10.1.0.0/24"), prefix("10.1.0.0/16")});
  EXPECT_EQ(set.prefixes(), std::vector<Prefix>{prefix("10.1.0.0/16")});
}

TEST(PrefixSet, WithoutPrefixesMatchesAllAndContainsNothing) {
  EXPECT_TRUE(PrefixSet().matches(address("10.0.0.1")));
  EXPECT_FALSE(PrefixSet().contains(address("10.0.0.1")));
}

TEST(PrefixSet, TheIpv6DefaultPrefixHoldsMappedAddressesToo) {
  EXPECT_TRUE(PrefixSet({prefix("::/0")}).contains(address("10.0.0.1")));
}

TEST(PortSet, JoinsRangesThatTouch) {
  const PortSet set({{20, 22}, {10, 15}, {16, 19}, {100, 200}, {150, 160}});
  EXPECT_EQ(set.ranges(), (std::vector<PortRange>{{10, 22}, {100, 200}}));
}

TEST(PortSet, MatchesTheEdgesOfItsRanges) {
  const PortSet set({{10, 15}, {65535, 65535}});
  for (const uint16_t inside : {10, 15, 65535}) EXPECT_TRUE(set.matches(inside)) << inside;
  for (const uint16_t outside : {0, 9, 16, 65534}) EXPECT_FALSE(set.matches(outside)) << outside;
  EXPECT_TRUE(PortSet().matches(7));
}

TEST(CoveringPrefix, IsTheLongestThatHoldsAll) {
  EXPECT_EQ(covering_prefix({prefix("10.1.2.0/24")}), prefix("10.1.2.0/24"));
  EXPECT_EQ(covering_prefix({prefix("10.1.2.0/24"), prefix("10.1.3.7")}), prefix("10.1.2.0/23"));
  EXPECT_EQ(covering_prefix({prefix("10.0.0.0/8"), prefix("fd00::/8")}), prefix("::/0"));
}

}  // namespace
}  // namespace postern::classify
