// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow_log.h"

#include <gtest/gtest.h>

#include <map>

#include "classify/policy.h"

namespace postern::dataplane {
namespace {

constexpr Timestamp kNow = 1'700'000'000 * kSecond;

class FlowLogging : public testing::Test {
 protected:
  FlowLogging() {
    hot_.key.protocol = classify::kTcp;
    hot_.key.address[0] = *IpAddress::parse("10.1.0.5");
    hot_.key.address[1] = *IpAddress::parse("10.3.0.10");
    hot_.key.port[0] = 49152;
    hot_.key.port[1] = 443;
    hot_.verdict = FlowVerdict::Allow;
    hot_.rule = RuleId{5};
    hot_.forwarding = ForwardingId{2};
    hot_.last_seen = static_cast<uint32_t>(kNow / kMillisecond);
    cold_.start_us = kNow / kMicrosecond;
    facts_.server_name.append("bmc7.example");
    facts_.sha1.fill(0xab);
  }

  std::vector<LogEvent> events() {
    std::vector<LogEvent> all(16);
    all.resize(ring_.read(all));
    return all;
  }

  LogRing ring_{16};
  Counters counters_;
  std::vector<VlanMap> vlan_maps_{VlanMap(std::map<uint16_t, uint16_t>{})};
  FlowLog log_{ring_, counters_, vlan_maps_, 100};
  FlowHot hot_;
  FlowCold cold_{};
  classify::TlsFacts facts_;
};

TEST_F(FlowLogging, WritesAHandshakeWithItsFlowAndItsFacts) {
  hot_.flags |= kLogEnd;
  log_.tls(hot_, cold_, facts_, kNow + kSecond);
  const auto written = events();
  ASSERT_EQ(written.size(), 1u);
  const LogRecord& record = written[0].record;
  EXPECT_EQ(record.kind, RecordKind::Tls);
  EXPECT_EQ(record.flow_id, flow_id_of(hot_.key, cold_.start_us));
  EXPECT_EQ(record.time, kNow + kSecond);
  EXPECT_EQ(record.destination_port, 443);
  EXPECT_EQ(record.rule, RuleId{5});
  EXPECT_EQ(record.forwarding, ForwardingId{2});
  EXPECT_EQ(record.action, Action::Allow);
  const auto facts = read_extra<classify::TlsFacts>(written[0].extra);
  EXPECT_EQ(facts.server_name.view(), "bmc7.example");
  EXPECT_EQ(facts.sha1, facts_.sha1);
}

TEST_F(FlowLogging, WritesAHandshakeOfARuleThatLogsOnlyStarts) {
  hot_.flags |= kLogStart;
  log_.tls(hot_, cold_, facts_, kNow);
  EXPECT_EQ(events().size(), 1u);
}

TEST_F(FlowLogging, IsSilentAboutAHandshakeOfARuleThatLogsNothing) {
  log_.tls(hot_, cold_, facts_, kNow);
  EXPECT_EQ(events().size(), 0u);
  EXPECT_EQ(counters_.log_records_lost.value(), 0u);
}

TEST_F(FlowLogging, WritesTheHandshakeOfEveryDroppedFlow) {
  hot_.verdict = FlowVerdict::Drop;
  hot_.reason = DropReason::PolicyRule;
  log_.tls(hot_, cold_, facts_, kNow);
  const auto written = events();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].record.action, Action::Drop);
  EXPECT_EQ(written[0].record.drop_reason, DropReason::PolicyRule);
}

TEST_F(FlowLogging, CountsAHandshakeThatFindsNoRoomOnce) {
  hot_.flags |= kLogStart | kLogEnd;
  const size_t fit = ring_.room() / LogRing::slots_of(sizeof(classify::TlsFacts));
  for (size_t i = 0; i < fit; ++i) log_.tls(hot_, cold_, facts_, kNow);
  EXPECT_EQ(counters_.log_records_lost.value(), 0u);
  log_.tls(hot_, cold_, facts_, kNow);
  EXPECT_EQ(counters_.log_records_lost.value(), 1u);
  log_.start(hot_, cold_, kNow);
  EXPECT_EQ(counters_.log_records_lost.value(), 1u) << "there is still room for a short record";
  EXPECT_EQ(events().size(), fit + 1);
}

TEST_F(FlowLogging, EndsAFlowWithAnUnfinishedHandshakeInTheRoomItSays) {
  hot_.flags |= kLogEnd;
  LogRing tight(FlowLog::kMostSlotsOfAnEnd);
  while (tight.room() > FlowLog::kMostSlotsOfAnEnd) ASSERT_TRUE(tight.push(LogRecord{}));
  FlowLog log(tight, counters_, vlan_maps_, 100);
  log.end(hot_, cold_, EndReason::Shutdown, kNow);
  log.tls(hot_, cold_, facts_, kNow);
  EXPECT_EQ(counters_.log_records_lost.value(), 0u);
  EXPECT_EQ(tight.room(), 0u);
}

TEST_F(FlowLogging, GivesOtherRecordsNoExtraBytes) {
  log_.start(hot_, cold_, kNow);
  log_.end(hot_, cold_, EndReason::TcpFin, kNow);
  for (const LogEvent& event : events()) EXPECT_TRUE(event.extra.empty());
}

}  // namespace
}  // namespace postern::dataplane
