// SPDX-License-Identifier: Apache-2.0
#include "dataplane/track.h"

#include <gtest/gtest.h>

#include "policies.h"
#include "tcp_talk.h"

namespace postern::dataplane {
namespace {

using classify::ExceptionAction;
using classify::Policy;

const IpAddress kClient = ip("10.1.0.5"), kServer = ip("10.3.0.1");

TcpTalk talk_from(uint16_t port) {
  TcpTalk talk;
  talk.client_port = port;
  return talk;
}

// A SYN of the flood: number -> its own address and port.
Octets flood_syn(unsigned number) {
  const uint8_t address[4] = {10, 1, static_cast<uint8_t>(1 + (number >> 8) % 250),
                              static_cast<uint8_t>(number)};
  TcpTalk talk = talk_from(static_cast<uint16_t>(1024 + number / 256));
  talk.client = IpAddress::from_v4(address);
  return talk.from_client(kSyn);
}

std::vector<Lane::In> flood(unsigned first, unsigned count) {
  std::vector<Lane::In> burst;
  for (unsigned i = 0; i < count; ++i) burst.emplace_back(kFirstSide, flood_syn(first + i));
  return burst;
}

TEST(Tracker, KeepsEveryEstablishedFlowThroughASynFlood) {
  constexpr uint32_t kCapacity = 1024;
  Lane lane(compiled(allow_all()), lane_setup(kCapacity));
  std::vector<TcpTalk> talks;
  for (uint16_t i = 0; i < 100; ++i) {
    talks.push_back(talk_from(static_cast<uint16_t>(20000 + i)));
    ASSERT_TRUE(talks.back().open(lane));
  }
  const uint64_t dropped_before = lane.dropped();
  for (unsigned sent = 0; sent < 10 * kCapacity; sent += 32) {
    lane.receive_burst(flood(sent, 32));
    TcpTalk& talk = talks[sent / 32 % talks.size()];
    ASSERT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck | kPsh, "question")));
    ASSERT_TRUE(lane.passes(kSecondSide, talk.from_server(kAck | kPsh, "answer")));
  }
  for (TcpTalk& talk : talks) EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck)));
  EXPECT_EQ(lane.dropped(), dropped_before);
  EXPECT_GT(lane.counters.half_open_evicted.value(), 8 * kCapacity);
  EXPECT_LE(lane.pipeline().tracker().half_open(), kCapacity / 4);
}

TEST(Tracker, KeepsEveryEstablishedFlowThroughAFloodOfUnansweredDatagrams) {
  Lane lane(compiled(allow_all()), lane_setup(256));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  for (uint16_t port = 1; port < 2560; ++port)
    ASSERT_TRUE(lane.passes(kFirstSide, udp_frame(kClient, kServer, port, 53, "x")));
  EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck, "still here")));
}

TEST(Tracker, GivesTheOldestHalfOpenFlowAwayFirst) {
  Lane lane(compiled(allow_all()), lane_setup(256));  // 64 of them half-open
  std::vector<TcpTalk> talks;
  for (uint16_t i = 0; i < 65; ++i) {
    talks.push_back(talk_from(static_cast<uint16_t>(1000 + i)));
    ASSERT_TRUE(lane.passes(kFirstSide, talks.back().from_client(kSyn)));
  }
  EXPECT_EQ(lane.counters.half_open_evicted.value(), 1u);
  EXPECT_EQ(lane.verdict(kSecondSide, talks[0].from_server(kSyn | kAck)), DropReason::Midstream);
  EXPECT_TRUE(lane.passes(kSecondSide, talks[1].from_server(kSyn | kAck)));
  EXPECT_TRUE(lane.passes(kSecondSide, talks[64].from_server(kSyn | kAck)));
}

TEST(Tracker, TellsTheLogThatAHalfOpenFlowHadToGo) {
  Lane lane(compiled(allow_all()), lane_setup(256));
  for (unsigned i = 0; i < 65; ++i) lane.receive(kFirstSide, flood_syn(i));
  const auto ends = lane.records(RecordKind::FlowEnd);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].end_reason, EndReason::Resources);
}

// A flooder who repeats its SYNs beside new ones must not make its flows immovable.
TEST(Tracker, LetsRepeatedSynsKeepNoPlaceForEver) {
  constexpr unsigned kShare = 64;
  Lane lane(compiled(allow_all()), lane_setup(4 * kShare));
  lane.receive_burst(flood(0, kShare));
  // First the oldest again beside a new one, then all the others: somebody must still be able to go.
  std::vector<Lane::In> oldest = flood(0, 48), others = flood(49, 15);
  oldest.emplace_back(kFirstSide, flood_syn(1000));
  others.emplace_back(kFirstSide, flood_syn(1000));
  others.emplace_back(kFirstSide, flood_syn(1001));
  lane.receive_burst(oldest);
  lane.receive_burst(others);
  EXPECT_EQ(lane.dropped(DropReason::HalfOpenFull), 0u);
  EXPECT_EQ(lane.dropped(), 0u);
}

// Answered flows leave the list of half-open ones behind; they must not push out others on their way out of
// it.
TEST(Tracker, EvictsNobodyWhileTheShareIsNotUsedUp) {
  Lane lane(compiled(allow_all()), lane_setup(1024));  // 256 half-open
  for (uint16_t round = 0; round < 300; ++round) {
    TcpTalk talk = talk_from(static_cast<uint16_t>(1000 + round));
    ASSERT_TRUE(talk.open(lane));
    if (round < 100) lane.receive(kFirstSide, flood_syn(round));
  }
  EXPECT_EQ(lane.counters.half_open_evicted.value(), 0u);
  EXPECT_EQ(lane.pipeline().tracker().half_open(), 100u);
}

TEST(Tracker, CountsHalfOpenFlowsExactly) {
  Lane lane(compiled(allow_all()));
  TcpTalk talk;
  lane.receive(kFirstSide, talk.from_client(kSyn));
  lane.receive(kFirstSide, udp_frame(kClient, kServer, 7, 53, "x"));
  EXPECT_EQ(lane.pipeline().tracker().half_open(), 2u);
  lane.receive(kSecondSide, talk.from_server(kSyn | kAck));
  EXPECT_EQ(lane.pipeline().tracker().half_open(), 2u) << "answered, but not confirmed";
  lane.receive(kFirstSide, talk.from_client(kAck));
  EXPECT_EQ(lane.pipeline().tracker().half_open(), 1u);
  lane.receive(kSecondSide, udp_frame(kServer, kClient, 53, 7, "y"));
  EXPECT_EQ(lane.pipeline().tracker().half_open(), 0u);
  lane.receive(kFirstSide, udp_frame(kClient, kServer, 8, 53, "x"));
  lane.age(3600 * kSecond);
  EXPECT_EQ(lane.pipeline().tracker().half_open(), 0u);
}

void fill_with_answered_flows(Lane& lane, uint16_t count) {
  for (uint16_t port = 1; port <= count; ++port) {
    ASSERT_TRUE(lane.passes(kFirstSide, udp_frame(kClient, kServer, port, 53, "x")));
    ASSERT_TRUE(lane.passes(kSecondSide, udp_frame(kServer, kClient, 53, port, "y")));
  }
}

TEST(Tracker, PassesPacketsWithoutFlowWhenTheFullTableSaysSo) {
  Policy policy = allow_all();
  policy.exceptions.flow_table_full = ExceptionAction::Pass;
  Lane lane(compiled(std::move(policy)), lane_setup(64));
  fill_with_answered_flows(lane, 64);
  EXPECT_TRUE(lane.passes(kFirstSide, udp_frame(kClient, kServer, 999, 53, "x")));
  EXPECT_EQ(lane.pipeline().flows().size(), 64u);
}

TEST(Tracker, DropsNewFlowsOfAFullTableAndKeepsTheOldOnes) {
  Lane lane(compiled(allow_all()), lane_setup(64));
  fill_with_answered_flows(lane, 64);
  EXPECT_EQ(lane.verdict(kFirstSide, udp_frame(kClient, kServer, 999, 53, "x")), DropReason::FlowTableFull);
  for (uint16_t port = 1; port <= 64; ++port)
    EXPECT_TRUE(lane.passes(kFirstSide, udp_frame(kClient, kServer, port, 53, "x")));
}

TEST(Tracker, TakesTheRoomOfAHalfOpenFlowWhenTheTableIsFull) {
  Lane lane(compiled(allow_all()), lane_setup(64));
  fill_with_answered_flows(lane, 63);
  EXPECT_TRUE(lane.passes(kFirstSide, udp_frame(kClient, kServer, 500, 53, "x")));
  EXPECT_TRUE(lane.passes(kFirstSide, udp_frame(kClient, kServer, 501, 53, "x")));
  EXPECT_EQ(lane.counters.half_open_evicted.value(), 1u);
}

TEST(Tracker, FindsTheFlowThatAnEarlierPacketOfTheBurstOpened) {
  Lane lane(compiled(allow_all()));
  TcpTalk talk;
  const Octets syn = talk.from_client(kSyn), answer = talk.from_server(kSyn | kAck),
               ack = talk.from_client(kAck, "x");
  lane.receive_burst({{kFirstSide, syn}, {kSecondSide, answer}, {kFirstSide, ack}});
  EXPECT_EQ(lane.output.sent.size(), 3u);
  EXPECT_EQ(lane.pipeline().flows().size(), 1u);
}

TEST(Tracker, RefusesAnswersToEchoesNobodySent) {
  Lane lane(compiled(allow_all()));
  EXPECT_EQ(lane.verdict(kSecondSide, icmp_frame(kServer, kClient, 0, 0, 0x00010001)),
            DropReason::IcmpUnrelated);
  EXPECT_TRUE(lane.passes(kFirstSide, icmp_frame(kClient, kServer, 8, 0, 0x00010001)));
  EXPECT_TRUE(lane.passes(kSecondSide, icmp_frame(kServer, kClient, 0, 0, 0x00010001)));
  EXPECT_EQ(lane.verdict(kSecondSide, icmp_frame(kServer, kClient, 0, 0, 0x00020001)),
            DropReason::IcmpUnrelated);
}

TEST(Tracker, TiesIcmpErrorsToTheFlowTheySpeakOf) {
  Lane lane(compiled(allow_all()));
  const Octets question = ip_packet(kClient, kServer, 17, udp(kClient, kServer, 7, 53, "x"));
  const Octets error = icmp_frame(ip("10.3.0.254"), kClient, 3, 1, 0, question);
  EXPECT_EQ(lane.verdict(kSecondSide, error), DropReason::IcmpUnrelated) << "before the flow exists";
  ASSERT_TRUE(lane.passes(kFirstSide, ethernet_ip(question)));
  EXPECT_TRUE(lane.passes(kSecondSide, error));
  EXPECT_EQ(lane.pipeline().flows().size(), 1u) << "an error opens no flow";
  const Octets other = ip_packet(kClient, kServer, 17, udp(kClient, kServer, 8, 53, "x"));
  EXPECT_EQ(lane.verdict(kSecondSide, icmp_frame(ip("10.3.0.254"), kClient, 3, 1, 0, other)),
            DropReason::IcmpUnrelated);
  EXPECT_EQ(lane.verdict(kFirstSide, icmp_frame(ip("10.1.0.254"), kServer, 3, 1, 0, question)),
            DropReason::IcmpUnrelated)
      << "from the asking side, quoting what its receiver never sent";
}

// Ageing.

struct Aged {
  const char* name;
  uint32_t classify::Timeouts::*timeout;
  void (*open)(Lane& lane);
};

void open_and_close(Lane& lane) {
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
  ASSERT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck | kFin)));
  ASSERT_TRUE(lane.passes(kSecondSide, talk.from_server(kAck | kFin)));
  ASSERT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck)));
}
void open_established(Lane& lane) {
  TcpTalk talk;
  ASSERT_TRUE(talk.open(lane));
}
void open_half(Lane& lane) { ASSERT_TRUE(lane.passes(kFirstSide, TcpTalk{}.from_client(kSyn))); }
void open_datagram(Lane& lane) {
  ASSERT_TRUE(lane.passes(kFirstSide, udp_frame(kClient, kServer, 7, 53, "x")));
}
void open_answered_datagram(Lane& lane) {
  open_datagram(lane);
  ASSERT_TRUE(lane.passes(kSecondSide, udp_frame(kServer, kClient, 53, 7, "y")));
}
void open_echo(Lane& lane) { ASSERT_TRUE(lane.passes(kFirstSide, icmp_frame(kClient, kServer, 8, 0, 1))); }
void open_other(Lane& lane) {
  ASSERT_TRUE(lane.passes(kFirstSide, ethernet_ip(ip_packet(kClient, kServer, 47, Octets(20)))));
}
void open_dropped(Lane& lane) {
  ASSERT_EQ(lane.verdict(kFirstSide, udp_frame(kClient, kServer, 7, 666, "x")), DropReason::PolicyRule);
}

class Ageing : public testing::TestWithParam<Aged> {};

TEST_P(Ageing, EndsTheFlowAfterItsTimeoutAndNotBefore) {
  Policy policy = wire_policy();
  // Every class has a time of its own, so that none is taken for another.
  policy.timeouts = {.tcp_half_open = 20,
                     .tcp_established = 30,
                     .tcp_closed = 40,
                     .udp_unreplied = 50,
                     .udp = 60,
                     .icmp = 70,
                     .drop = 80,
                     .other = 90};
  classify::Rule& refuse = add_wire_rule(policy, Action::Drop, classify::kAnyApplication);
  refuse.protocol = classify::kUdp;
  refuse.ports = {{666, 666}};
  add_wire_rule(policy, Action::Allow, classify::kAnyApplication);
  const uint32_t timeout = policy.timeouts.*GetParam().timeout;
  Lane lane(compiled(std::move(policy)));
  GetParam().open(lane);
  ASSERT_EQ(lane.pipeline().flows().size(), 1u);
  lane.age(timeout * kSecond - kMillisecond);
  EXPECT_EQ(lane.pipeline().flows().size(), 1u);
  lane.age(2 * kMillisecond);
  EXPECT_EQ(lane.pipeline().flows().size(), 0u);
  EXPECT_EQ(lane.records(RecordKind::FlowEnd).size(), 1u);
  EXPECT_EQ(lane.counters.flows_created.value(), lane.counters.flows_ended.value());
}

INSTANTIATE_TEST_SUITE_P(
    Timeouts, Ageing,
    testing::Values(Aged{"tcp_half_open", &classify::Timeouts::tcp_half_open, open_half},
                    Aged{"tcp_established", &classify::Timeouts::tcp_established, open_established},
                    Aged{"tcp_closed", &classify::Timeouts::tcp_closed, open_and_close},
                    Aged{"udp_unreplied", &classify::Timeouts::udp_unreplied, open_datagram},
                    Aged{"udp", &classify::Timeouts::udp, open_answered_datagram},
                    Aged{"icmp", &classify::Timeouts::icmp, open_echo},
                    Aged{"drop", &classify::Timeouts::drop, open_dropped},
                    Aged{"other", &classify::Timeouts::other, open_other}),
    [](const testing::TestParamInfo<Aged>& aged) { return std::string(aged.param.name); });

TEST(Tracker, LooksAtEveryRecordWithinTwoSeconds) {
  Lane lane(compiled(allow_all()), lane_setup(4096));
  for (unsigned i = 0; i < 900; ++i) lane.receive(kFirstSide, flood_syn(i));
  lane.pipeline().age(lane.now, lane.snapshot());
  lane.now += 10 * kSecond;
  for (int ms = 0; ms <= 2000; ++ms) lane.pipeline().age(lane.now += kMillisecond, lane.snapshot());
  EXPECT_EQ(lane.pipeline().flows().size(), 0u);
}

TEST(Tracker, SpendsNoMoreThanItsShareOnAgeing) {
  Lane lane(compiled(allow_all()), lane_setup(4096));
  for (unsigned i = 0; i < 1000; ++i) lane.receive(kFirstSide, flood_syn(i));
  lane.pipeline().age(lane.now, lane.snapshot());
  lane.now += 3600 * kSecond;
  lane.pipeline().age(lane.now, lane.snapshot());  // after a pause: one whole round at once, not more
  EXPECT_EQ(lane.pipeline().flows().size(), 0u);
  for (unsigned i = 0; i < 1000; ++i) lane.receive(kFirstSide, flood_syn(i));
  lane.now += 20 * kSecond;
  lane.pipeline().age(lane.now, lane.snapshot());
  EXPECT_EQ(lane.pipeline().flows().size(), 0u);
}

TEST(Tracker, KeepsAFlowThatGoesOnTalking) {
  Lane lane(compiled(allow_all()));
  open_answered_datagram(lane);
  for (int i = 0; i < 10; ++i) {
    lane.age(50 * kSecond);
    ASSERT_TRUE(lane.passes(kFirstSide, udp_frame(kClient, kServer, 7, 53, "x")));
  }
  EXPECT_EQ(lane.counters.flows_created.value(), 1u);
}

// Milliseconds of 32 bits wrap every 49.7 days.
TEST(Tracker, AgesRightAcrossTheWrapOfItsClock) {
  Lane lane(compiled(allow_all()));
  lane.now = (Timestamp{1} << 32) * kMillisecond * 400 - 5 * kSecond;
  open_answered_datagram(lane);
  lane.age(10 * kSecond);
  EXPECT_EQ(lane.pipeline().flows().size(), 1u);
  lane.age(51 * kSecond);
  EXPECT_EQ(lane.pipeline().flows().size(), 0u);
}

TEST(Tracker, SaysWhyAFlowEnded) {
  const auto end_of = [](auto&& story) {
    Lane lane(compiled(allow_all()));
    TcpTalk talk;
    EXPECT_TRUE(talk.open(lane));
    story(lane, talk);
    lane.age(7200 * kSecond);
    const auto ends = lane.records(RecordKind::FlowEnd);
    return ends.size() == 1 ? ends[0].end_reason : EndReason::None;
  };
  EXPECT_EQ(end_of([](Lane&, TcpTalk&) {}), EndReason::AgedOut);
  EXPECT_EQ(end_of([](Lane& lane, TcpTalk& talk) { lane.receive(kFirstSide, talk.from_client(kRst)); }),
            EndReason::TcpRstClient);
  EXPECT_EQ(end_of([](Lane& lane, TcpTalk& talk) { lane.receive(kSecondSide, talk.from_server(kRst)); }),
            EndReason::TcpRstServer);
  EXPECT_EQ(end_of([](Lane& lane, TcpTalk& talk) {
              lane.receive(kFirstSide, talk.from_client(kFin | kAck));
              lane.receive(kSecondSide, talk.from_server(kFin | kAck));
            }),
            EndReason::TcpFin);
}

// Connections whose start was not seen.

Policy with_midstream(ExceptionAction action, uint32_t generation = 1) {
  Policy policy = allow_all(generation);
  policy.exceptions.midstream = action;
  return policy;
}

TEST(Midstream, IsDroppedByDefault) {
  Lane lane(compiled(with_midstream(ExceptionAction::Drop)));
  TcpTalk talk;
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck, "x")), DropReason::Midstream);
  EXPECT_EQ(lane.verdict(kSecondSide, talk.from_server(kSyn | kAck)), DropReason::Midstream);
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kRst)), DropReason::Midstream);
  EXPECT_EQ(lane.pipeline().flows().size(), 0u);
}

TEST(Midstream, IsTrackedAndJudgedWhenPassed) {
  Lane lane(compiled(with_midstream(ExceptionAction::Pass)));
  TcpTalk talk;
  EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck, "x")));
  EXPECT_TRUE(lane.passes(kSecondSide, talk.from_server(kAck, "y")));
  EXPECT_EQ(lane.pipeline().flows().size(), 1u);
  talk.client_next += 3u << 29;  // beyond the largest window there is
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck, "far away")), DropReason::TcpOutOfWindow);
}

TEST(Midstream, StillObeysARuleThatDrops) {
  Policy policy = wire_policy();
  policy.exceptions.midstream = ExceptionAction::Pass;
  add_wire_rule(policy, Action::Drop, classify::kAnyApplication);
  Lane lane(compiled(std::move(policy)));
  EXPECT_EQ(lane.verdict(kFirstSide, TcpTalk{}.from_client(kAck, "x")), DropReason::PolicyRule);
}

TEST(Midstream, ResetsPassWithoutAFlow) {
  Lane lane(compiled(with_midstream(ExceptionAction::Pass)));
  EXPECT_TRUE(lane.passes(kFirstSide, TcpTalk{}.from_client(kRst)));
  EXPECT_EQ(lane.pipeline().flows().size(), 0u);
}

TEST(Midstream, IsLeftAloneWhenBypassed) {
  Policy policy = wire_policy();  // allows nothing
  policy.exceptions.midstream = ExceptionAction::Bypass;
  Lane lane(compiled(policy));
  TcpTalk talk;
  EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck, "x")));
  EXPECT_TRUE(lane.passes(kSecondSide, talk.from_server(kAck, "y")));
  // The bypass is for the whole flow, so a new policy that says the same does not end it.
  policy.generation = Generation{2};
  lane.publish(compiled(policy));
  EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck, "x")));
}

TEST(Midstream, BypassEndsWithThePolicyThatGaveIt) {
  Policy policy = wire_policy();
  policy.exceptions.midstream = ExceptionAction::Bypass;
  Lane lane(compiled(std::move(policy)));
  TcpTalk talk;
  ASSERT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck, "x")));
  lane.publish(compiled(wire_policy(2)));
  EXPECT_EQ(lane.verdict(kFirstSide, talk.from_client(kAck, "x")), DropReason::PolicyDefault);
}

}  // namespace
}  // namespace postern::dataplane
