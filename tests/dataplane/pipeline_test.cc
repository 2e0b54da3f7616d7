// SPDX-License-Identifier: Apache-2.0
// What the last three steps do together: decide, inspect, dispatch.
#include "dataplane/pipeline.h"

#include <gtest/gtest.h>

#include "policies.h"
#include "tcp_talk.h"
#include "tests/classify/tls_hello_builder.h"

namespace postern::dataplane {
namespace {

using classify::ExceptionAction;
using classify::kAnyApplication;
using classify::kUdp;
using classify::Policy;
namespace app = classify::app;

const IpAddress kClient = ip("10.1.0.5"), kServer = ip("10.3.0.1");

Octets datagram(uint16_t port, std::string_view payload = "x") {
  return udp_frame(kClient, kServer, 7, port, payload);
}
Octets answer_from(uint16_t port) { return udp_frame(kServer, kClient, port, 7, "y"); }

// The pending budget.

Policy tls_within(classify::PendingBudget budget, uint32_t generation = 1) {
  Policy policy = allow_only(app::kTls, generation);
  policy.pending = budget;
  return policy;
}

TEST(Pending, PassesNoMorePacketsThanTheBudget) {
  Lane lane(compiled(tls_within({.packets = 8})));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  for (int i = 3; i < 8; ++i) EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck)));
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck)), DropReason::ApplicationUnknown);
  EXPECT_EQ(lane.verdict(kSecondSide, talk.from_server(kAck)), DropReason::ApplicationUnknown);
}

TEST(Pending, PassesNoMorePacketsThanTheBudgetWhenTheyComeAtOnce) {
  Lane lane(compiled(tls_within({.packets = 8})));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  std::vector<Lane::In> burst;
  for (int i = 0; i < 32; ++i) burst.emplace_back(kFirstSide, talk.from_client(kAck));
  lane.receive_burst(burst);
  EXPECT_LE(lane.output.sent.size(), 8u);
}

TEST(Pending, PassesNoMoreBytesThanTheBudgetAndOnePacket) {
  Lane lane(compiled(tls_within({.packets = 1000, .bytes = 1000})));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  std::vector<Lane::In> burst;
  // The start of a hello that claims to be long, again and again: it never becomes known.
  const std::string start = classify::hex("16 0301 4000 01 003ffc 0303") + std::string(300, 'r');
  for (int i = 0; i < 20; ++i) {
    burst.emplace_back(kFirstSide, talk.client_frame(talk.next_of_client(kAck, start.substr(0, 3))));
    burst.emplace_back(kFirstSide, talk.from_client(kAck));
  }
  lane.receive_burst(burst);
  for (int i = 0; i < 20; ++i) lane.receive(kFirstSide, talk.from_client(kAck));
  uint64_t bytes = 0;
  for (const auto& sent : lane.output.sent) bytes += sent.frame.size();
  EXPECT_GE(bytes, 150u);
  EXPECT_LT(bytes, 1000u + 57);
}

TEST(Pending, EndsWithTime) {
  Lane lane(compiled(tls_within({.packets = 1000, .bytes = 1u << 20, .seconds = 10})));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  lane.now += 9 * kSecond;
  EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck)));
  lane.now += 2 * kSecond;
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck)), DropReason::ApplicationUnknown);
}

TEST(Pending, BecomesAllowedByTheBytesThatFit) {
  Lane lane(compiled(tls_within({})));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck | kPsh, classify::usual_hello())));
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck, std::string(1000, 'e'))));
}

TEST(Pending, BecomesDroppedByTheBytesThatDoNotAndThePacketItselfObeys) {
  Lane lane(compiled(tls_within({})));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck | kPsh, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")),
            DropReason::PolicyDefault);
}

TEST(Pending, StaysSoWhateverTheServerSaysUntilTheClientHasSpoken) {
  Lane lane(compiled(tls_within({})));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  EXPECT_TRUE(lane.passes(kSecondSide, talk.from_server(kAck | kPsh, "220 mail.example ESMTP\r\n")));
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck | kPsh, "EHLO client.example\r\n")),
            DropReason::PolicyDefault);
}

TEST(Pending, EndsWithWhatTheServerSaysWhenItFits) {
  Lane lane(compiled(tls_within({})));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  EXPECT_EQ(lane.verdict(kSecondSide, talk.from_server(kAck | kPsh, "SSH-2.0-OpenSSH_9.2\r\n")),
            DropReason::PolicyDefault);
}

TEST(Pending, PassesWhenUnknownApplicationsMay) {
  Policy policy = tls_within({.packets = 3});
  policy.exceptions.application_unknown = ExceptionAction::Pass;
  Lane lane(compiled(policy));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck)));
  // A new policy with the same words changes nothing for a flow that is under way.
  policy.generation = Generation{2};
  lane.publish(compiled(policy));
  EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck)));
  EXPECT_EQ(lane.counters.flows_ended.value(), 0u);
}

TEST(Pending, KeepsItsReasonUnderANewPolicy) {
  Lane lane(compiled(tls_within({.packets = 3})));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck)), DropReason::ApplicationUnknown);
  lane.publish(compiled(tls_within({.packets = 3}, 2)));
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck)), DropReason::ApplicationUnknown);
}

TEST(Pending, ExceptionDoesNotHelpWhereNoRuleMightAllow) {
  Policy policy = tls_within({.packets = 3});
  policy.exceptions.application_unknown = ExceptionAction::Pass;
  Lane lane(compiled(policy));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  ASSERT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck)));
  policy.generation = Generation{2};
  policy.rules.clear();
  lane.publish(compiled(policy));
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck)), DropReason::PolicyDefault);
}

TEST(Pending, NeverStartsWhereNoRuleCouldAllow) {
  Policy policy = allow_only(app::kTls);
  policy.rules[0].service = classify::Service::ApplicationDefault;  // 443 and 8443
  Lane lane(compiled(std::move(policy)));
  TcpTalk talk;
  talk.server_port = 22;
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kSyn)), DropReason::PolicyDefault);
}

// New policies.

Policy with_port_rule(Action action, uint16_t port, uint32_t generation) {
  Policy policy = wire_policy(generation);
  classify::Rule& rule = add_wire_rule(policy, action, kAnyApplication);
  rule.protocol = kUdp;
  rule.ports = {{port, port}};
  return policy;
}

TEST(NewPolicy, DropsAFlowThatWasAllowedAndLogsBothSessions) {
  Lane lane(compiled(with_port_rule(Action::Allow, 53, 1)));
  ASSERT_TRUE(lane.passes(kFirstSide, datagram(53)));
  ASSERT_TRUE(lane.passes(kSecondSide, answer_from(53)));
  lane.publish(compiled(with_port_rule(Action::Drop, 53, 2)));
  EXPECT_EQ(lane.verdict(kFirstSide, datagram(53)), DropReason::PolicyRule);
  EXPECT_EQ(lane.verdict(kSecondSide, answer_from(53)), DropReason::PolicyRule);
  const auto ends = lane.records(RecordKind::FlowEnd);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].action, Action::Allow);
  EXPECT_EQ(ends[0].generation, Generation{1});
  EXPECT_EQ(ends[0].end_reason, EndReason::PolicyDeny);
  EXPECT_EQ(ends[0].packets[0], 1u);
  EXPECT_EQ(ends[0].packets[1], 1u);
  lane.age(100 * kSecond);
  const auto later = lane.records(RecordKind::FlowEnd);
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0].action, Action::Drop);
  EXPECT_EQ(later[0].dropped_packets, 2u);
  EXPECT_EQ(later[0].packets[0], 0u) << "the second session forwarded nothing";
}

TEST(NewPolicy, AllowsAFlowThatWasDropped) {
  Lane lane(compiled(with_port_rule(Action::Drop, 53, 1)));
  EXPECT_EQ(lane.verdict(kFirstSide, datagram(53)), DropReason::PolicyRule);
  lane.publish(compiled(with_port_rule(Action::Allow, 53, 2)));
  EXPECT_TRUE(lane.passes(kFirstSide, datagram(53)));
  lane.publish(compiled(with_port_rule(Action::Drop, 53, 3)));
  EXPECT_EQ(lane.verdict(kFirstSide, datagram(53)), DropReason::PolicyRule);
  EXPECT_EQ(lane.counters.flows_created.value(), 1u);
}

TEST(NewPolicy, KeepsCountingWhereTheVerdictStays) {
  Lane lane(compiled(allow_all(1)));
  ASSERT_TRUE(lane.passes(kFirstSide, datagram(53)));
  for (uint32_t generation = 2; generation < 100; ++generation) {
    lane.publish(compiled(allow_all(generation)));
    ASSERT_TRUE(lane.passes(kFirstSide, datagram(53)));
  }
  EXPECT_TRUE(lane.records(RecordKind::FlowEnd).empty());
  lane.age(100 * kSecond);
  const auto ends = lane.records(RecordKind::FlowEnd);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].packets[0], 99u);
}

TEST(NewPolicy, RemembersTheApplicationThatWasIdentified) {
  Lane lane(compiled(allow_only(app::kTls, 1)));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  ASSERT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck | kPsh, classify::usual_hello())));
  lane.publish(compiled(allow_only(app::kSsh, 2)));
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck, "x")), DropReason::PolicyDefault);
  lane.publish(compiled(allow_only(app::kTls, 3)));
  EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck, "x")));
}

// Questions to groups.

TEST(Questions, AreAnsweredByStrangersThroughAnotherWorker) {
  const IpAddress group = ip("239.255.255.253"), stranger = ip("10.3.0.77");
  Policy policy = allow_only(app::kSlp);
  policy.zones.push_back({.zone = classify::kManagement,
                          .wire = WireId{0},
                          .side = Side::Second,
                          .vlan = {},
                          .prefixes = {classify::prefix("239.255.255.253/32")},
                          .name = "management"});
  // The answer must not be allowed for its own sake.
  policy.rules[0].source_zones = {classify::kTrust};
  policy.rules[0].destination_zones = {classify::kManagement};
  std::vector<QuestionTable> questions(2);
  LaneSetup first_setup = lane_setup(), second_setup = lane_setup();
  first_setup.questions = second_setup.questions = &questions;
  second_setup.own = 1;
  second_setup.pipeline.refused_flows_per_second = 0;  // also where no records are made
  Lane asking(compiled(policy), std::move(first_setup));
  Lane answering(compiled(policy), std::move(second_setup));

  // Service request and reply of RFC 2608, short forms.
  const std::string request = classify::hex(
      "02 01 000029 0000 000000 1234 0002 656e 0000 0008 61 3a 62 3a 63 3a 64 65 0000 0000 0000");
  const std::string sized_request = [&] {
    std::string text = request;
    text[4] = static_cast<char>(text.size());
    return text;
  }();
  const std::string reply = classify::hex("02 02 000014 0000 000000 1234 0002 656e 0000 0000");
  const Octets answer = udp_frame(stranger, kClient, 427, 7, reply);
  EXPECT_EQ(answering.verdict(kSecondSide, answer), DropReason::PolicyDefault) << "nobody asked yet";
  answering.age(60 * kSecond);

  ASSERT_TRUE(asking.passes(kFirstSide, udp_frame(kClient, group, 7, 427, sized_request)));
  answering.now = asking.now + kSecond;
  EXPECT_TRUE(answering.passes(kSecondSide, answer));
  EXPECT_EQ(answering.verdict(kSecondSide, udp_frame(stranger, kClient, 427, 8, reply)),
            DropReason::PolicyDefault)
      << "another port asked nothing";
  EXPECT_EQ(answering.verdict(kSecondSide, udp_frame(stranger, ip("10.1.0.6"), 427, 7, reply)),
            DropReason::PolicyDefault);
  answering.now = asking.now + 16 * kSecond;
  EXPECT_EQ(answering.verdict(kSecondSide, udp_frame(ip("10.3.0.78"), kClient, 427, 7, reply)),
            DropReason::PolicyDefault)
      << "too late";
}

// Exceptions of inspection.

TEST(Exceptions, OfInspectionDropPassOrBypass) {
  Policy policy = allow_all();
  policy.rules[0].profiles = classify::kIps;
  const auto verdict_under = [&](ExceptionAction action, uint32_t generation) {
    policy.generation = Generation{generation};
    policy.exceptions.inspection_unavailable = action;
    Lane lane(compiled(policy));
    const DropReason reason = lane.verdict(kFirstSide, datagram(53));
    lane.age(100 * kSecond);
    const auto ends = lane.records(RecordKind::FlowEnd);
    EXPECT_EQ(ends.size(), 1u);
    EXPECT_EQ(ends.at(0).inspection, InspectionStatus::None);
    EXPECT_EQ(ends.at(0).inspection_reason,
              action == ExceptionAction::Drop ? InspectionReason::Dropped : InspectionReason::EngineAbsent);
    return reason;
  };
  EXPECT_EQ(verdict_under(ExceptionAction::Drop, 1), DropReason::InspectionUnavailable);
  EXPECT_EQ(verdict_under(ExceptionAction::Pass, 2), DropReason::None);
  EXPECT_EQ(verdict_under(ExceptionAction::Bypass, 3), DropReason::None);
}

TEST(Exceptions, OfDecryptionDropPassOrBypass) {
  Policy policy = allow_only(app::kTls);
  policy.rules[0].decryption = classify::DecryptionMode::SslInboundInspection;
  for (const auto action : {ExceptionAction::Drop, ExceptionAction::Pass, ExceptionAction::Bypass}) {
    policy.exceptions.decryption_unavailable = action;
    Lane lane(compiled(policy));
    TcpTalk talk;
    ASSERT_TRUE(talk.open(lane));
    const DropReason expected =
        action == ExceptionAction::Drop ? DropReason::DecryptionUnavailable : DropReason::None;
    EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck | kPsh, classify::usual_hello())), expected);
    lane.age(7200 * kSecond);
    const auto ends = lane.records(RecordKind::FlowEnd);
    ASSERT_EQ(ends.size(), 1u);
    EXPECT_EQ(ends[0].decrypt_result, DecryptResult::Unavailable);
  }
}

// What of a flow was judged, as its last record says.

InspectionStatus coverage(Policy policy, const std::string& first_bytes) {
  Lane lane(compiled(std::move(policy)));
  TcpTalk talk;
  EXPECT_TRUE(talk.open(lane));
  lane.receive(kFirstSide, talk.from_client(kAck | kPsh, first_bytes));
  lane.now += 11 * kSecond;
  lane.receive(kFirstSide, talk.from_client(kAck));
  lane.age(7200 * kSecond);
  const auto ends = lane.records(RecordKind::FlowEnd);
  EXPECT_EQ(ends.size(), 1u);
  return ends.at(0).inspection;
}

TEST(Coverage, IsPartialWhenTheBudgetEndsAndAnExceptionPassesTheRest) {
  Policy policy = allow_only(app::kTls);
  policy.exceptions.application_unknown = ExceptionAction::Pass;
  EXPECT_EQ(coverage(std::move(policy), "\x16"), InspectionStatus::Partial);
}

TEST(Coverage, IsMetadataOfWhatIsExcludedFromDecryptionThoughNoProfileAsks) {
  Policy policy = allow_only(app::kTls);
  EXPECT_EQ(coverage(policy, classify::usual_hello()), InspectionStatus::None);
  policy.rules[0].exclusions = {"cert_pinned_app"};
  EXPECT_EQ(coverage(std::move(policy), classify::usual_hello()), InspectionStatus::MetadataOnly);
}

TEST(Coverage, IsMetadataOfApplicationsThatAreFoundInsideTls) {
  Policy policy = allow_all();
  classify::Signature inside;
  inside.application = app::kSlp;
  inside.layer = classify::Layer::Tls;
  inside.pattern = "(?m)^version=";
  policy.signatures.push_back(inside);
  policy.exceptions.inspection_unavailable = ExceptionAction::Pass;
  policy.rules[0].profiles = classify::kIps;
  EXPECT_EQ(coverage(std::move(policy), classify::usual_hello()), InspectionStatus::MetadataOnly);
}

TEST(Exceptions, OfMalformedFramesPassThemWithoutAFlow) {
  Policy policy = allow_all();
  policy.exceptions.malformed = ExceptionAction::Pass;
  Lane lane(compiled(policy));
  Octets frame = datagram(53);
  frame.back() ^= 1;
  EXPECT_TRUE(lane.passes(kFirstSide, frame));
  EXPECT_EQ(lane.pipeline().flows().size(), 0u);
  const Octets source_route = ethernet_ip(
      ip_packet(kClient, kServer, 17, udp(kClient, kServer, 1, 2, "x"), {.options = {131, 3, 4, 0}}));
  EXPECT_EQ(lane.verdict(kFirstSide, source_route), DropReason::IpSourceRoute) << "no word lets this pass";
}

// Dispatch.

TEST(Dispatch, MeasuresEveryFragmentAgainstTheLongestFrame) {
  LaneSetup setup = lane_setup();
  setup.pipeline.max_frame = 200;
  const Octets segment = udp(kClient, kServer, 1, 2, std::string(600, 'x'));
  const auto piece = [&](size_t begin, size_t end) {
    return ethernet_ip(ip_packet(kClient, kServer, 17, Octets(segment.begin() + begin, segment.begin() + end),
                                 {.offset = begin, .more = end != segment.size()}));
  };
  Lane lane(compiled(allow_all()), std::move(setup));
  lane.receive(kFirstSide, piece(0, 80));
  lane.receive(kFirstSide, piece(80, 560));  // too long
  lane.receive(kFirstSide, piece(560, 608));
  for (const auto& sent : lane.output.sent) EXPECT_LE(sent.frame.size(), 200u);
  EXPECT_GE(lane.dropped(DropReason::MtuExceeded), 1u);
}

TEST(Dispatch, SendsTheLongestFrameAndNoLongerOne) {
  LaneSetup setup = lane_setup();
  setup.pipeline.max_frame = 200;
  Lane lane(compiled(allow_all()), std::move(setup));
  const size_t headers = 14 + 20 + 8;
  EXPECT_TRUE(lane.passes(kFirstSide, datagram(53, std::string(200 - headers, 'x'))));
  EXPECT_EQ(lane.verdict(kFirstSide, datagram(53, std::string(201 - headers, 'x'))), DropReason::MtuExceeded);
}

TEST(Dispatch, CountsWhatAFullPortLeaves) {
  Lane lane(compiled(allow_all()));
  lane.output.room = 3;
  std::vector<Lane::In> burst;
  for (uint16_t port = 1; port <= 10; ++port) burst.emplace_back(kFirstSide, datagram(port));
  lane.receive_burst(burst);
  EXPECT_EQ(lane.counters.sent.value(), 3u);
  EXPECT_EQ(lane.dropped(DropReason::TxFull), 7u);
  EXPECT_EQ(lane.counters.ports[1].sent_packets.value(), 3u);
  EXPECT_EQ(lane.counters.ports[1].sent_bytes.value(), 3 * datagram(1).size());
}

TEST(Dispatch, SendsNothingToAPortWithoutLink) {
  Lane lane(compiled(allow_all()));
  lane.output.up[1] = false;
  EXPECT_EQ(lane.verdict(kFirstSide, datagram(53)), DropReason::PortDown);
  EXPECT_TRUE(lane.passes(kSecondSide, udp_frame(kServer, kClient, 9, 9, "the other way")));
}

TEST(Dispatch, KeepsTheOrderOfEachDirection) {
  Lane lane(compiled(allow_all()));
  std::vector<Lane::In> burst;
  for (uint16_t port = 1; port <= 60; ++port)
    burst.emplace_back(port % 3 == 0 ? kSecondSide : kFirstSide,
                       port % 3 == 0 ? udp_frame(kServer, kClient, port, 9, "x") : datagram(port));
  lane.receive_burst(burst);
  ASSERT_EQ(lane.output.sent.size(), 60u);
  for (const PortIndex in : {kFirstSide, kSecondSide}) {
    std::vector<Octets> came, left;
    for (const auto& [port, frame] : burst)
      if (port.value == in.value) came.push_back(frame);
    for (const auto& sent : lane.output.sent)
      if (sent.port.value == in.opposite().value) left.push_back(sent.frame);
    EXPECT_EQ(came, left);
  }
}

TEST(Dispatch, SendsMoreFragmentsThanItStagesAtOnce) {
  LaneSetup setup = lane_setup();
  setup.pipeline.fragments.per_datagram = 1000;
  Lane lane(compiled(allow_all()), std::move(setup));
  const Octets segment = udp(kClient, kServer, 1, 2, std::string(8 * 600 - 8, 'x'));
  for (size_t at = 0; at < segment.size(); at += 8)
    lane.receive(kFirstSide, ethernet_ip(ip_packet(kClient, kServer, 17,
                                                   Octets(segment.begin() + at, segment.begin() + at + 8),
                                                   {.offset = at, .more = at + 8 != segment.size()})));
  EXPECT_EQ(lane.output.sent.size(), 600u);
  EXPECT_EQ(lane.dropped(), 0u);
}

// The log.

TEST(Log, CountsRecordsThatFoundNoRoom) {
  LaneSetup setup = lane_setup();
  setup.log_records = 4;
  Lane lane(compiled(wire_policy()), std::move(setup));
  for (uint16_t port = 1; port <= 10; ++port) lane.receive(kFirstSide, datagram(port));
  EXPECT_EQ(lane.counters.log_records_lost.value(), 6u);
  EXPECT_EQ(lane.records().size(), 4u);
}

TEST(Log, TellsOfPacketDropsAFewTimesASecondAndThenHowManyWereSilent) {
  LaneSetup setup = lane_setup();
  setup.pipeline.packet_drops_per_second = 3;
  Lane lane(compiled(allow_all()), std::move(setup));
  for (int i = 0; i < 10; ++i) lane.receive(kFirstSide, Octets(13));
  EXPECT_EQ(lane.records(RecordKind::PacketDrop).size(), 3u);
  lane.now += kSecond;
  lane.receive(kFirstSide, Octets(13));
  const auto records = lane.records(RecordKind::PacketDrop);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].suppressed, 7u);
}

TEST(Log, ShowsNoTypeOfAnIcmpPacketThatHasNone) {
  Lane lane(compiled(allow_all()));
  ASSERT_TRUE(lane.passes(kFirstSide, icmp_frame(kClient, kServer, 8, 0, 1)));
  lane.records();
  lane.receive(kFirstSide, ethernet_ip(ip_packet(kClient, kServer, 1, Octets(4))));
  const auto records = lane.records(RecordKind::PacketDrop);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].source_port, 0u) << "the type of an earlier packet";
}

}  // namespace
}  // namespace postern::dataplane
