// SPDX-License-Identifier: Apache-2.0
#include "control/names.h"

#include <gtest/gtest.h>

#include "classify/app_ids.h"

namespace postern::control {
namespace {

TEST(Names, TheSameNameHasTheSameIdAndAnotherNameAnother) {
  Names names;
  const Zone trust = names.zone("trust");
  EXPECT_EQ(names.zone("trust"), trust);
  EXPECT_NE(names.zone("internal"), trust);
  EXPECT_EQ(names.zone_name(trust), "trust");
}

TEST(Names, ZeroMeansNone) {
  const Names names;
  EXPECT_EQ(names.zone_name(kNoZone), "");
  EXPECT_EQ(names.forwarding_name(ForwardingId{}), "");
  EXPECT_EQ(names.subject_name(SubjectId{}), "");
  EXPECT_EQ(names.application_name(kApplicationPending), "");
  EXPECT_EQ(names.application_name(kApplicationUnidentified), "unidentified");
  EXPECT_EQ(names.rule_name(kDefaultRule).name, "default");
  EXPECT_EQ(names.rule_name(kDefaultRule).pack, "");
}

TEST(Names, NothingGetsTheIdOfNone) {
  Names names;
  EXPECT_NE(names.zone("a"), kNoZone);
  EXPECT_NE(names.forwarding("a"), ForwardingId{});
  EXPECT_NE(names.subject("a"), SubjectId{});
  EXPECT_NE(names.rule({"a", "b", 0}), kDefaultRule);
}

TEST(Names, ApplicationsThatCodeKnowsHaveFixedIds) {
  Names names;
  EXPECT_EQ(names.application("tls"), classify::app::kTls);
  EXPECT_EQ(names.application("dns"), classify::app::kDns);
  EXPECT_EQ(names.application("icmp_echo"), classify::app::kIcmpEcho);
}

TEST(Names, OtherApplicationsStayAboveTheFixedIds) {
  Names names;
  EXPECT_GE(names.application("bmc_management").value, classify::app::kFirstCatalogueApp);
}

TEST(Names, ApplicationsRunOutWhereAFlowCannotRememberThem) {
  Names names;
  for (int i = classify::app::kFirstCatalogueApp; i <= classify::app::kLastCatalogueApp; ++i)
    ASSERT_EQ(names.application("app" + std::to_string(i)).value, i);
  EXPECT_EQ(names.application("one more"), kApplicationPending);
  EXPECT_EQ(names.application("app64").value, 64);
}

TEST(Names, RulesDifferByPackNameAndIndex) {
  Names names;
  const RuleId id = names.rule({"pack", "dns", 3});
  EXPECT_EQ(names.rule({"pack", "dns", 3}), id);
  EXPECT_NE(names.rule({"pack", "dns", 4}), id);
  EXPECT_NE(names.rule({"other", "dns", 3}), id);
  EXPECT_EQ(names.rule_name(id).name, "dns");
  EXPECT_EQ(names.rule_name(id).index, 3u);
}

TEST(Names, ZonesRunOutAfter254) {
  Names names;
  for (int i = 0; i < 254; ++i) ASSERT_NE(names.zone("zone" + std::to_string(i)), kNoZone);
  EXPECT_EQ(names.zone("one_more"), kNoZone);
  EXPECT_EQ(names.zone("zone7"), Zone{8});
}

TEST(Names, WiresAreNumberedFromZeroAndKnowTheirSides) {
  Names names;
  EXPECT_EQ(names.wire("front", "it", "management"), WireId{0});
  EXPECT_EQ(names.wire("back", "a", "b"), WireId{1});
  EXPECT_EQ(names.wire("front", "it", "management"), WireId{0});
  EXPECT_EQ(names.wire_name(WireId{1}), "back");
  EXPECT_EQ(names.side_name(WireId{0}, Side::Second), "management");
  EXPECT_EQ(names.side_name(WireId{9}, Side::First), "");
}

}  // namespace
}  // namespace postern::control
