// SPDX-License-Identifier: Apache-2.0
#include "dataplane/tcp_state.h"

#include <gtest/gtest.h>

#include "policies.h"
#include "tcp_talk.h"

namespace postern::dataplane {
namespace {

constexpr DropReason kPassed = DropReason::None, kIgnored = DropReason::TcpOutOfWindow;

class Connection : public testing::Test {
 protected:
  DropReason client(uint8_t flags, std::string payload = {}) {
    return lane_.verdict(kFirstSide, talk_.from_client(flags, std::move(payload)));
  }
  DropReason server(uint8_t flags, std::string payload = {}) {
    return lane_.verdict(kSecondSide, talk_.from_server(flags, std::move(payload)));
  }
  // Segments that are not the next ones: numbers are relative to what comes next.
  DropReason client_at(int64_t sequence, uint8_t flags, std::string payload = {}) {
    Tcp fields = talk_.next_of_client(flags, std::move(payload));
    fields.sequence += static_cast<uint32_t>(sequence);
    return lane_.verdict(kFirstSide, talk_.client_frame(fields));
  }
  DropReason server_at(int64_t sequence, uint8_t flags, std::string payload = {}) {
    Tcp fields = talk_.next_of_server(flags, std::move(payload));
    fields.sequence += static_cast<uint32_t>(sequence);
    return lane_.verdict(kSecondSide, talk_.server_frame(fields));
  }
  DropReason client_acknowledging(int64_t difference, std::string payload = {}) {
    Tcp fields = talk_.next_of_client(kAck, std::move(payload));
    fields.acknowledgement += static_cast<uint32_t>(difference);
    return lane_.verdict(kFirstSide, talk_.client_frame(fields));
  }
  void open() { ASSERT_TRUE(talk_.open(lane_)); }
  FlowState state() {
    for (uint32_t flow = 0; flow < lane_.pipeline().flows().high_water(); ++flow)
      if (lane_.pipeline().flows().hot(flow).state != FlowState::Free)
        return lane_.pipeline().flows().hot(flow).state;
    return FlowState::Free;
  }

  Lane lane_{compiled(allow_all())};
  TcpTalk talk_;
};

// The handshake.

TEST_F(Connection, OpensWithThreeSegments) {
  EXPECT_EQ(client(kSyn), kPassed);
  EXPECT_EQ(state(), FlowState::SynSent);
  EXPECT_EQ(server(kSyn | kAck), kPassed);
  EXPECT_EQ(state(), FlowState::SynReceived);
  EXPECT_EQ(client(kAck), kPassed);
  EXPECT_EQ(state(), FlowState::Established);
}

TEST_F(Connection, OpensAfterARepeatedSyn) {
  const Octets syn = talk_.from_client(kSyn);
  EXPECT_TRUE(lane_.passes(kFirstSide, syn));
  EXPECT_TRUE(lane_.passes(kFirstSide, syn));
  EXPECT_EQ(server(kSyn | kAck), kPassed);
  EXPECT_EQ(server_at(-1, kSyn | kAck), kPassed) << "repeated";
  EXPECT_EQ(client(kAck), kPassed);
  EXPECT_EQ(state(), FlowState::Established);
  EXPECT_EQ(lane_.counters.flows_created.value(), 1u);
}

TEST_F(Connection, OpensAfterARetryWithAnotherNumber) {
  client(kSyn);
  talk_.client_next = 900'000;
  EXPECT_EQ(client(kSyn), kPassed);
  EXPECT_EQ(server(kSyn | kAck), kPassed);
  EXPECT_EQ(client(kAck), kPassed);
  EXPECT_EQ(state(), FlowState::Established);
}

TEST_F(Connection, IsNotOpenedByAnAnswerToAnotherSyn) {
  client(kSyn);
  talk_.client_next += 5;
  EXPECT_EQ(server(kSyn | kAck), kIgnored);
  talk_.client_next -= 5;
  EXPECT_EQ(server(kSyn), kIgnored) << "an answer that confirms nothing";
  EXPECT_EQ(server(kAck, "data"), kIgnored);
  EXPECT_EQ(client(kAck, "data"), kIgnored) << "before the answer";
  EXPECT_EQ(state(), FlowState::SynSent);
}

TEST_F(Connection, LetsAHostChallengeASynItDoesNotExpect) {
  client(kSyn);
  EXPECT_EQ(server(kAck), kPassed) << "RFC 5961 section 4";
  EXPECT_EQ(state(), FlowState::SynSent);
}

TEST_F(Connection, IsRefusedByAResetThatConfirmsItsSyn) {
  client(kSyn);
  talk_.client_next += 1;
  EXPECT_EQ(server(kRst | kAck), kIgnored);
  talk_.client_next -= 1;
  EXPECT_EQ(server(kRst), kIgnored) << "confirms nothing";
  EXPECT_EQ(state(), FlowState::SynSent);
  EXPECT_EQ(server(kRst | kAck), kPassed);
  EXPECT_EQ(state(), FlowState::Closed);
}

// Windows.

TEST_F(Connection, CarriesDataBothWays) {
  open();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(client(kAck | kPsh, std::string(1000, 'c')), kPassed);
    EXPECT_EQ(server(kAck | kPsh, std::string(1000, 's')), kPassed);
  }
}

TEST_F(Connection, TakesDataUpToTheEndOfTheWindowAndOneByteMore) {
  open();  // the window is 60000
  EXPECT_EQ(client_at(59'990, kAck, std::string(10, 'x')), kPassed);
  EXPECT_EQ(client_at(60'000, kAck, "x"), kPassed) << "a probe of a closed window";
  EXPECT_EQ(client_at(60'000, kAck, "xx"), kIgnored);
  EXPECT_EQ(client_at(1'000'000, kAck, "x"), kIgnored);
}

TEST_F(Connection, TakesRepeatedDataAsFarBackAsItMayBeStillUnderWay) {
  open();
  client(kAck, std::string(1000, 'x'));
  EXPECT_EQ(client_at(-1000, kAck, std::string(1000, 'x')), kPassed);
  EXPECT_EQ(client_at(-(1 << 26), kAck), kPassed);
  EXPECT_EQ(client_at(-(1 << 26) - 1, kAck), kIgnored);
  EXPECT_EQ(client_at(-(int64_t{1} << 31), kAck), kIgnored);
}

TEST_F(Connection, IgnoresAcknowledgementsOfWhatWasNeverSent) {
  open();
  server(kAck, std::string(100, 's'));
  EXPECT_EQ(client_acknowledging(0), kPassed);
  EXPECT_EQ(client_acknowledging(-100), kPassed);
  EXPECT_EQ(client_acknowledging(1), kIgnored);
  EXPECT_EQ(client_acknowledging(1'000'000), kIgnored);
  EXPECT_EQ(client_acknowledging(-(1 << 26) - 1), kIgnored);
}

TEST_F(Connection, GrowsItsWindowByTheScaleBothAgreedOn) {
  const Octets scale7 = {3, 3, 7, 1};
  Tcp syn = talk_.next_of_client(kSyn);
  syn.options = scale7;
  EXPECT_TRUE(lane_.passes(kFirstSide, talk_.client_frame(syn)));
  talk_.client_next += 1;
  Tcp answer = talk_.next_of_server(kSyn | kAck);
  answer.options = scale7;
  EXPECT_TRUE(lane_.passes(kSecondSide, talk_.server_frame(answer)));
  talk_.server_next += 1;
  EXPECT_EQ(client(kAck), kPassed);
  EXPECT_EQ(client_at(60'001, kAck, "x"), kIgnored) << "the window of a SYN is not scaled";
  EXPECT_EQ(server(kAck), kPassed);
  EXPECT_EQ(client_at((60'000 << 7) - 1, kAck, "x"), kPassed);
  EXPECT_EQ(client_at((60'000 << 7) + 1, kAck, "x"), kIgnored);
}

TEST_F(Connection, ScalesNothingWhenOnlyOneOfThemOffers) {
  Tcp syn = talk_.next_of_client(kSyn);
  syn.options = {3, 3, 7, 1};
  EXPECT_TRUE(lane_.passes(kFirstSide, talk_.client_frame(syn)));
  talk_.client_next += 1;
  server(kSyn | kAck);
  client(kAck);
  server(kAck);
  EXPECT_EQ(client_at(60'001, kAck, "x"), kIgnored);
  EXPECT_EQ(server_at(70'000, kAck, "x"), kIgnored);
}

TEST_F(Connection, GoesOnWhereSequenceNumbersWrap) {
  talk_.client_next = 0xffffff00;
  talk_.server_next = 0xfffffff0;
  open();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client(kAck, std::string(100, 'c')), kPassed);
    EXPECT_EQ(server(kAck, std::string(100, 's')), kPassed);
  }
  EXPECT_LT(talk_.client_next, 0x10000u) << "it did wrap";
  EXPECT_EQ(client_at(-1500, kAck, std::string(100, 'c')), kPassed) << "from before the wrap";
  EXPECT_EQ(client_at(100'000, kAck, "x"), kIgnored);
  EXPECT_EQ(client(kRst), kPassed);
  EXPECT_EQ(state(), FlowState::Closed);
}

// Resets.

TEST_F(Connection, IsEndedOnlyByAResetWithTheExactNumber) {
  open();
  EXPECT_EQ(client_at(1, kRst), kPassed) << "in the window: the host asks back";
  EXPECT_EQ(state(), FlowState::Established);
  EXPECT_EQ(client_at(100'000, kRst), kIgnored);
  EXPECT_EQ(server_at(-(1 << 26) - 1, kRst), kIgnored);
  EXPECT_EQ(state(), FlowState::Established);
  EXPECT_EQ(server_at(0, kRst), kPassed);
  EXPECT_EQ(state(), FlowState::Closed);
}

TEST_F(Connection, GoesOnWhenTheResetWasNotTaken) {
  open();
  EXPECT_EQ(client_at(0, kRst), kPassed);
  EXPECT_EQ(state(), FlowState::Closed);
  EXPECT_EQ(client(kAck, "still here"), kPassed);
  EXPECT_EQ(state(), FlowState::Established);
  client(kFin | kAck);
  server(kFin | kAck);
  lane_.age(100 * kSecond);
  const auto ends = lane_.records(RecordKind::FlowEnd);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].end_reason, EndReason::TcpFin);
}

// The end.

TEST_F(Connection, ClosesWhenBothSidesAreDone) {
  open();
  EXPECT_EQ(client(kFin | kAck), kPassed);
  EXPECT_EQ(state(), FlowState::Closing);
  EXPECT_EQ(server(kAck, "more"), kPassed) << "the other half is open";
  EXPECT_EQ(client(kAck), kPassed);
  EXPECT_EQ(server(kFin | kAck), kPassed);
  EXPECT_EQ(state(), FlowState::Closed);
  EXPECT_EQ(client(kAck), kPassed);
}

TEST_F(Connection, ClosesWhenTheServerIsDoneFirst) {
  open();
  server(kFin | kAck);
  EXPECT_EQ(state(), FlowState::Closing);
  server_at(-1, kFin | kAck);
  EXPECT_EQ(state(), FlowState::Closing) << "the same end again";
  client(kFin | kAck);
  EXPECT_EQ(state(), FlowState::Closed);
}

TEST_F(Connection, ClosesWhenBothAreDoneAtOnce) {
  open();
  const Octets from_client = talk_.from_client(kFin | kAck);
  talk_.client_next -= 1;  // the server has not seen it
  const Octets from_server = talk_.from_server(kFin | kAck);
  lane_.receive_burst({{kFirstSide, from_client}, {kSecondSide, from_server}});
  EXPECT_EQ(state(), FlowState::Closed);
}

TEST_F(Connection, IsNotEndedByAFinBehindAGap) {
  open();
  EXPECT_EQ(client_at(100, kFin | kAck), kPassed);
  EXPECT_EQ(state(), FlowState::Established);
}

TEST_F(Connection, TakesNothingBehindItsConfirmedEnds) {
  open();
  client(kFin | kAck);
  server(kFin | kAck);
  EXPECT_EQ(client(kAck), kPassed);
  EXPECT_EQ(server_at(-1, kFin | kAck), kPassed) << "the same end again";
  EXPECT_EQ(client(kAck, "more"), kIgnored);
  EXPECT_EQ(server(kAck, "more"), kIgnored);
}

TEST_F(Connection, TakesABetterStoryWhileTheEndIsNotConfirmed) {
  open();
  client(kFin | kAck);
  server(kFin | kAck);
  EXPECT_EQ(server(kAck, "more"), kPassed) << "the client has not confirmed the end";
}

TEST_F(Connection, StaysAsItIsWhenASynComesInItsMiddle) {
  open();
  EXPECT_EQ(client_at(50'000, kSyn), kPassed) << "the host challenges it";
  EXPECT_EQ(state(), FlowState::Established);
  EXPECT_EQ(client(kAck, "x"), kPassed);
  EXPECT_EQ(lane_.counters.flows_created.value(), 1u);
}

TEST(Connections, LeaveTheirPlaceInOrderToTheNextWhenTheyEnd) {
  LaneSetup setup = lane_setup();
  setup.pipeline.streams.streams = 1;
  Lane lane{compiled(allow_all()), std::move(setup)};
  for (uint16_t port = 40000; port < 40003; ++port) {
    TcpTalk talk;
    talk.client_port = port;
    ASSERT_TRUE(talk.open(lane));
    EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kAck, "question"))) << port;
    EXPECT_TRUE(lane.passes(kSecondSide, talk.from_server(kFin | kAck, "answer")));
    EXPECT_TRUE(lane.passes(kFirstSide, talk.from_client(kFin | kAck)));
    EXPECT_TRUE(lane.passes(kSecondSide, talk.from_server(kAck)));
  }
}

TEST_F(Connection, MakesRoomForANewOneOnTheSamePorts) {
  open();
  client(kFin | kAck);
  server(kFin | kAck);
  client(kAck);
  talk_.client_next = 7'000'000;
  talk_.server_next = 8'000'000;
  open();
  EXPECT_EQ(client(kAck, "fresh"), kPassed);
  EXPECT_EQ(lane_.counters.flows_created.value(), 2u);
  EXPECT_EQ(lane_.pipeline().flows().size(), 1u);
  const auto ends = lane_.records(RecordKind::FlowEnd);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].end_reason, EndReason::TcpFin);
  lane_.age(7200 * kSecond);
  EXPECT_EQ(lane_.records(RecordKind::FlowEnd).at(0).packets[0], 3u) << "the new one counts for itself";
}

TEST_F(Connection, MayBeReopenedFromTheOtherSide) {
  open();
  client(kRst);
  ASSERT_EQ(state(), FlowState::Closed);
  EXPECT_EQ(lane_.verdict(kSecondSide, talk_.server_frame({.sequence = 1, .flags = kSyn})), kPassed);
  EXPECT_EQ(state(), FlowState::SynSent);
  EXPECT_EQ(lane_.pipeline().flows().hot(0).opener(), Side::Second);
}

// Signatures.

Octets md5_option() {
  Octets option = {1, 1, 19, 18};
  option.resize(20);
  return option;
}

TEST_F(Connection, RefusesSignaturesItDidNotBeginWith) {
  open();
  for (const uint8_t flags : {kAck, kRst, uint8_t{kAck | kFin}}) {
    Tcp segment = talk_.next_of_client(flags);
    segment.options = md5_option();
    EXPECT_EQ(lane_.verdict(kFirstSide, talk_.client_frame(segment)), DropReason::TcpMd5);
  }
  EXPECT_EQ(state(), FlowState::Established);
}

TEST_F(Connection, TakesSignaturesItBeganWith) {
  Tcp syn = talk_.next_of_client(kSyn);
  syn.options = md5_option();
  EXPECT_TRUE(lane_.passes(kFirstSide, talk_.client_frame(syn)));
  talk_.client_next += 1;
  Tcp answer = talk_.next_of_server(kSyn | kAck);
  answer.options = md5_option();
  EXPECT_TRUE(lane_.passes(kSecondSide, talk_.server_frame(answer)));
  talk_.server_next += 1;
  Tcp data = talk_.next_of_client(kAck, "signed");
  data.options = md5_option();
  EXPECT_TRUE(lane_.passes(kFirstSide, talk_.client_frame(data)));
}

TEST_F(Connection, ReadsDamagedOptionsToTheirDamage) {
  open();
  for (const Octets& options : {Octets{19, 0, 0, 0}, Octets{19, 1, 0, 0}, Octets{19, 40, 0, 0},
                                Octets{1, 1, 1, 19}, Octets{0, 19, 18, 0}, Octets{8, 255, 0, 0}}) {
    Tcp segment = talk_.next_of_client(kAck);
    segment.options = options;
    EXPECT_EQ(lane_.verdict(kFirstSide, talk_.client_frame(segment)), kPassed);
  }
}

// ICMP errors about it.

TEST_F(Connection, TakesOnlyIcmpErrorsThatQuoteWhatIsUnderWay) {
  open();
  client(kAck, std::string(1000, 'x'));
  const auto error_at = [&](int64_t sequence) {
    Tcp quoted = talk_.next_of_client(kAck, "x");
    quoted.source_port = talk_.client_port;
    quoted.destination_port = talk_.server_port;
    quoted.sequence += static_cast<uint32_t>(sequence);
    const Octets packet = ip_packet(talk_.client, talk_.server, 6, tcp(talk_.client, talk_.server, quoted));
    return lane_.verdict(kSecondSide, icmp_frame(ip("10.3.0.254"), talk_.client, 3, 4, 1400, packet));
  };
  EXPECT_EQ(error_at(-1000), kPassed);
  EXPECT_EQ(error_at(0), kPassed);
  EXPECT_EQ(error_at(1), DropReason::IcmpUnrelated) << "not sent yet";
  EXPECT_EQ(error_at(1'000'000), DropReason::IcmpUnrelated);
  EXPECT_EQ(error_at(-(1 << 26) - 1), DropReason::IcmpUnrelated);
  EXPECT_EQ(state(), FlowState::Established);
}

}  // namespace
}  // namespace postern::dataplane
