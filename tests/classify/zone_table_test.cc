// SPDX-License-Identifier: Apache-2.0
#include "classify/zone_table.h"

#include <gtest/gtest.h>

#include "policy_builder.h"

namespace postern::classify {
namespace {

constexpr Zone kInternet{4}, kLab{5};
constexpr WireId kFront{0}, kBack{3};

ZoneTable built(const std::vector<ZoneBinding>& bindings) {
  auto table = ZoneTable::build(bindings);
  if (!table) std::abort();
  return std::move(*table);
}

ZoneTable rack() {
  return built({{kTrust, kFront, Side::First, {}, {prefix("10.1.0.0/24"), prefix("fd01::/64")}},
                {kInternal, kFront, Side::First, 10, {prefix("10.2.0.0/24")}},
                {kLab, kFront, Side::First, 10, {prefix("10.1.0.0/24")}},
                {kInternet, kFront, Side::First, {}, {prefix("0.0.0.0/0")}},
                {kManagement, kFront, Side::Second, {}, {}}});
}

TEST(ZoneTable, TheLongestPrefixWins) {
  const ZoneTable zones = rack();
  EXPECT_EQ(zones.find(kFront, Side::First, 0, address("10.1.0.5")), kTrust);
  EXPECT_EQ(zones.find(kFront, Side::First, 0, address("10.1.1.5")), kInternet);
  EXPECT_EQ(zones.find(kFront, Side::First, 0, address("fd01::5")), kTrust);
}

TEST(ZoneTable, OfEqualPrefixesTheOneThatNamesTheVlanWins) {
  const ZoneTable zones = rack();
  EXPECT_EQ(zones.find(kFront, Side::First, 10, address("10.1.0.5")), kLab);
  EXPECT_EQ(zones.find(kFront, Side::First, 11, address("10.1.0.5")), kTrust);
}

TEST(ZoneTable, ALongerPrefixOfAnyVlanBeatsAShorterOneOfTheVlan) {
  const ZoneTable zones = built({{kTrust, kFront, Side::First, {}, {prefix("10.1.0.0/24")}},
                                 {kLab, kFront, Side::First, 10, {prefix("10.0.0.0/8")}}});
  EXPECT_EQ(zones.find(kFront, Side::First, 10, address("10.1.0.5")), kTrust);
  EXPECT_EQ(zones.find(kFront, Side::First, 10, address("10.2.0.5")), kLab);
}

TEST(ZoneTable, ABindingOfAVlanDoesNotFitOtherVlans) {
  const ZoneTable zones = rack();
  EXPECT_EQ(zones.find(kFront, Side::First, 10, address("10.2.0.5")), kInternal);
  EXPECT_EQ(zones.find(kFront, Side::First, 0, address("10.2.0.5")), kInternet);
}

TEST(ZoneTable, ABindingWithoutPrefixesFitsAnyAddress) {
  const ZoneTable zones = rack();
  EXPECT_EQ(zones.find(kFront, Side::Second, 7, address("203.0.113.9")), kManagement);
  EXPECT_EQ(zones.find(kFront, Side::Second, 0, address("2001:db8::1")), kManagement);
}

TEST(ZoneTable, WhatFitsNoBindingHasNoZone) {
  const ZoneTable zones = rack();
  EXPECT_EQ(zones.find(kFront, Side::First, 0, address("fd02::5")), kNoZone);
  EXPECT_EQ(zones.find(kBack, Side::First, 0, address("10.1.0.5")), kNoZone);
  EXPECT_EQ(built({}).find(kFront, Side::First, 0, address("10.1.0.5")), kNoZone);
}

TEST(ZoneTable, ManyPrefixesOfOneLengthAreToldApart) {
  std::vector<ZoneBinding> bindings;
  for (uint8_t i = 1; i < 200; ++i) {
    const uint8_t bytes[4] = {10, i, 0, 0};
    bindings.push_back({Zone{i}, kBack, Side::Second, {}, {Prefix{IpAddress::from_v4(bytes), 112}}});
  }
  const ZoneTable zones = built(bindings);
  EXPECT_EQ(zones.find(kBack, Side::Second, 0, address("10.1.255.255")), Zone{1});
  EXPECT_EQ(zones.find(kBack, Side::Second, 0, address("10.77.3.4")), Zone{77});
  EXPECT_EQ(zones.find(kBack, Side::Second, 0, address("10.200.3.4")), kNoZone);
}

TEST(ZoneTable, RefusesTwoZonesForTheSamePrefix) {
  const auto table = ZoneTable::build({{kTrust, kFront, Side::First, {}, {prefix("10.1.0.0/24")}, "trust"},
                                       {kLab, kFront, Side::First, {}, {prefix("10.1.0.0/24")}, "lab"}});
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().message,
            "zones 'trust' and 'lab' both claim 10.1.0.0/24 on the same side and VLAN; expected one of them");
}

TEST(ZoneTable, RefusesZoneZero) { EXPECT_FALSE(ZoneTable::build({{kNoZone, kFront, Side::First, {}, {}}})); }

}  // namespace
}  // namespace postern::classify
