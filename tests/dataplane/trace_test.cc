// SPDX-License-Identifier: Apache-2.0
#include "dataplane/trace.h"

#include <gtest/gtest.h>

#include "policies.h"
#include "tcp_talk.h"

namespace postern::dataplane {
namespace {

namespace app = classify::app;
using classify::compiled;
using enum TraceStep;

const std::string kBanner = "SSH-2.0-test\r\n";

TraceTarget ends_of(const TcpTalk& talk) {
  TraceTarget target;
  target.address[0] = talk.client;
  target.address[1] = talk.server;
  target.port[0] = talk.client_port;
  target.port[1] = talk.server_port;
  target.protocol = classify::kTcp;
  return target;
}

std::vector<TraceEvent> told(TraceRing& ring) {
  std::vector<TraceEvent> events;
  TraceEvent one[4];
  while (const size_t count = ring.read(one)) events.insert(events.end(), one, one + count);
  return events;
}

std::vector<TraceStep> steps(const std::vector<TraceEvent>& events) {
  std::vector<TraceStep> list;
  for (const TraceEvent& event : events) list.push_back(event.step);
  return list;
}

TraceQuery ask(const TraceTarget& target) {
  TraceQuery query{.ask = TraceQuery::Ask::Find, .target = target, .from = 0, .lost = 0, .found = {}};
  query.found.reserve(TraceQuery::kMost);
  return query;
}

class Trace : public testing::Test {
 protected:
  TraceRecorder& recorder() { return lane_.pipeline().trace(); }
  void follow(const TraceTarget& target) { recorder().follow(target, ring_); }
  void follow_talk() { follow(ends_of(talk_)); }

  Lane lane_{compiled(allow_only(app::kSsh))};
  TcpTalk talk_;
  TraceRing ring_{64};
};

TEST_F(Trace, TellsAFlowFromItsFirstPacketToItsVerdict) {
  follow_talk();
  ASSERT_TRUE(talk_.open(lane_));
  lane_.receive(kFirstSide, talk_.from_client(kAck, kBanner));
  const auto events = told(ring_);
  ASSERT_EQ(steps(events), (std::vector{Opened, Judged, Looked, Judged}));
  EXPECT_EQ(events[1].verdict, FlowVerdict::Pending);
  EXPECT_EQ(events[1].owes, kOwesApplication);
  EXPECT_EQ(events[2].found, app::kSsh);
  EXPECT_EQ(events[2].direction, Direction::ToServer);
  EXPECT_EQ(as_text(events[2].seen()), kBanner);
  EXPECT_EQ(events[3].verdict, FlowVerdict::Allow);
  EXPECT_EQ(events[3].flow.identified, app::kSsh);
  EXPECT_EQ(events[3].flow.source, talk_.client);
}

TEST_F(Trace, SaysNothingOfPacketsOfASettledFlow) {
  follow_talk();
  ASSERT_TRUE(talk_.open(lane_));
  lane_.receive(kFirstSide, talk_.from_client(kAck, kBanner));
  told(ring_);
  for (int i = 0; i < 3; ++i) {
    lane_.receive(kSecondSide, talk_.from_server(kAck, "more"));
    lane_.receive(kFirstSide, talk_.from_client(kAck, "more"));
  }
  EXPECT_EQ(told(ring_).size(), 0u);
}

TEST_F(Trace, NamesAFlowByItsEndsInEitherOrder) {
  TraceTarget target = ends_of(talk_);
  std::swap(target.address[0], target.address[1]);
  std::swap(target.port[0], target.port[1]);
  follow(target);
  lane_.receive(kFirstSide, talk_.from_client(kSyn));
  EXPECT_EQ(steps(told(ring_)), (std::vector{Opened, Judged}));
}

TEST_F(Trace, NamesAFlowByItsNumber) {
  lane_.receive(kFirstSide, talk_.from_client(kSyn));
  TraceQuery query = ask(ends_of(talk_));
  recorder().find(query, lane_.now);
  ASSERT_EQ(query.found.size(), 1u);
  TraceTarget target;
  target.flow_id = query.found[0].flow.flow_id;
  ASSERT_NE(target.flow_id, 0u);
  follow(target);
  lane_.receive(kSecondSide, talk_.from_server(kSyn | kAck));
  lane_.receive(kFirstSide, talk_.from_client(kAck));
  lane_.receive(kFirstSide, talk_.from_client(kAck, kBanner));
  EXPECT_EQ(steps(told(ring_)), (std::vector{Looked, Judged}));
}

TEST_F(Trace, SaysNothingOfOtherFlows) {
  TraceTarget target = ends_of(talk_);
  target.port[0] = 40001;
  follow(target);
  ASSERT_TRUE(talk_.open(lane_));
  lane_.receive(kFirstSide, talk_.from_client(kAck, kBanner));
  EXPECT_EQ(told(ring_).size(), 0u);
}

TEST_F(Trace, SaysNothingWhenNobodyAsksAnyMore) {
  follow_talk();
  recorder().stop();
  ASSERT_TRUE(talk_.open(lane_));
  EXPECT_EQ(told(ring_).size(), 0u);
}

TEST_F(Trace, TellsARefusalByTheVerdictOnce) {
  follow_talk();
  ASSERT_TRUE(talk_.open(lane_));
  const Octets page = talk_.from_client(kAck, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int i = 0; i < 3; ++i) lane_.receive(kFirstSide, page);
  lane_.age(7200 * kSecond);
  const auto events = told(ring_);
  EXPECT_EQ(std::count_if(events.begin(), events.end(), [](const auto& e) { return e.step == Refused; }), 1);
  ASSERT_EQ(events.back().step, Ended);
  EXPECT_EQ(events.back().flow.dropped_packets, 3u);
  EXPECT_EQ(events.back().flow.end_reason, EndReason::PolicyDeny);
}

TEST_F(Trace, TellsAPacketThatOpensNoFlow) {
  follow_talk();
  EXPECT_EQ(lane_.verdict(kFirstSide, talk_.from_client(kAck, "late")), DropReason::Midstream);
  const auto events = told(ring_);
  ASSERT_EQ(steps(events), std::vector{Refused});
  EXPECT_FALSE(events[0].known);
  EXPECT_EQ(events[0].flow.drop_reason, DropReason::Midstream);
  EXPECT_EQ(events[0].flow.source, talk_.client);
}

TEST_F(Trace, TellsASegmentThatWaits) {
  follow_talk();
  ASSERT_TRUE(talk_.open(lane_));
  told(ring_);
  Tcp later = talk_.next_of_client(kAck, "later");
  later.sequence += 5;
  lane_.receive(kFirstSide, talk_.client_frame(later));
  const auto events = told(ring_);
  ASSERT_EQ(steps(events), std::vector{Held});
  EXPECT_EQ(events[0].size, 5u);
  EXPECT_EQ(events[0].direction, Direction::ToServer);
}

TEST_F(Trace, TellsThatTheBudgetIsUsedUp) {
  follow_talk();
  ASSERT_TRUE(talk_.open(lane_));
  told(ring_);
  lane_.now += 11 * kSecond;
  lane_.receive(kFirstSide, talk_.from_client(kAck));
  const auto events = told(ring_);
  ASSERT_EQ(steps(events), (std::vector{GaveUp, Judged, Refused}));
  EXPECT_EQ(events[1].flow.drop_reason, DropReason::ApplicationUnknown);
}

TEST_F(Trace, KeepsWhatThereIsRoomForAndCountsTheRest) {
  TraceRing small{1};
  recorder().follow(ends_of(talk_), small);
  lane_.receive(kFirstSide, talk_.from_client(kSyn));
  EXPECT_EQ(steps(told(small)), std::vector{Opened});
  EXPECT_EQ(recorder().lost(), 1u);
}

TEST_F(Trace, FindsWhatAFlowSentFirstWhileItIsKept) {
  ASSERT_TRUE(talk_.open(lane_));
  lane_.receive(kFirstSide, talk_.from_client(kAck, "SS"));
  TraceQuery query = ask(ends_of(talk_));
  recorder().find(query, lane_.now);
  ASSERT_EQ(query.found.size(), 1u);
  EXPECT_EQ(query.from, kNoFlow);
  EXPECT_EQ(query.found[0].step, Now);
  EXPECT_EQ(as_text(query.found[0].seen()), "SS");
  EXPECT_EQ(query.found[0].verdict, FlowVerdict::Pending);
  EXPECT_EQ(query.found[0].owes, kOwesApplication | kOwesOrder);
}

TEST_F(Trace, FindsInPortionsOfTheTable) {
  LaneSetup setup = lane_setup(8 * TraceQuery::kPortion);
  Lane lane(compiled(allow_all()), std::move(setup));
  TcpTalk talk;
  for (uint32_t i = 0; i < TraceQuery::kPortion + 10; ++i)
    lane.receive(kFirstSide,
                 udp_frame(ip("10.1.0.5"), ip("10.3.0.1"), static_cast<uint16_t>(1024 + i), 53, "x"));
  TraceTarget target = ends_of(talk);
  target.protocol = classify::kUdp;
  target.port[0] = 1024 + 4100;
  target.port[1] = 53;
  TraceQuery query = ask(target);
  unsigned portions = 0;
  for (; query.from != kNoFlow; ++portions) lane.pipeline().trace().find(query, lane.now);
  EXPECT_EQ(portions, 2u);
  EXPECT_EQ(query.found.size(), 1u);
}

TEST_F(Trace, KeepsTheFirstBytesOfALongLookOnly) {
  Lane lane(compiled(allow_only(app::kSsh)));
  TcpTalk talk;
  TraceRing ring{64};
  lane.pipeline().trace().follow(ends_of(talk), ring);
  const std::string text(TraceEvent::kBytes + 10, 'x');
  lane.pipeline().trace().looked(0, Direction::ToServer, as_bytes(text), app::kSsh, lane.now);
  EXPECT_EQ(told(ring).size(), 0u) << "record 0 is nobody's";
  ASSERT_TRUE(talk.open(lane));
  told(ring);
  lane.pipeline().trace().looked(0, Direction::ToServer, as_bytes(text), app::kSsh, lane.now);
  const auto events = told(ring);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].size, text.size());
  EXPECT_EQ(events[0].seen().size(), TraceEvent::kBytes);
}

}  // namespace
}  // namespace postern::dataplane
