// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/header_match.h"

#include <algorithm>

namespace postern::profiles::ips {
namespace {

struct Ends {
  const IpAddress& source;
  const IpAddress& destination;
  uint16_t source_port, destination_port;
};

bool between(const Signature& s, const Ends& ends) noexcept {
  return s.source_ports.contains(ends.source_port) && s.destination_ports.contains(ends.destination_port) &&
         s.source.contains(ends.source) && s.destination.contains(ends.destination);
}

uint64_t value_of(Field field, const PacketFacts& p) noexcept {
  switch (field) {
    case Field::Ttl:
      return p.ttl;
    case Field::IpId:
      return p.ip_id;
    case Field::Tos:
      return p.tos;
    case Field::IpProtocol:
      return p.ip_protocol;
    case Field::IcmpType:
      return p.icmp_type;
    case Field::IcmpCode:
      return p.icmp_code;
    case Field::IcmpId:
      return p.icmp_id;
    case Field::IcmpSequence:
      return p.icmp_sequence;
    case Field::TcpSequence:
      return p.tcp_sequence;
    case Field::TcpAck:
      return p.tcp_ack;
    case Field::TcpWindow:
      return p.tcp_window;
    case Field::TcpMss:
      return p.tcp_mss;
    case Field::PayloadSize:
      return p.payload_size;
    case Field::ClientStream:
      return p.client_stream;
    default:
      return p.server_stream;
  }
}

// Numbers of ICMP do not exist in another protocol's packet, and 0 is one of them.
bool exists(Field field, const PacketFacts& p) noexcept {
  constexpr uint8_t kIcmp = 1, kIcmpV6 = 58, kTcp = 6;
  if (field >= Field::IcmpType && field <= Field::IcmpSequence)
    return p.ip_protocol == kIcmp || p.ip_protocol == kIcmpV6;
  if (field >= Field::TcpSequence && field <= Field::TcpMss) return p.ip_protocol == kTcp;
  return true;
}

bool holds(const FieldTest& test, const PacketFacts& packet) noexcept {
  if (!exists(test.field, packet)) return false;
  if (test.field == Field::BothStreams)
    return test.range.holds(packet.client_stream) && test.range.holds(packet.server_stream);
  if (test.field == Field::EitherStream)
    return test.range.holds(packet.client_stream) || test.range.holds(packet.server_stream);
  return test.range.holds(value_of(test.field, packet));
}

bool holds(const TcpFlags& test, uint8_t flags) noexcept {
  flags &= static_cast<uint8_t>(~test.ignored);
  switch (test.how) {
    case TcpFlags::How::Exactly:
      return flags == test.flags;
    case TcpFlags::How::AtLeast:
      return (flags & test.flags) == test.flags;
    case TcpFlags::How::Any:
      return (flags & test.flags) != 0;
    case TcpFlags::How::Not:
      return (flags & test.flags) != test.flags;
  }
  return false;
}

}  // namespace

bool header_matches(const Signature& s, const FlowFacts& flow, Direction direction) noexcept {
  if ((s.transports & static_cast<uint8_t>(flow.transport)) == 0) return false;
  if (s.sender && *s.sender != direction) return false;
  if (s.established != Established::Either &&
      (s.established == Established::Yes) != (flow.phase == FlowPhase::Established))
    return false;
  if (!carries(s.app, flow.app)) return false;
  for (const App app : s.not_apps)
    if (carries(app, flow.app)) return false;
  if (s.ip_version != 0 && (s.ip_version == 4) != flow.client.is_v4()) return false;
  if (s.same_ip && flow.client != flow.server) return false;
  const Ends to_server{flow.client, flow.server, flow.client_port, flow.server_port};
  const Ends to_client{flow.server, flow.client, flow.server_port, flow.client_port};
  const bool forth = direction == Direction::ToServer;
  if (between(s, forth ? to_server : to_client)) return true;
  return s.both_ways && between(s, forth ? to_client : to_server);
}

bool packet_matches(const Signature& s, const PacketFacts* packet) noexcept {
  if (!s.asks_packet()) return true;
  if (packet == nullptr) return false;
  if (s.flags && (packet->ip_protocol != 6 || !holds(*s.flags, packet->tcp_flags))) return false;
  if (s.fragment &&
      (*s.fragment == Fragment::DontFragment) != (packet->may_be_cut == PacketFacts::MayBeCut::No))
    return false;
  return std::all_of(s.fields.begin(), s.fields.end(),
                     [&](const FieldTest& test) { return holds(test, *packet); });
}

}  // namespace postern::profiles::ips
