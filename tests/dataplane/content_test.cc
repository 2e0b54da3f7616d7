// SPDX-License-Identifier: Apache-2.0
// Antivirus signatures in clear flows, through the whole pipeline.
#include "dataplane/content.h"

#include <gtest/gtest.h>

#include "inspected.h"
#include "tcp_talk.h"

namespace postern::dataplane {
namespace {

using classify::ExceptionAction;
using classify::ProfileAction;

class Content : public testing::Test {
 protected:
  void begin(classify::Policy policy) {
    lane_.emplace(compiled(std::move(policy)));
    ASSERT_TRUE(talk_.open(*lane_));
  }
  // Frames sent to one side since the last call, but forwarded data.
  std::vector<Octets> resets() {
    std::vector<Octets> found;
    for (; seen_ < lane_->output.sent.size(); ++seen_)
      if ((lane_->output.sent[seen_].frame[14 + 20 + 13] & kRst) != 0)
        found.push_back(lane_->output.sent[seen_].frame);
    return found;
  }
  static uint32_t sequence_of(const Octets& frame) { return load_be32(&frame[14 + 20 + 4]); }

  std::optional<Lane> lane_;
  TcpTalk talk_;
  size_t seen_ = 0;
};

TEST_F(Content, IsBlockedWithTheSegmentThatCompletesIt) {
  begin(inspected(allow_all()));
  ASSERT_TRUE(lane_->passes(kSecondSide, talk_.from_server(kAck, "before " + kEicar.substr(0, 40))));
  const uint32_t expected_by_client = talk_.server_next, expected_by_server = talk_.client_next;
  EXPECT_EQ(lane_->verdict(kSecondSide, talk_.from_server(kAck, kEicar.substr(40))),
            DropReason::ContentBlocked);
  const auto sent = resets();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sequence_of(sent[0]), expected_by_server);
  EXPECT_EQ(sequence_of(sent[1]), expected_by_client);
  const auto events = lane_->events();
  const auto alert = std::find_if(events.begin(), events.end(),
                                  [](const LogEvent& e) { return e.record.kind == RecordKind::Alert; });
  ASSERT_NE(alert, events.end());
  EXPECT_EQ(read_extra<AlertFacts>(alert->extra).direction, Direction::ToClient);
  EXPECT_EQ(alert->record.drop_reason, DropReason::ContentBlocked);
}

TEST_F(Content, IsBlockedInBytesOfTheClientToo) {
  begin(inspected(allow_all()));
  EXPECT_EQ(lane_->verdict(kFirstSide, talk_.from_client(kAck, kEicar)), DropReason::ContentBlocked);
  EXPECT_EQ(lane_->verdict(kFirstSide, talk_.from_client(kAck, "more")), DropReason::ContentBlocked);
}

TEST_F(Content, IsBlockedThoughItsSegmentsCameInDisorder) {
  begin(inspected(allow_all()));
  const Octets first = talk_.from_client(kAck, kEicar.substr(0, 20));
  const Octets second = talk_.from_client(kAck, kEicar.substr(20));
  lane_->receive(kFirstSide, second);
  lane_->receive(kFirstSide, first);
  EXPECT_EQ(lane_->dropped(DropReason::ContentBlocked), 2u);
}

TEST_F(Content, OfEarlierSegmentsOfTheBurstIsNotForwardedEither) {
  begin(inspected(allow_all()));
  const uint32_t expected = talk_.client_next;
  const Octets first = talk_.from_client(kAck, "innocent"), second = talk_.from_client(kAck, kEicar);
  lane_->receive_burst({{kFirstSide, first}, {kFirstSide, second}});
  EXPECT_EQ(lane_->dropped(DropReason::ContentBlocked), 2u);
  bool exact = false;
  for (const Octets& reset : resets()) exact |= sequence_of(reset) == expected;
  EXPECT_TRUE(exact) << "the receiver's reset is where its bytes end";
}

TEST_F(Content, IsToldAndPassesWhereTheRuleOnlyAlerts) {
  begin(inspected(allow_all(), ProfileAction::Alert));
  EXPECT_TRUE(lane_->passes(kSecondSide, talk_.from_server(kAck, kEicar)));
  EXPECT_TRUE(lane_->passes(kSecondSide, talk_.from_server(kAck, "more")));
  const auto alerts = lane_->records(RecordKind::Alert);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].action, Action::Allow);
}

TEST_F(Content, PassesWhereNoRuleAsks) {
  begin(allow_all());
  EXPECT_TRUE(lane_->passes(kSecondSide, talk_.from_server(kAck, kEicar)));
}

TEST_F(Content, ThatPassedWhileTheApplicationWasUnknownIsRuledOnAfterwards) {
  begin(inspected(allow_only(classify::app::kHttp)));
  ASSERT_TRUE(lane_->passes(kFirstSide, talk_.from_client(kAck, "GET / HTTP/1.1\r\nX: " + kEicar)));
  EXPECT_EQ(lane_->verdict(kFirstSide, talk_.from_client(kAck, "\r\nHost: a\r\n\r\n")),
            DropReason::ContentBlocked);
}

TEST_F(Content, ThatPassedWhileTheApplicationWasUnknownPassesWhenItsRuleDoesNotAsk) {
  classify::Policy policy = inspected(allow_only(classify::app::kHttp));
  policy.rules[0].profiles = 0;
  begin(std::move(policy));
  ASSERT_TRUE(lane_->passes(kFirstSide, talk_.from_client(kAck, "GET / HTTP/1.1\r\nX: " + kEicar)));
  EXPECT_TRUE(lane_->passes(kFirstSide, talk_.from_client(kAck, "\r\nHost: a\r\n\r\n")));
  EXPECT_TRUE(lane_->records(RecordKind::Alert).empty());
}

TEST_F(Content, ThatANewPolicyAsksForMeetsTheExceptionWhereNobodyHasKeptTheOrder) {
  begin(allow_all());
  // Unknown to every signature: nobody looks any more, and the bytes are only kept until they are
  // acknowledged.
  ASSERT_TRUE(lane_->passes(kFirstSide, talk_.from_client(kAck, std::string(1400, 'x'))));
  lane_->publish(compiled(inspected(allow_all(2))));
  EXPECT_EQ(lane_->verdict(kSecondSide, talk_.from_server(kAck, kEicar)), DropReason::InspectionUnavailable);
}

TEST_F(Content, ThatANewPolicyAsksForIsScannedFromThereOnWhereTheOrderIsKept) {
  begin(allow_only(classify::app::kHttp));
  ASSERT_TRUE(lane_->passes(kFirstSide, talk_.from_client(kAck, "GET / HT")));
  lane_->publish(compiled(inspected(allow_only(classify::app::kHttp, 2))));
  ASSERT_TRUE(lane_->passes(kFirstSide, talk_.from_client(kAck, "TP/1.1\r\nHost: a\r\n\r\n")));
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 68\r\n\r\n" + kEicar;
  EXPECT_EQ(lane_->verdict(kSecondSide, talk_.from_server(kAck, answer)), DropReason::ContentBlocked);
}

TEST_F(Content, OfDatagramsMeetsTheExceptionBecauseNobodyLooks) {
  lane_.emplace(compiled(inspected(allow_all())));
  EXPECT_EQ(lane_->verdict(kFirstSide, udp_frame(ip("10.1.0.5"), ip("10.3.0.1"), 4000, 69, kEicar)),
            DropReason::InspectionUnavailable);
}

TEST_F(Content, IsStillLookedForWhenAnotherProfileHasNoEngineAndTheSiteLetsItPass) {
  classify::Policy policy = inspected(allow_all());
  policy.rules[0].profiles |= classify::kIps;
  policy.exceptions.inspection_unavailable = ExceptionAction::Pass;
  begin(std::move(policy));
  EXPECT_TRUE(lane_->passes(kFirstSide, talk_.from_client(kAck, "hello")));
  EXPECT_EQ(lane_->verdict(kSecondSide, talk_.from_server(kAck, kEicar)), DropReason::ContentBlocked);
}

TEST_F(Content, OfAScannedFlowIsLoggedAsPartlyInspected) {
  begin(inspected(allow_all()));
  EXPECT_TRUE(lane_->passes(kFirstSide, talk_.from_client(kAck, "hello")));
  lane_->age(4000 * kSecond);
  const auto ends = lane_->records(RecordKind::FlowEnd);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].inspection, InspectionStatus::Partial);
  EXPECT_EQ(ends[0].inspection_reason, InspectionReason::ByteSignatures);
}

TEST_F(Content, OfABlockedFlowIsAnsweredWithNoMoreThanAThousandResetsASecond) {
  begin(inspected(allow_all()));
  lane_->receive(kFirstSide, talk_.from_client(kAck, kEicar));
  for (int i = 0; i < 1500; ++i) lane_->receive(kFirstSide, talk_.from_client(kAck, "x"));
  EXPECT_EQ(resets().size(), 1000u);
}

}  // namespace
}  // namespace postern::dataplane
