// SPDX-License-Identifier: Apache-2.0
// Every reason for a drop can be reached: one entry per reason, each through the pipeline, a worker or a
// replay. A new reason without an entry fails here.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>

#include "base/verdict.h"
#include "dataplane/capture_writer.h"
#include "dataplane/replay.h"
#include "policies.h"
#include "tcp_talk.h"
#include "tests/classify/tls_hello_builder.h"
#include "tls_bench.h"
#include "worker_bench.h"

namespace postern::dataplane {
namespace {

using classify::kAnyApplication;
using classify::Policy;

const IpAddress kClient = ip("10.1.0.5"), kServer = ip("10.3.0.1");
const IpAddress kClient6 = ip("fd01::5"), kServer6 = ip("fd03::1");

// How many packets were dropped for `reason` when these frames came in on the first side.
uint64_t drops(DropReason reason, const std::vector<Octets>& frames, LaneSetup setup = lane_setup(),
               Policy policy = allow_all()) {
  Lane lane(compiled(std::move(policy)), std::move(setup));
  for (const Octets& frame : frames) lane.receive(kFirstSide, frame);
  return lane.dropped(reason);
}

Octets packet4(uint8_t protocol, const Octets& payload, const Ip& fields = {}) {
  return ethernet_ip(ip_packet(kClient, kServer, protocol, payload, fields));
}
Octets packet6(uint8_t protocol, const Octets& payload, const Ip& fields = {}) {
  return ethernet_ip(ip_packet(kClient6, kServer6, protocol, payload, fields));
}
Octets some_udp() { return udp(kClient, kServer, 1000, 2000, "0123456789abcdef"); }

uint64_t truncated() { return drops(DropReason::Truncated, {Octets(13)}); }
uint64_t vlan_stack() {
  return drops(DropReason::VlanStack,
               {ethernet_ip(ip_packet(kClient, kServer, 17, some_udp()), {{5}, {6}, {7}})});
}
uint64_t vlan_unmapped() {
  Wire wire;
  wire.vlan_map = {{10, 110}};
  LaneSetup setup = lane_setup();
  setup.pipeline = PipelineSetup::from({wire});
  return drops(DropReason::VlanUnmapped, {udp_frame(kClient, kServer, 1, 2, "x", {{110}})}, std::move(setup));
}
uint64_t l2_policy() { return drops(DropReason::L2Policy, {ethernet(0x9000, Octets(46))}); }
uint64_t bad_ip_header() {
  Octets frame = packet4(17, some_udp());
  frame[14] = 0x44;
  return drops(DropReason::BadIpHeader, {frame});
}
uint64_t bad_ip_checksum() {
  Octets frame = packet4(17, some_udp());
  frame[24] ^= 1;
  return drops(DropReason::BadIpChecksum, {frame});
}
uint64_t ip_source_route() {
  return drops(DropReason::IpSourceRoute, {packet4(17, some_udp(), {.options = {131, 3, 4, 0}})});
}
uint64_t bad_ip_option() {
  return drops(DropReason::BadIpOption, {packet4(17, some_udp(), {.options = {7, 1, 0, 0}})});
}
uint64_t bad_extension_header() {
  const Octets late_hop_by_hop = {0, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0};
  return drops(DropReason::BadExtensionHeader, {packet6(60, late_hop_by_hop)});
}
uint64_t bad_address() {
  return drops(DropReason::BadAddress, {udp_frame(ip("224.0.0.5"), kServer, 1, 2, "x")});
}
uint64_t bad_transport_header() { return drops(DropReason::BadTransportHeader, {packet4(17, Octets(7))}); }
uint64_t bad_transport_checksum() {
  Octets segment = some_udp();
  segment.back() ^= 1;
  return drops(DropReason::BadTransportChecksum, {packet4(17, segment)});
}
uint64_t bad_tcp_flags() {
  return drops(DropReason::BadTcpFlags, {tcp_frame(kClient, kServer, {.flags = kSyn | kFin})});
}
uint64_t fragment_overlap() {
  return drops(DropReason::FragmentOverlap, {packet4(17, Octets(16), {.more = true}),
                                             packet4(17, Octets(16), {.offset = 8, .more = true})});
}
uint64_t fragment_bad() { return drops(DropReason::FragmentBad, {packet4(17, Octets(15), {.more = true})}); }
uint64_t fragments_full() {
  LaneSetup setup = lane_setup();
  setup.pipeline.fragments.datagrams = 1;
  return drops(DropReason::FragmentsFull,
               {packet4(17, Octets(16), {.identification = 1, .more = true}),
                packet4(17, Octets(16), {.identification = 2, .more = true})},
               std::move(setup));
}
uint64_t fragment_timeout() {
  Lane lane(compiled(allow_all()));
  lane.receive(kFirstSide, packet4(17, Octets(16), {.more = true}));
  lane.age(31 * kSecond);
  return lane.dropped(DropReason::FragmentTimeout);
}
uint64_t flow_table_full() {
  Lane lane(compiled(allow_all()), lane_setup(64));
  for (uint16_t port = 1; port <= 64; ++port) {
    lane.receive(kFirstSide, udp_frame(kClient, kServer, port, 2000, "x"));
    lane.receive(kSecondSide, udp_frame(kServer, kClient, 2000, port, "x"));
  }
  lane.receive(kFirstSide, udp_frame(kClient, kServer, 999, 2000, "x"));
  return lane.dropped(DropReason::FlowTableFull);
}
// More flows in one burst than may be half-open: none of them can make room while its packet is on the way.
uint64_t half_open_full() {
  Lane lane(compiled(allow_all()), lane_setup(64));
  std::vector<Lane::In> burst;
  for (uint16_t port = 1; port <= Burst::kCapacity; ++port)
    burst.emplace_back(kFirstSide, udp_frame(kClient, kServer, port, 2000, "x"));
  lane.receive_burst(burst);
  return lane.dropped(DropReason::HalfOpenFull);
}
uint64_t midstream() { return drops(DropReason::Midstream, {tcp_frame(kClient, kServer, {.flags = kAck})}); }
uint64_t tcp_out_of_window() {
  Lane lane(compiled(allow_all()));
  TcpTalk talk;
  EXPECT_TRUE(talk.open(lane));
  talk.client_next += 1'000'000;
  lane.receive(kFirstSide, talk.from_client(kAck, "far ahead"));
  return lane.dropped(DropReason::TcpOutOfWindow);
}
uint64_t tcp_md5() {
  Lane lane(compiled(allow_all()));
  TcpTalk talk;
  EXPECT_TRUE(talk.open(lane));
  Tcp segment = talk.next_of_client(kAck, "x");
  segment.options = {1, 1, 19, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  lane.receive(kFirstSide, talk.client_frame(segment));
  return lane.dropped(DropReason::TcpMd5);
}
// A connection whose application is not known yet; `further` frames are made of the client's next segment.
uint64_t in_stream(DropReason reason, const std::function<void(Lane&, TcpTalk&)>& talk_on) {
  Lane lane(compiled(allow_all()));
  TcpTalk talk;
  EXPECT_TRUE(talk.open(lane));
  lane.receive(kFirstSide, talk.from_client(kAck, "\x16"));  // may become a TLS record
  talk_on(lane, talk);
  return lane.dropped(reason);
}
Tcp shifted(const TcpTalk& talk, uint32_t by, std::string payload) {
  Tcp segment = talk.next_of_client(kAck, std::move(payload));
  segment.sequence += by;
  return segment;
}
uint64_t tcp_old_timestamp() {
  Lane lane(compiled(allow_all()));
  TcpTalk talk;
  lane.receive(kFirstSide, talk.from_client(kSyn));
  lane.receive(kSecondSide, talk.from_server(kSyn | kAck));
  Tcp segment = talk.next_of_client(kAck);
  segment.options = {1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0};
  lane.receive(kFirstSide, talk.client_frame(segment));
  segment.payload = "x";
  segment.options[7] = 8;
  lane.receive(kFirstSide, talk.client_frame(segment));
  return lane.dropped(DropReason::TcpOldTimestamp);
}
uint64_t tcp_overlap_differs() {
  return in_stream(DropReason::TcpOverlapDiffers, [](Lane& lane, TcpTalk& talk) {
    lane.receive(kFirstSide, talk.client_frame(shifted(talk, -1u, "G")));
  });
}
uint64_t tcp_duplicate_held() {
  return in_stream(DropReason::TcpDuplicateHeld, [](Lane& lane, TcpTalk& talk) {
    for (int i = 0; i < 2; ++i) lane.receive(kFirstSide, talk.client_frame(shifted(talk, 5, "later")));
  });
}
uint64_t tcp_gap() {
  return in_stream(DropReason::TcpGap, [](Lane& lane, TcpTalk& talk) {
    lane.receive(kFirstSide, talk.client_frame(shifted(talk, 5, "later")));
    lane.age(7200 * kSecond);
  });
}
uint64_t stream_full() {
  return in_stream(DropReason::StreamFull, [](Lane& lane, TcpTalk& talk) {
    for (uint32_t i = 0; i <= StreamLimits{}.held_per_flow; ++i)
      lane.receive(kFirstSide, talk.client_frame(shifted(talk, 5 + i, "x")));
  });
}
uint64_t stream_fragments() {
  return in_stream(DropReason::StreamFragments, [](Lane& lane, TcpTalk& talk) {
    Tcp fields = shifted(talk, 5, "0123456789ab");
    fields.source_port = talk.client_port;
    fields.destination_port = talk.server_port;
    const Octets segment = tcp(talk.client, talk.server, fields);
    const Octets head(segment.begin(), segment.begin() + 24), tail(segment.begin() + 24, segment.end());
    lane.receive(kFirstSide, packet4(6, head, {.more = true}));
    lane.receive(kFirstSide, packet4(6, tail, {.offset = 24}));
  });
}
uint64_t icmp_unrelated() {
  const Octets quoted = ip_packet(kServer, kClient, 17, udp(kServer, kClient, 1, 2, "x"));
  return drops(DropReason::IcmpUnrelated, {icmp_frame(kClient, kServer, 3, 3, 0, quoted)});
}
uint64_t no_zone() { return drops(DropReason::NoZone, {udp_frame(ip("192.0.2.1"), kServer, 1, 2, "x")}); }
uint64_t policy_rule() {
  Policy policy = wire_policy();
  add_wire_rule(policy, Action::Drop, kAnyApplication);
  return drops(DropReason::PolicyRule, {udp_frame(kClient, kServer, 1, 2, "x")}, lane_setup(),
               std::move(policy));
}
uint64_t policy_default() {
  return drops(DropReason::PolicyDefault, {udp_frame(kClient, kServer, 1, 2, "x")}, lane_setup(),
               wire_policy());
}
uint64_t application_unknown() {
  Policy policy = allow_only(classify::app::kTls);
  policy.pending.packets = 2;
  Lane lane(compiled(std::move(policy)));
  TcpTalk talk;
  lane.receive(kFirstSide, talk.from_client(kSyn));
  lane.receive(kSecondSide, talk.from_server(kSyn | kAck));
  lane.receive(kFirstSide, talk.from_client(kAck));
  return lane.dropped(DropReason::ApplicationUnknown);
}
uint64_t decryption_unavailable() {
  Policy policy = allow_only(classify::app::kTls);
  policy.rules[0].decryption = classify::DecryptionMode::SslForwardProxy;
  Lane lane(compiled(std::move(policy)));
  TcpTalk talk;
  EXPECT_TRUE(talk.open(lane));
  lane.receive(kFirstSide, talk.from_client(kAck | kPsh, classify::usual_hello()));
  return lane.dropped(DropReason::DecryptionUnavailable);
}
uint64_t inspection_unavailable() {
  Policy policy = allow_all();
  policy.rules[0].profiles = classify::kIps;
  return drops(DropReason::InspectionUnavailable, {udp_frame(kClient, kServer, 1, 2, "x")}, lane_setup(),
               std::move(policy));
}
uint64_t mtu_exceeded() {
  LaneSetup setup = lane_setup();
  setup.pipeline.max_frame = 200;
  return drops(DropReason::MtuExceeded, {udp_frame(kClient, kServer, 1, 2, std::string(159, 'x'))},
               std::move(setup));
}
uint64_t port_down() {
  Lane lane(compiled(allow_all()));
  lane.output.up[1] = false;
  lane.receive(kFirstSide, udp_frame(kClient, kServer, 1, 2, "x"));
  return lane.dropped(DropReason::PortDown);
}
uint64_t tx_full() {
  Lane lane(compiled(allow_all()));
  lane.output.room = 0;
  lane.receive(kFirstSide, udp_frame(kClient, kServer, 1, 2, "x"));
  return lane.dropped(DropReason::TxFull);
}
// Two workers, of which only the first runs: the inbox of the other takes one packet and is full.
uint64_t handoff_full() {
  const auto snapshot = compiled(allow_all());
  WorkerBench bench(*snapshot, 2);
  unsigned host = 1;
  const auto address = [&] { return ip("10.1.0." + std::to_string(host)); };
  while (owner_of(address(), kServer, 2) != 1) ++host;
  for (uint16_t port = 1; port <= 10; ++port)
    bench.arrive(kFirstSide, udp_frame(address(), kServer, port, 2, "x"));
  bench.start();
  const WorkerStats stats = bench.stats_after(10);
  EXPECT_EQ(stats.handed_over, 1u);
  EXPECT_EQ(stats.received, 10u);
  return stats.dropped[static_cast<size_t>(DropReason::HandoffFull)];
}
// The ring of the TLS core takes the request and nothing more.
uint64_t tls_queue_full() {
  TlsBench bench(decrypt_tls(), 1);
  TcpTalk talk;
  EXPECT_TRUE(talk.open(*bench.lane));
  bench.lane->receive(kFirstSide, talk.from_client(kAck | kPsh, classify::usual_hello()));
  return bench.lane->dropped(DropReason::TlsQueueFull);
}
// Packets of these two go on to the TLS core, whose kernel answers with resets: the flow counts them.
uint64_t dropped_after(DecryptReason reason, DropReason expected) {
  TlsBench bench;
  TcpTalk talk;
  const TlsTag tag = bench.adopt(talk);
  bench.report(tag, {.event = SessionReport::Event::Ended, .reason = reason, .facts = {}});
  bench.lane->receive(kFirstSide, talk.from_client(kAck, "x"));
  bench.lane->age(60 * kSecond);
  uint64_t dropped = 0;
  for (const LogRecord& record : bench.lane->records(RecordKind::FlowEnd))
    if (record.drop_reason == expected) dropped += record.dropped_packets;
  return dropped;
}
uint64_t decryption_failed() {
  return dropped_after(DecryptReason::ServerHandshake, DropReason::DecryptionFailed);
}
uint64_t content_blocked() {
  return dropped_after(DecryptReason::ContentBlocked, DropReason::ContentBlocked);
}
// A capture may hold frames longer than any packet buffer.
uint64_t no_buffer() {
  const std::string path =
      std::filesystem::temp_directory_path() / ("no_buffer" + std::to_string(getpid()) + ".pcapng");
  {
    auto writer = CaptureWriter::create(path);
    EXPECT_TRUE(writer);
    writer->write(writer->interface("front"), kSecond, Octets(65'500));
  }
  const auto snapshot = compiled(allow_all());
  Wire wire;
  auto replay = Replay::create({.wires = {wire}, .workers = 1, .flows = 64}, *snapshot, nullptr,
                               [](const LogEvent&) {});
  EXPECT_TRUE(replay);
  auto capture = CaptureReader::open(path);
  EXPECT_TRUE((*replay)->play(*capture));
  std::filesystem::remove(path);
  const WorkerStats stats = (*replay)->stats();
  EXPECT_EQ(stats.received, 1u);
  return stats.dropped[static_cast<size_t>(DropReason::NoBuffer)];
}

struct Way {
  DropReason reason;
  uint64_t (*packets_dropped)();
};
constexpr Way kWays[] = {
    {DropReason::Truncated, truncated},
    {DropReason::VlanStack, vlan_stack},
    {DropReason::VlanUnmapped, vlan_unmapped},
    {DropReason::L2Policy, l2_policy},
    {DropReason::BadIpHeader, bad_ip_header},
    {DropReason::BadIpChecksum, bad_ip_checksum},
    {DropReason::IpSourceRoute, ip_source_route},
    {DropReason::BadIpOption, bad_ip_option},
    {DropReason::BadExtensionHeader, bad_extension_header},
    {DropReason::BadAddress, bad_address},
    {DropReason::BadTransportHeader, bad_transport_header},
    {DropReason::BadTransportChecksum, bad_transport_checksum},
    {DropReason::BadTcpFlags, bad_tcp_flags},
    {DropReason::FragmentOverlap, fragment_overlap},
    {DropReason::FragmentBad, fragment_bad},
    {DropReason::FragmentsFull, fragments_full},
    {DropReason::FragmentTimeout, fragment_timeout},
    {DropReason::FlowTableFull, flow_table_full},
    {DropReason::HalfOpenFull, half_open_full},
    {DropReason::Midstream, midstream},
    {DropReason::TcpOutOfWindow, tcp_out_of_window},
    {DropReason::TcpMd5, tcp_md5},
    {DropReason::TcpOldTimestamp, tcp_old_timestamp},
    {DropReason::TcpOverlapDiffers, tcp_overlap_differs},
    {DropReason::TcpDuplicateHeld, tcp_duplicate_held},
    {DropReason::TcpGap, tcp_gap},
    {DropReason::StreamFull, stream_full},
    {DropReason::StreamFragments, stream_fragments},
    {DropReason::IcmpUnrelated, icmp_unrelated},
    {DropReason::NoZone, no_zone},
    {DropReason::PolicyRule, policy_rule},
    {DropReason::PolicyDefault, policy_default},
    {DropReason::ApplicationUnknown, application_unknown},
    {DropReason::DecryptionUnavailable, decryption_unavailable},
    {DropReason::DecryptionFailed, decryption_failed},
    {DropReason::ContentBlocked, content_blocked},
    {DropReason::InspectionUnavailable, inspection_unavailable},
    {DropReason::MtuExceeded, mtu_exceeded},
    {DropReason::PortDown, port_down},
    {DropReason::TxFull, tx_full},
    {DropReason::HandoffFull, handoff_full},
    {DropReason::TlsQueueFull, tls_queue_full},
    {DropReason::NoBuffer, no_buffer},
};

class Reaches : public testing::TestWithParam<Way> {};

TEST_P(Reaches, ItsReason) { EXPECT_GE(GetParam().packets_dropped(), 1u); }

INSTANTIATE_TEST_SUITE_P(DropReason, Reaches, testing::ValuesIn(kWays),
                         [](const testing::TestParamInfo<Way>& way) {
                           return std::string(drop_reason_name(way.param.reason));
                         });

TEST(DropReasons, HaveOneWayToBeReachedEach) {
  for (size_t i = 1; i < kDropReasons; ++i) {
    const auto reason = static_cast<DropReason>(i);
    const auto ways = std::count_if(std::begin(kWays), std::end(kWays),
                                    [&](const Way& way) { return way.reason == reason; });
    EXPECT_EQ(ways, 1) << drop_reason_name(reason);
  }
}

}  // namespace
}  // namespace postern::dataplane
