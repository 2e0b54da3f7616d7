// SPDX-License-Identifier: Apache-2.0
#include "dataplane/parse.h"

#include <algorithm>

#include "dataplane/checksum.h"
#include "dataplane/tcp_flags.h"

namespace postern::dataplane {
namespace {

using classify::kIcmp;
using classify::kIcmpV6;
using classify::kTcp;
using classify::kUdp;

constexpr size_t kEthernet = 14, kVlanTag = 4;
constexpr uint16_t kIpV4 = 0x0800, kArp = 0x0806, kRarp = 0x8035, kVlan = 0x8100, kServiceVlan = 0x88a8,
                   kIpV6 = 0x86dd, kPause = 0x8808, kSlowProtocols = 0x8809, kEapol = 0x888e, kLldp = 0x88cc,
                   kLargestLength = 1500;
constexpr uint8_t kIgmp = 2;

// 802.1D/802.1Q reserved group addresses 01:80:c2:00:00:xx.
bool is_reserved_group(const uint8_t* mac) noexcept {
  static constexpr uint8_t kGroup[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};
  return std::memcmp(mac, kGroup, 5) == 0;
}

// Neighbour discovery (RFC 4861) and multicast listener reports (RFC 2710, RFC 3810).
bool is_neighbour_discovery(uint8_t type, const IpHeader& header) noexcept {
  if (type >= 133 && type <= 137) return header.hop_limit == 255;
  return (type == 143 || (type >= 130 && type <= 132)) && header.hop_limit == 1 && header.router_alert;
}

bool is_icmp_error(uint8_t type, bool v4) noexcept {
  if (!v4) return type >= 1 && type <= 4;
  return type == 3 || type == 4 || type == 11 || type == 12;
}

// The request type an ICMP query or reply belongs to; replies are told from requests by slot.icmp_type.
uint8_t query_type(uint8_t type, bool v4) noexcept {
  if (!v4) return type == 129 ? 128 : type;
  switch (type) {
    case 0:
      return 8;
    case 14:
      return 13;
    case 18:
      return 17;
    default:
      return type;
  }
}

void set_ports(Slot& slot, uint16_t source, uint16_t destination) noexcept {
  const size_t from = static_cast<size_t>(slot.port.side());
  slot.key.port[from] = source;
  slot.key.port[1 - from] = destination;
}

// IpAddress::from_v4 in two stores, so that a copy of all 16 bytes need not wait for smaller ones.
void write_v4(IpAddress& address, const uint8_t* four_bytes) noexcept {
  uint64_t tail = 0;
  auto* bytes = reinterpret_cast<uint8_t*>(&tail);
  bytes[2] = bytes[3] = 0xff;
  std::memcpy(bytes + 4, four_bytes, 4);
  std::memset(address.bytes.data(), 0, 8);
  std::memcpy(address.bytes.data() + 8, &tail, 8);
}

void apply(Slot& slot, L2Action action) noexcept {
  if (action == L2Action::Drop) return drop(slot, DropReason::L2Policy);
  slot.fate = Fate::Forward;
}

}  // namespace

unsigned Parser::run(Burst& burst, const classify::Exceptions& exceptions) noexcept {
  fragments_.begin_burst();
  unsigned open = 0;
  for (Slot& slot : burst) {
    parse(slot, burst.now);
    open += slot.fate == Fate::Open;
    if (slot.fate != Fate::Drop) continue;
    const bool full = slot.reason == DropReason::FragmentsFull;
    // A bad frame that a host ignores may pass on the operator's word; a source route or a stack of tags that
    // would reach another destination than the judged one may not.
    const bool malformed =
        slot.reason == DropReason::BadIpChecksum || slot.reason == DropReason::BadTransportChecksum ||
        slot.reason == DropReason::BadTransportHeader || slot.reason == DropReason::BadTcpFlags ||
        slot.reason == DropReason::Truncated || slot.reason == DropReason::BadIpHeader;
    if ((full && exceptions.fragments_full != classify::ExceptionAction::Drop) ||
        (malformed && exceptions.malformed != classify::ExceptionAction::Drop)) {
      slot.fate = Fate::Forward;
      slot.reason = DropReason::None;
    }
  }
  return open;
}

void Parser::parse(Slot& slot, Timestamp now) noexcept {
  slot.key = FlowKey{};
  slot.kind = Kind::Layer2;
  const Bytes frame = slot.packet.bytes();
  if (frame.size() < kEthernet || !slot.packet.linear()) return drop(slot, DropReason::Truncated);
  const ParseRules& rules = wires_[slot.port.wire().value];

  size_t offset = kEthernet - 2;
  uint16_t ethertype = load_be16(&frame[offset]);
  unsigned tags = 0, ids = 0;
  while (ethertype == kVlan || ethertype == kServiceVlan) {
    if (++tags > 2) return drop(slot, DropReason::VlanStack);
    if (frame.size() < offset + kVlanTag + 2) return drop(slot, DropReason::Truncated);
    const uint16_t id = load_be16(&frame[offset + 2]) & 0x0fff;
    // Hosts strip a priority tag (id 0) wherever it stands, so it does not count (CVE-2021-27853).
    if (id != 0) slot.key.vlan[ids++] = id;
    if (id != 0 && ids == 1 && !rules.vlan_map.empty()) {
      slot.vlan_out = rules.vlan_map.translate(slot.port.side(), id);
      slot.vlan_changes = slot.vlan_out != id;
      if (slot.vlan_out == VlanMap::kUnmapped) return drop(slot, DropReason::VlanUnmapped);
      if (tags == 2 && slot.vlan_changes) return drop(slot, DropReason::VlanStack);
      if (slot.port.side() == Side::Second) slot.key.vlan[0] = slot.vlan_out;
    }
    offset += kVlanTag;
    ethertype = load_be16(&frame[offset]);
  }
  if (ethertype == kIpV4 && parse_plain(slot, frame.subspan(offset + 2))) return;
  if (ethertype == kIpV4 || ethertype == kIpV6)
    return parse_ip(slot, frame.subspan(offset + 2), ethertype == kIpV4, now);
  parse_layer2(slot, rules.l2, ethertype);
}

// What nearly every packet is: IPv4 without options and in one piece, TCP or UDP, whose sums the port has
// checked. It only ever accepts: false means that the whole way has to be gone, whatever the reason.
bool Parser::parse_plain(Slot& slot, Bytes packet) noexcept {
  constexpr uint64_t kSums = RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK;
  constexpr uint64_t kGood = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
  constexpr size_t kIp = 20, kTcpHeader = 20, kUdpHeader = 8;
  if ((slot.packet.offload_flags() & kSums) != kGood || packet.size() < kIp + kTcpHeader) return false;
  const uint8_t* ip = packet.data();
  const size_t length = load_be16(ip + 2);
  const bool whole = ip[0] == 0x45 && (load_be16(ip + 6) & 0x3fff) == 0 && length <= packet.size();
  const uint32_t source = load_be32(ip + 12), destination = load_be32(ip + 16);
  const bool ordinary =
      source != destination && source >> 28 < 0xe && source >> 24 != 127 && destination >> 24 != 127;
  if (!whole || !ordinary) return false;
  const uint8_t* transport = ip + kIp;
  if (ip[9] == kTcp) {
    const size_t header = (transport[12] >> 4) * 4u;
    // RFC 9293 section 3.10.7: what is neither SYN nor RST has ACK; everything else is looked at in full.
    const bool middle = (transport[13] & (kSyn | kRst | kAck)) == kAck;
    const bool opening = (transport[13] & (kSyn | kRst | kFin)) == kSyn && length == kIp + header;
    if (!(middle || opening) || header < kTcpHeader || length < kIp + header) return false;
    slot.kind = Kind::Tcp;
    slot.tcp_flags = transport[13];
    slot.segment = packet.subspan(kIp, length - kIp);
    slot.payload = packet.subspan(kIp + header, length - kIp - header);
  } else {
    const size_t datagram = load_be16(transport + 4);
    if (ip[9] != kUdp || datagram < kUdpHeader || length < kIp + datagram) return false;
    slot.kind = Kind::Udp;
    slot.segment = packet.subspan(kIp, datagram);
    slot.payload = packet.subspan(kIp + kUdpHeader, datagram - kUdpHeader);
  }
  slot.key.wire = slot.port.wire().value;
  slot.key.protocol = ip[9];
  const size_t from = static_cast<size_t>(slot.port.side());
  write_v4(slot.key.address[from], ip + 12);
  write_v4(slot.key.address[1 - from], ip + 16);
  set_ports(slot, load_be16(transport), load_be16(transport + 2));
  return true;
}

void Parser::parse_layer2(Slot& slot, const L2Policy& l2, uint16_t ethertype) noexcept {
  const uint8_t* destination = slot.packet.data();
  switch (ethertype) {
    case kArp:
    case kRarp:
      return apply(slot, l2.arp);
    case kLldp:
      return apply(slot, l2.lldp);
    case kSlowProtocols:
      return apply(slot, l2.lacp);
    case kEapol:
      return apply(slot, l2.eapol);
    case kPause:
      return apply(slot, l2.pause);
    default:
      break;
  }
  if (is_reserved_group(destination))
    return apply(slot, destination[5] == 0 || destination[5] == 8 ? l2.stp : l2.other_multicast);
  static constexpr uint8_t kPvst[6] = {0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcd};
  if (std::memcmp(destination, kPvst, 6) == 0) return apply(slot, l2.stp);
  if (ethertype <= kLargestLength && (destination[0] & 1) != 0) return apply(slot, l2.other_multicast);
  apply(slot, l2.unknown_ethertype);
}

void Parser::parse_ip(Slot& slot, Bytes packet, bool v4, Timestamp now) noexcept {
  IpHeader header = v4 ? parse_ipv4(packet) : parse_ipv6(packet);
  if (header.reason != DropReason::None) return drop(slot, header.reason);
  const size_t from = static_cast<size_t>(slot.port.side());
  slot.key.wire = slot.port.wire().value;
  slot.key.address[from] = header.source;
  slot.key.address[1 - from] = header.destination;
  if (!header.fragment) {
    slot.segment = header.payload;
  } else {
    fragments_.add(slot, header, now);
    if (slot.fate != Fate::Open) return;
    if (!v4) {
      // RFC 8200 section 4.5: the first fragment names the first header of the reassembled part.
      const ExtensionWalk walk = walk_extensions(slot.key.protocol, slot.segment);
      if (walk.reason != DropReason::None) return drop(slot, walk.reason);
      header.protocol = walk.protocol;
      slot.segment = walk.payload;
    }
  }
  slot.key.protocol = header.protocol;
  switch (header.protocol) {
    case kTcp:
      return parse_tcp(slot);
    case kUdp:
      return parse_udp(slot, v4);
    case kIcmp:
    case kIcmpV6:
      break;
    default:
      if (header.protocol == kIgmp && header.hop_limit == 1)
        return apply(slot, wires_[slot.port.wire().value].l2.other_multicast);
      slot.kind = Kind::OtherIp;
      slot.payload = slot.segment;
      return;
  }
  if (v4 != (header.protocol == kIcmp)) return drop(slot, DropReason::BadTransportHeader);
  parse_icmp(slot, v4);
  if (slot.fate == Fate::Open && !v4 && is_neighbour_discovery(slot.icmp_type, header))
    apply(slot, wires_[slot.port.wire().value].l2.nd);
}

bool Parser::checksum_ok(const Slot& slot) const noexcept {
  const bool whole = slot.segment.data() >= slot.packet.data() &&
                     slot.segment.data() < slot.packet.data() + slot.packet.length();
  if (whole && (slot.packet.offload_flags() & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
    return true;
  return transport_checksum_ok(slot.key.address[0], slot.key.address[1], slot.key.protocol, slot.segment);
}

void Parser::parse_tcp(Slot& slot) noexcept {
  slot.kind = Kind::Tcp;
  const Bytes segment = slot.segment;
  if (segment.size() < 20) return drop(slot, DropReason::BadTransportHeader);
  const size_t header_length = (segment[12] >> 4) * 4u;
  if (header_length < 20 || header_length > segment.size()) return drop(slot, DropReason::BadTransportHeader);
  if (!checksum_ok(slot)) return drop(slot, DropReason::BadTransportChecksum);
  slot.tcp_flags = segment[13];
  slot.payload = segment.subspan(header_length);
  // RFC 9293 section 3.10.7: apart from SYN and RST every segment has ACK. Data in a SYN is ignored by hosts
  // without TCP fast open and delivered by others (RFC 7413), so it is refused.
  const uint8_t flags = slot.tcp_flags & (kFin | kSyn | kRst | kAck);
  const bool syn = (flags & kSyn) != 0;
  const bool bad = syn ? (flags & (kFin | kRst)) != 0 || !slot.payload.empty()
                       : (flags & (kAck | kRst)) == 0 || (flags & (kRst | kFin)) == (kRst | kFin);
  if (bad) return drop(slot, DropReason::BadTcpFlags);
  set_ports(slot, load_be16(&segment[0]), load_be16(&segment[2]));
}

void Parser::parse_udp(Slot& slot, bool v4) noexcept {
  slot.kind = Kind::Udp;
  const Bytes segment = slot.segment;
  if (segment.size() < 8) return drop(slot, DropReason::BadTransportHeader);
  const uint16_t length = load_be16(&segment[4]);
  if (length < 8 || length > segment.size()) return drop(slot, DropReason::BadTransportHeader);
  slot.segment = segment.first(length);
  // RFC 8200 section 8.1: a zero UDP checksum means none in IPv4 and is refused in IPv6.
  const bool no_checksum = load_be16(&segment[6]) == 0;
  if (no_checksum ? !v4 : !checksum_ok(slot)) return drop(slot, DropReason::BadTransportChecksum);
  slot.payload = slot.segment.subspan(8);
  set_ports(slot, load_be16(&segment[0]), load_be16(&segment[2]));
}

void Parser::parse_icmp(Slot& slot, bool v4) noexcept {
  const Bytes segment = slot.segment;
  if (segment.size() < 8) return drop(slot, DropReason::BadTransportHeader);
  const bool ok = v4 ? folded_sum(segment) == 0xffff : checksum_ok(slot);
  if (!ok) return drop(slot, DropReason::BadTransportChecksum);
  slot.icmp_type = segment[0];
  slot.icmp_code = segment[1];
  slot.payload = segment;
  if (is_icmp_error(slot.icmp_type, v4)) {
    slot.kind = Kind::IcmpError;
    if (!key_from_icmp_error(slot, v4)) drop(slot, DropReason::IcmpUnrelated);
    return;
  }
  slot.kind = Kind::IcmpQuery;
  slot.key.port[0] = load_be16(&segment[4]);
  slot.key.port[1] = query_type(slot.icmp_type, v4);
}

// The packet an ICMP error quotes was sent by the error's receiver; its flow is the one the error speaks of.
bool Parser::key_from_icmp_error(Slot& slot, bool v4) noexcept {
  const QuotedPacket quoted = read_quoted_packet(slot.segment.subspan(8), v4);
  const size_t from = static_cast<size_t>(slot.port.side());
  if (!quoted.ok || quoted.source != slot.key.address[1 - from]) return false;
  slot.key.address[from] = quoted.destination;
  slot.key.protocol = quoted.protocol;
  const Bytes transport = quoted.transport;
  if (quoted.protocol == kTcp || quoted.protocol == kUdp) {
    slot.key.port[1 - from] = load_be16(&transport[0]);
    slot.key.port[from] = load_be16(&transport[2]);
  } else if (quoted.protocol == kIcmp || quoted.protocol == kIcmpV6) {
    slot.key.port[0] = load_be16(&transport[4]);
    slot.key.port[1] = query_type(transport[0], v4);
  }
  slot.payload = transport;
  return true;
}

}  // namespace postern::dataplane
