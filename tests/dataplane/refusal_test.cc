// SPDX-License-Identifier: Apache-2.0
// Flows that the policy refuses when there are too many of them to keep a record of each.
#include <gtest/gtest.h>

#include <random>

#include "dataplane/refusal_budget.h"
#include "policies.h"
#include "tcp_talk.h"

namespace postern::dataplane {
namespace {

using classify::compiled;
using classify::kAnyApplication;
using classify::Policy;
using classify::Rule;
namespace app = classify::app;

const IpAddress kServer = ip("10.3.0.1");

LaneSetup with_budget(uint32_t refused_flows) {
  LaneSetup setup = lane_setup();
  setup.pipeline.refused_flows_per_second = refused_flows;
  return setup;
}

IpAddress host(unsigned number) {
  const uint8_t address[4] = {10, 1, static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
  return IpAddress::from_v4(address);
}

Octets syn_of(unsigned number, uint16_t port = 9) {
  TcpTalk talk;
  talk.client = host(number);
  talk.server_port = port;
  return talk.from_client(kSyn);
}

Policy deny_all(classify::Logging logging) {
  Policy policy = wire_policy();
  add_wire_rule(policy, Action::Drop, kAnyApplication).logging = logging;
  return policy;
}

TEST(RefusalBudget, HasAShareForEverySourceAndRenewsItselfEachSecond) {
  RefusalBudget budget(160, 1);
  const Timestamp now = 5 * kSecond;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(budget.used_up(host(1), now));
    budget.spend(host(1), now);
  }
  EXPECT_TRUE(budget.used_up(host(1), now));
  EXPECT_FALSE(budget.used_up(host(2), now)) << "one scanner must not hide another host";
  EXPECT_FALSE(budget.used_up(host(1), now + kSecond));
}

TEST(RefusalBudget, EndsForAllWhenTheSecondsRecordsAreSpent) {
  RefusalBudget budget(100, 1);
  for (unsigned i = 0; i < 100; ++i) budget.spend(host(i), kSecond);
  EXPECT_TRUE(budget.used_up(host(200), kSecond));
  EXPECT_FALSE(budget.used_up(host(200), 2 * kSecond));
}

TEST(RefusedFlow, LeavesNoRecordWhenTheBudgetIsUsedUp) {
  Lane lane(compiled(wire_policy()), with_budget(32));
  for (unsigned i = 0; i < 100; ++i) lane.receive(kFirstSide, syn_of(i));
  EXPECT_EQ(lane.pipeline().flows().size(), 32u);
  EXPECT_EQ(lane.counters.flows_unrecorded.value(), 68u);
  EXPECT_EQ(lane.dropped(DropReason::PolicyDefault), 100u);
  lane.now += kSecond;
  lane.receive(kFirstSide, syn_of(500));
  EXPECT_EQ(lane.pipeline().flows().size(), 33u);
}

TEST(RefusedFlow, WithoutRecordCountsForItsRule) {
  Lane lane(compiled(deny_all({.start = true})), with_budget(0));
  const Octets syn = syn_of(1);
  lane.receive_burst({{kFirstSide, syn}, {kFirstSide, syn_of(2)}});
  EXPECT_EQ(lane.dropped(DropReason::PolicyRule), 2u);
  const RuleCounters& rule = lane.counters.rules[lane.snapshot().policy().rules[0].id.value];
  EXPECT_EQ(rule.flows.value(), 2u);
  EXPECT_EQ(rule.packets.value(), 2u);
  EXPECT_EQ(rule.bytes.value(), 2 * syn.size());
}

TEST(RefusedFlow, WithoutRecordIsToldWithRuleAndZonesAtALimitedRate) {
  LaneSetup setup = with_budget(0);
  setup.pipeline.packet_drops_per_second = 3;
  Lane lane(compiled(deny_all({.start = true})), std::move(setup));
  for (unsigned i = 0; i < 10; ++i) lane.receive(kFirstSide, syn_of(i));
  lane.now += kSecond;
  lane.receive(kFirstSide, syn_of(11));
  const auto records = lane.records();
  ASSERT_EQ(records.size(), 4u);
  for (const LogRecord& record : records) {
    EXPECT_EQ(record.kind, RecordKind::PacketDrop);
    EXPECT_EQ(record.rule, lane.snapshot().policy().rules[0].id);
    EXPECT_EQ(record.source_zone, classify::kTrust);
    EXPECT_EQ(record.destination_zone, classify::kManagement);
    EXPECT_EQ(record.drop_reason, DropReason::PolicyRule);
    EXPECT_EQ(record.generation, lane.snapshot().generation());
  }
  EXPECT_EQ(records[3].source, host(11));
  EXPECT_EQ(records[3].destination_port, 9);
  EXPECT_EQ(records[3].suppressed, 7u);
}

TEST(RefusedFlow, WithoutRecordIsSilentWhereTheRuleLogsNothing) {
  Lane lane(compiled(deny_all({.start = false, .end = false})), with_budget(0));
  lane.receive(kFirstSide, syn_of(1));
  EXPECT_EQ(lane.dropped(DropReason::PolicyRule), 1u);
  EXPECT_TRUE(lane.records().empty());
}

TEST(RefusedFlow, WithoutRecordComesFromTheSideThatOpensIt) {
  Policy policy = wire_policy();
  Rule& rule = add_wire_rule(policy, Action::Allow, kAnyApplication);
  rule.source_zones = {classify::kManagement};
  rule.destination_zones = {classify::kTrust};
  Lane lane(compiled(std::move(policy)), with_budget(0));
  EXPECT_EQ(lane.verdict(kFirstSide, udp_frame(host(1), kServer, 7, 9, "x")), DropReason::PolicyDefault);
  EXPECT_TRUE(lane.passes(kSecondSide, udp_frame(kServer, host(1), 9, 7, "x")));
}

TEST(RefusedFlow, LeavesHalfOpenFlowsOfOthersAlone) {
  Policy policy = wire_policy();
  add_wire_rule(policy, Action::Allow, kAnyApplication).ports = {{443, 443}};
  policy.rules[0].protocol = classify::kTcp;
  Lane lane(compiled(std::move(policy)), with_budget(16));
  TcpTalk talk;
  ASSERT_TRUE(lane.passes(kFirstSide, talk.from_client(kSyn)));
  for (unsigned i = 0; i < 4096; ++i) lane.receive(kFirstSide, syn_of(i));
  EXPECT_EQ(lane.counters.half_open_evicted.value(), 0u);
  EXPECT_TRUE(lane.passes(kSecondSide, talk.from_server(kSyn | kAck)));
}

TEST(RefusedFlow, IsRecordedWhileSomebodyTracesIt) {
  Lane lane(compiled(wire_policy()), with_budget(0));
  TraceRing ring(64);
  TraceTarget target;
  target.address[0] = host(1);
  target.address[1] = kServer;
  target.port[0] = 40000;
  target.port[1] = 9;
  target.protocol = classify::kTcp;
  lane.pipeline().trace().follow(target, ring);
  lane.receive_burst({{kFirstSide, syn_of(1)}, {kFirstSide, syn_of(2)}});
  EXPECT_EQ(lane.pipeline().flows().size(), 1u);
}

// What a lane without budget does with the first packet of a flow is what one with records for all does.
TEST(RefusedFlow, GetsTheVerdictThatItsRecordWouldHave) {
  constexpr unsigned kSeed = 20261121, kFlows = 4000;
  std::mt19937 random(kSeed);
  const auto below = [&random](unsigned n) { return static_cast<unsigned>(random() % n); };
  unsigned unrecorded = 0, passed = 0;
  for (const AppId application : {app::kTls, app::kDns, app::kSlp, classify::kBmcManagement,
                                  classify::kClearTextMgmt, classify::kPortOnly, kAnyApplication}) {
    const auto policy = [application] {
      Policy made = wire_policy();
      add_wire_rule(made, Action::Allow, application).service = classify::Service::ApplicationDefault;
      add_wire_rule(made, Action::Drop, kAnyApplication).ports = {{400, 700}};
      made.rules[0].source_zones = {classify::kTrust};
      if (application == kAnyApplication) made.rules[0].ports = {{20, 30}};
      for (Rule& rule : made.rules) rule.protocol = rule.ports.empty() ? uint8_t{0} : classify::kTcp;
      return made;
    };
    Lane bare(compiled(policy()), with_budget(0)), full(compiled(policy()), with_budget(0xffffffff));
    for (unsigned i = 0; i < kFlows / 7; ++i) {
      static constexpr uint16_t kPorts[] = {22, 25, 53, 115, 427, 443, 500, 623, 5988, 9005, 9999};
      const uint16_t port = kPorts[below(std::size(kPorts))];
      const IpAddress client = below(10) == 0 ? ip("10.9.0.1") : host(below(60000));
      const bool reversed = below(4) == 0;
      const IpAddress &source = reversed ? kServer : client, &destination = reversed ? client : kServer;
      TcpTalk talk;
      talk.client = source;
      talk.server = destination;
      talk.server_port = port;
      const Octets frame =
          below(2) == 0 ? talk.from_client(kSyn) : udp_frame(source, destination, 40000, port, "?");
      const PortIndex side = reversed ? kSecondSide : kFirstSide;
      const DropReason expected = full.verdict(side, frame);
      ASSERT_EQ(bare.verdict(side, frame), expected)
          << "application " << application.value << ", port " << port << ", flow " << i;
      passed += expected == DropReason::None;
      full.age(3600 * kSecond);
      bare.age(3600 * kSecond);
    }
    unrecorded += static_cast<unsigned>(bare.counters.flows_unrecorded.value());
  }
  EXPECT_GT(unrecorded, 1000u);
  EXPECT_GT(passed, 300u);
}

}  // namespace
}  // namespace postern::dataplane
