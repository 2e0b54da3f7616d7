// SPDX-License-Identifier: Apache-2.0
// A worker's side of decryption: what reaches the server, what a TLS core is told, and what its reports do.
#include "dataplane/adopter.h"

#include <gtest/gtest.h>

#include "dataplane/tcp_options.h"
#include "tls_bench.h"

namespace postern::dataplane {
namespace {

using classify::hex;
using classify::usual_hello;
using Event = SessionReport::Event;

Octets bytes_of(std::string_view hex_text) {
  const std::string text = hex(hex_text);
  return Octets(text.begin(), text.end());
}

SessionReport ended(DecryptReason reason) {
  SessionReport report{.event = Event::Ended, .reason = reason};
  report.facts.client_hello = true;
  report.facts.decrypt_reason = reason;
  return report;
}

TEST(Adopter, GivesTheFlowToATlsCoreAndNothingToTheServer) {
  TlsBench bench;
  TcpTalk talk;
  ASSERT_TRUE(talk.open(*bench.lane));
  const size_t sent = bench.lane->output.sent.size();
  const Octets hello = talk.from_client(kAck | kPsh, usual_hello());
  bench.lane->receive(kFirstSide, hello);
  EXPECT_EQ(bench.lane->output.sent.size(), sent);
  const auto messages = bench.all();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].tag.kind, TlsMessage::Adopt);
  EXPECT_EQ(messages[0].request->facts.server_name.view(), "bmc7.example.net");
  EXPECT_EQ(messages[1].tag.kind, TlsMessage::Packet);
  EXPECT_EQ(messages[1].bytes, hello);
  EXPECT_EQ(messages[1].tag.port.value, kFirstSide.value);
}

TEST(Adopter, TellsTheCoreWhatTheHandshakeAgreedOn) {
  TlsBench bench;
  TcpTalk talk;
  Lane& lane = *bench.lane;
  const auto with = [](Tcp fields, std::string_view options) {
    fields.options = bytes_of(options);
    return fields;
  };
  // MSS 1460, SACK, timestamps, scale 7; MSS 1400, SACK, timestamps, scale 3.
  Tcp fields = with(talk.next_of_client(kSyn), "020405b4 0402 080a 00000064 00000000 01 030307");
  talk.client_next += 1;
  ASSERT_TRUE(lane.passes(kFirstSide, talk.client_frame(fields)));
  fields = with(talk.next_of_server(kSyn | kAck), "02040578 0402 080a 000003e8 00000064 01 030303");
  fields.window = 20000;
  talk.server_next += 1;
  ASSERT_TRUE(lane.passes(kSecondSide, talk.server_frame(fields)));
  fields = with(talk.next_of_client(kAck), "0101 080a 00000065 000003e8");
  ASSERT_TRUE(lane.passes(kFirstSide, talk.client_frame(fields)));
  fields = with(talk.next_of_client(kAck | kPsh, usual_hello()), "0101 080a 00000066 000003e8");
  fields.window = 500;
  lane.receive(kFirstSide, talk.client_frame(fields));

  const auto message = bench.next();
  ASSERT_TRUE(message && message->request);
  const TcpLeg &client = message->request->to_client, &server = message->request->to_server;
  EXPECT_EQ(client.remote.address, talk.client);
  EXPECT_EQ(client.remote.port, talk.client_port);
  EXPECT_EQ(client.local.address, talk.server);
  EXPECT_EQ(client.send_next, talk.server_next);
  EXPECT_EQ(client.receive_next, talk.client_next);
  EXPECT_EQ(client.send_window, 500u << 7);
  EXPECT_EQ(client.receive_window, 20000u);
  EXPECT_EQ(client.remote_scale, 7);
  EXPECT_EQ(client.local_scale, 3);
  EXPECT_EQ(client.mss, 1460);
  EXPECT_TRUE(client.sack);
  EXPECT_EQ(client.clock, 1001u);
  EXPECT_EQ(server.remote.address, talk.server);
  EXPECT_EQ(server.local.port, talk.client_port);
  EXPECT_EQ(server.send_next, talk.client_next);
  EXPECT_EQ(server.receive_next, talk.server_next);
  EXPECT_EQ(server.send_window, 20000u);
  EXPECT_EQ(server.mss, 1400);
  EXPECT_EQ(server.clock, 102u);
}

TEST(Adopter, ClaimsNoOptionThatOnlyOneSideOffered) {
  TlsBench bench;
  TcpTalk talk;
  Tcp fields = talk.next_of_client(kSyn);
  fields.options = bytes_of("020405b4 0402 01 030307 01 01");
  fields.options.resize(12);
  talk.client_next += 1;
  ASSERT_TRUE(bench.lane->passes(kFirstSide, talk.client_frame(fields)));
  ASSERT_TRUE(bench.lane->passes(kSecondSide, talk.from_server(kSyn | kAck)));
  ASSERT_TRUE(bench.lane->passes(kFirstSide, talk.from_client(kAck)));
  bench.lane->receive(kFirstSide, talk.from_client(kAck | kPsh, usual_hello()));
  const auto message = bench.next();
  ASSERT_TRUE(message && message->request);
  for (const TcpLeg& leg : {message->request->to_client, message->request->to_server}) {
    EXPECT_FALSE(leg.sack);
    EXPECT_FALSE(leg.clock);
    EXPECT_EQ(leg.local_scale, 0);
    EXPECT_EQ(leg.remote_scale, 0);
  }
  EXPECT_EQ(message->request->to_server.mss, 520);  // what a host takes that says nothing, in steps of 20
}

TEST(HandshakeOptions, ComeBackRoundedDown) {
  for (const uint16_t mss : {536, 1220, 1239, 1460, 2540, 8960}) {
    const auto back =
        HandshakeOptions::unpack(HandshakeOptions{.client_mss = mss, .server_mss = 1380}.pack());
    EXPECT_LE(back.client_mss, mss);
    EXPECT_GT(back.client_mss + 20, std::min<int>(mss, 2540));
    EXPECT_EQ(back.server_mss, 1380);
  }
}

class HelloInParts : public testing::Test {
 protected:
  void begin(TlsBench& bench) {
    ASSERT_TRUE(talk_.open(*bench.lane));
    const std::string hello = usual_hello();
    first_ = talk_.from_client(kAck, hello.substr(0, 40));
    second_ = talk_.from_client(kAck, hello.substr(40, 60));
    last_ = talk_.from_client(kAck | kPsh, hello.substr(100));
    sent_ = bench.lane->output.sent.size();
  }
  TcpTalk talk_;
  Octets first_, second_, last_;
  size_t sent_ = 0;
};

TEST_F(HelloInParts, WaitsAndGoesToTheCoreInOrder) {
  TlsBench bench;
  begin(bench);
  for (const Octets& part : {first_, second_}) bench.lane->receive(kFirstSide, part);
  EXPECT_TRUE(bench.all().empty());
  bench.lane->receive(kFirstSide, last_);
  const auto messages = bench.all();
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[0].tag.kind, TlsMessage::Adopt);
  EXPECT_EQ(messages[1].bytes, first_);
  EXPECT_EQ(messages[2].bytes, second_);
  EXPECT_EQ(messages[3].bytes, last_);
  EXPECT_EQ(bench.lane->output.sent.size(), sent_);
}

TEST_F(HelloInParts, GoesToTheCoreWhenItsPartsCameInDisorder) {
  TlsBench bench;
  begin(bench);
  for (const Octets& part : {second_, first_, last_}) bench.lane->receive(kFirstSide, part);
  const auto messages = bench.all();
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[1].bytes, first_);
  EXPECT_EQ(messages[2].bytes, second_);
  EXPECT_EQ(messages[3].bytes, last_);
}

TEST_F(HelloInParts, PassesInOrderWhenNoRuleWantsItDecrypted) {
  classify::Policy policy = allow_only(classify::app::kTls);
  policy.inbound_inspection = true;
  TlsBench bench(std::move(policy));
  begin(bench);
  for (const Octets& part : {first_, second_}) bench.lane->receive(kFirstSide, part);
  EXPECT_EQ(bench.lane->output.sent.size(), sent_);
  bench.lane->receive(kFirstSide, last_);
  ASSERT_EQ(bench.lane->output.sent.size(), sent_ + 3);
  EXPECT_EQ(bench.lane->output.sent[sent_].frame, first_);
  EXPECT_EQ(bench.lane->output.sent[sent_ + 1].frame, second_);
  EXPECT_EQ(bench.lane->output.sent[sent_ + 2].frame, last_);
}

TEST_F(HelloInParts, IsDroppedWithAllItsPartsWhenTheRuleDropsIt) {
  classify::Policy policy = decrypt_tls();
  policy.rules.back().decryption = classify::DecryptionMode::SslForwardProxy;
  TlsBench bench(std::move(policy));
  begin(bench);
  for (const Octets& part : {first_, second_, last_}) bench.lane->receive(kFirstSide, part);
  EXPECT_EQ(bench.lane->dropped(DropReason::DecryptionUnavailable), 3u);
  EXPECT_TRUE(bench.all().empty());
}

TEST_F(HelloInParts, DoesNotOvertakeItselfWhenAPartIsRepeated) {
  TlsBench bench;
  begin(bench);
  bench.lane->receive(kFirstSide, first_);
  EXPECT_EQ(bench.lane->verdict(kFirstSide, first_), DropReason::TcpDuplicateHeld);
}

TEST_F(HelloInParts, IsNotHeldWithoutTlsCores) {
  Lane lane(compiled(decrypt_tls()));
  ASSERT_TRUE(talk_.open(lane));
  EXPECT_TRUE(lane.passes(kFirstSide, talk_.from_client(kAck, usual_hello().substr(0, 40))));
}

TEST(Adopter, RefusesWhenTheServerSpokeFirst) {
  TlsBench bench;
  TcpTalk talk;
  ASSERT_TRUE(talk.open(*bench.lane));
  ASSERT_TRUE(bench.lane->passes(kSecondSide, talk.from_server(kAck | kPsh, "220 ready\r\n")));
  EXPECT_EQ(bench.lane->verdict(kFirstSide, talk.from_client(kAck | kPsh, usual_hello())),
            DropReason::DecryptionUnavailable);
  EXPECT_TRUE(bench.all().empty());
  const auto events = bench.lane->events();
  const auto tls = std::find_if(events.begin(), events.end(),
                                [](const LogEvent& e) { return e.record.kind == RecordKind::Tls; });
  ASSERT_NE(tls, events.end());
  EXPECT_EQ(read_extra<classify::TlsFacts>(tls->extra).decrypt_reason, DecryptReason::ServerSpokeFirst);
}

TEST(Adopter, DropsTheFlowWhenTheRingIsFull) {
  TlsBench bench(decrypt_tls(), 1);
  TcpTalk one, two;
  two.client_port = 40001;
  ASSERT_TRUE(one.open(*bench.lane));
  ASSERT_TRUE(two.open(*bench.lane));
  EXPECT_EQ(bench.lane->verdict(kFirstSide, one.from_client(kAck | kPsh, usual_hello())),
            DropReason::TlsQueueFull);
  EXPECT_EQ(bench.lane->verdict(kFirstSide, two.from_client(kAck | kPsh, usual_hello())),
            DropReason::DecryptionUnavailable);
}

TEST(Adopter, PassesTheFlowWhenTheRingIsFullAndTheSiteSaysSo) {
  classify::Policy policy = decrypt_tls();
  policy.exceptions.decryption_unavailable = classify::ExceptionAction::Pass;
  TlsBench bench(std::move(policy), 1);
  TcpTalk one, two;
  two.client_port = 40001;
  ASSERT_TRUE(one.open(*bench.lane));
  ASSERT_TRUE(two.open(*bench.lane));
  bench.lane->receive(kFirstSide, one.from_client(kAck | kPsh, usual_hello()));
  EXPECT_TRUE(bench.lane->passes(kFirstSide, two.from_client(kAck | kPsh, usual_hello())));
}

TEST(Adopter, HandsOverBothDirectionsWhateverTheirNumbers) {
  TlsBench bench;
  TcpTalk talk;
  bench.adopt(talk);
  // Towards each peer the kernel counts on its own.
  talk.client_next += 100'000'000;
  talk.server_next += 200'000'000;
  bench.lane->receive(kFirstSide, talk.from_client(kAck, "x"));
  bench.lane->receive(kSecondSide, talk.from_server(kAck, "y"));
  const auto messages = bench.all();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].tag.port.value, kFirstSide.value);
  EXPECT_EQ(messages[1].tag.port.value, kSecondSide.value);
  EXPECT_EQ(bench.lane->dropped(), 0u);
}

TEST(Adopter, SendsFramesOfTheCoreAsTheyAre) {
  TlsBench bench;
  TcpTalk talk;
  bench.adopt(talk);
  const Octets frame = talk.from_server(kAck, "from the core");
  bench.frame(kFirstSide, frame);
  ASSERT_FALSE(bench.lane->output.sent.empty());
  EXPECT_EQ(bench.lane->output.sent.back().port.value, kFirstSide.value);
  EXPECT_EQ(bench.lane->output.sent.back().frame, frame);
}

TEST(Adopter, LogsTheHandshakeWhenTheSessionOpens) {
  TlsBench bench;
  TcpTalk talk;
  const TlsTag tag = bench.adopt(talk);
  EXPECT_TRUE(bench.lane->records(RecordKind::Tls).empty());
  bench.report(tag, {.event = Event::Opened, .facts = {}});
  const auto records = bench.lane->records(RecordKind::Tls);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].decrypt_result, DecryptResult::Decrypted);
  EXPECT_EQ(records[0].action, Action::Allow);
}

TEST(Adopter, AFlowThatCannotBeDecryptedIsDroppedAndTold) {
  TlsBench bench;
  TcpTalk talk;
  const TlsTag tag = bench.adopt(talk);
  bench.lane->records();
  bench.report(tag, ended(DecryptReason::KeyMismatch));
  // The kernel answers what still comes with resets.
  bench.lane->receive(kFirstSide, talk.from_client(kAck, "x"));
  EXPECT_EQ(bench.all().size(), 1u);
  const auto records = bench.lane->records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].kind, RecordKind::Tls);
  EXPECT_EQ(records[0].decrypt_result, DecryptResult::Failed);
  EXPECT_EQ(records[1].kind, RecordKind::FlowDrop);
  EXPECT_EQ(records[1].drop_reason, DropReason::DecryptionFailed);
}

TEST(Adopter, AnOrderlyEndIsAnEnd) {
  TlsBench bench;
  TcpTalk talk;
  const TlsTag tag = bench.adopt(talk);
  SessionReport report = ended(DecryptReason::None);
  report.was_open = true;
  bench.report(tag, report);
  bench.lane->age(10 * kSecond);
  const auto records = bench.lane->records(RecordKind::FlowEnd);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].end_reason, EndReason::TcpFin);
  EXPECT_EQ(records[0].action, Action::Allow);
  const auto messages = bench.all();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].tag.kind, TlsMessage::Forget);
  EXPECT_EQ(messages[0].tag.stamp, tag.stamp);
}

TEST(Adopter, AReportOfAnEarlierFlowChangesNothing) {
  TlsBench bench;
  TcpTalk talk;
  TlsTag tag = bench.adopt(talk);
  tag.stamp += 1;
  bench.report(tag, ended(DecryptReason::KeyMismatch));
  bench.lane->receive(kFirstSide, talk.from_client(kAck, "x"));
  EXPECT_TRUE(bench.lane->records(RecordKind::FlowDrop).empty());
}

TEST(Adopter, ANewConnectionOnTheSamePortsIsAnotherFlow) {
  TlsBench bench;
  TcpTalk talk;
  const TlsTag tag = bench.adopt(talk);
  bench.report(tag, ended(DecryptReason::None));
  bench.lane->now += kSecond;
  TcpTalk again;
  again.client_next = 77'000;
  const TlsTag fresh = [&] {
    EXPECT_TRUE(again.open(*bench.lane));
    EXPECT_EQ(bench.next()->tag.kind, TlsMessage::Forget);
    bench.lane->receive(kFirstSide, again.from_client(kAck | kPsh, usual_hello()));
    return bench.next()->tag;
  }();
  EXPECT_EQ(fresh.kind, TlsMessage::Adopt);
  EXPECT_NE(fresh.stamp, tag.stamp);
}

TEST(Adopter, APolicyThatDropsTheFlowAbortsItsSession) {
  TlsBench bench;
  TcpTalk talk;
  bench.adopt(talk);
  bench.lane->publish(compiled(wire_policy(2)));
  bench.lane->receive(kFirstSide, talk.from_client(kAck, "x"));
  bench.lane->receive(kFirstSide, talk.from_client(kAck, "x"));
  const auto messages = bench.all();
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0].tag.kind, TlsMessage::Abort);
  EXPECT_EQ(messages[1].tag.kind, TlsMessage::Packet);
}

TEST(Adopter, AFlowGoesOnDecryptedWhenItsNewRuleWantsNoDecryption) {
  TlsBench bench;
  TcpTalk talk;
  bench.adopt(talk);
  classify::Policy policy = allow_only(classify::app::kTls, 2);
  policy.inbound_inspection = true;
  bench.lane->publish(compiled(std::move(policy)));
  bench.lane->receive(kFirstSide, talk.from_client(kAck, "x"));
  const auto messages = bench.all();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].tag.kind, TlsMessage::Packet);
}

TEST(Adopter, ARuleForTheForwardProxyMeetsItsException) {
  classify::Policy policy = decrypt_tls();
  policy.rules.back().decryption = classify::DecryptionMode::SslForwardProxy;
  TlsBench bench(std::move(policy));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(*bench.lane));
  EXPECT_EQ(bench.lane->verdict(kFirstSide, talk.from_client(kAck | kPsh, usual_hello())),
            DropReason::DecryptionUnavailable);
}

TEST(Adopter, TellsTheCoreWhichRuleWantsWhat) {
  TlsBench bench(proxy_tls(3));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(*bench.lane));
  bench.lane->receive(kFirstSide, talk.from_client(kAck | kPsh, usual_hello()));
  const auto message = bench.next();
  ASSERT_TRUE(message && message->request);
  EXPECT_EQ(message->request->mode, classify::DecryptionMode::SslForwardProxy);
  EXPECT_EQ(message->request->generation, Generation{3});
  EXPECT_EQ(message->request->rule, proxy_tls().rules.back().id);
}

// Its verdict is open: what runs inside decides, so the rule that waits for it says how it is opened.
TEST(Adopter, TellsTheCoreHowToOpenAFlowThatNoRuleHasYet) {
  classify::Policy policy = proxy_tls();
  policy.rules.back().application = classify::app::kHttp;
  TlsBench bench(std::move(policy));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(*bench.lane));
  bench.lane->receive(kFirstSide, talk.from_client(kAck | kPsh, usual_hello()));
  const auto message = bench.next();
  ASSERT_TRUE(message && message->request);
  EXPECT_EQ(message->request->mode, classify::DecryptionMode::SslForwardProxy);
}

TEST(Adopter, ARuleForInboundInspectionMeetsItsExceptionWhereOnlyACaIs) {
  classify::Policy policy = proxy_tls();
  policy.rules.back().decryption = classify::DecryptionMode::SslInboundInspection;
  TlsBench bench(std::move(policy));
  TcpTalk talk;
  ASSERT_TRUE(talk.open(*bench.lane));
  EXPECT_EQ(bench.lane->verdict(kFirstSide, talk.from_client(kAck | kPsh, usual_hello())),
            DropReason::DecryptionUnavailable);
}

TEST(Adopter, ResetsTheSenderOfAnUnknownConnectionExactly) {
  TlsBench bench;
  TcpTalk talk;
  EXPECT_EQ(bench.lane->verdict(kFirstSide, talk.client_frame(talk.next_of_client(kAck, "x"))),
            DropReason::Midstream);
  ASSERT_EQ(bench.lane->output.sent.size(), 1u);
  EXPECT_EQ(bench.lane->output.sent[0].port.value, kFirstSide.value);
  Tcp expected{.sequence = talk.server_next, .flags = kRst, .window = 0};
  const Octets frame = talk.server_frame(expected);
  const Octets& sent = bench.lane->output.sent[0].frame;
  ASSERT_EQ(sent.size(), 14u + 20 + 20);
  EXPECT_TRUE(std::equal(sent.begin() + 34, sent.end(), frame.begin() + 34)) << "TCP header and checksum";
  EXPECT_TRUE(std::equal(sent.begin() + 26, sent.begin() + 34, frame.begin() + 26)) << "addresses";
}

TEST(Adopter, ResetsOverIpv6AreWhatAHostAccepts) {
  TlsBench bench;
  TcpTalk talk;
  talk.client = ip("fd01::5");
  talk.server = ip("fd03::1");
  bench.lane->receive(kSecondSide, talk.server_frame(talk.next_of_server(kAck, "x")));
  ASSERT_EQ(bench.lane->output.sent.size(), 1u);
  const Octets reset = bench.lane->output.sent[0].frame;
  // The parser looks at lengths and checksums as a host does.
  EXPECT_EQ(bench.lane->verdict(kFirstSide, reset), DropReason::Midstream);
}

TEST(Adopter, AnswersNoResetWithAReset) {
  TlsBench bench;
  TcpTalk talk;
  bench.lane->receive(kFirstSide, talk.client_frame(talk.next_of_client(kAck | kRst)));
  EXPECT_TRUE(bench.lane->output.sent.empty());
}

TEST(Adopter, ResetsNoMoreThanAThousandInASecond) {
  TlsBench bench;
  TcpTalk talk;
  for (int i = 0; i < 1500; ++i)
    bench.lane->receive(kFirstSide, talk.client_frame(talk.next_of_client(kAck)));
  EXPECT_EQ(bench.lane->output.sent.size(), 1000u);
  bench.lane->now += kSecond;
  bench.lane->receive(kFirstSide, talk.client_frame(talk.next_of_client(kAck)));
  EXPECT_EQ(bench.lane->output.sent.size(), 1001u);
}

TEST(Adopter, StaysSilentWhereNothingIsDecrypted) {
  TlsBench bench(allow_all());
  TcpTalk talk;
  EXPECT_EQ(bench.lane->verdict(kFirstSide, talk.client_frame(talk.next_of_client(kAck))),
            DropReason::Midstream);
  EXPECT_TRUE(bench.lane->output.sent.empty());
}

TEST(Adopter, FramesForBothSidesKeepTheirTags) {
  const Octets frame = tcp_frame(ip("10.1.0.5"), ip("10.3.0.1"), {});
  Octets tagged(frame.begin(), frame.begin() + 12);
  for (const uint8_t byte : {0x88, 0xa8, 0x20, 0x05, 0x81, 0x00, 0x00, 0x07}) tagged.push_back(byte);
  tagged.insert(tagged.end(), frame.begin() + 12, frame.end());
  EXPECT_EQ(ethernet_of(frame).size, 14);
  const EthernetHeader header = ethernet_of(tagged);
  EXPECT_EQ(header.size, 22);
  EXPECT_TRUE(std::equal(header.view().begin(), header.view().end(), tagged.begin()));
}

}  // namespace
}  // namespace postern::dataplane
