// SPDX-License-Identifier: Apache-2.0
#include "dataplane/parse_ip.h"

#include "dataplane/checksum.h"

namespace postern::dataplane {
namespace {

constexpr uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kNoNextHeader = 59, kDestinationOptions = 60;

bool is_loopback(const IpAddress& a) noexcept {
  if (a.is_v4()) return a.bytes[12] == 127;
  static constexpr IpAddress kLoopback{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  return a == kLoopback;
}

bool is_broadcast(const IpAddress& a) noexcept {
  return a.is_v4() && a.bytes[12] == 255 && a.bytes[13] == 255 && a.bytes[14] == 255 && a.bytes[15] == 255;
}

bool addresses_ok(const IpHeader& header) noexcept {
  const IpAddress& source = header.source;
  if (source.is_multicast() || is_broadcast(source)) return false;
  if (is_loopback(source) || is_loopback(header.destination)) return false;
  return source != header.destination;  // land attack
}

// RFC 791 options: source routes would lead past the judged destination, so they never pass.
DropReason check_ipv4_options(Bytes options) noexcept {
  constexpr uint8_t kEnd = 0, kNop = 1, kLooseSourceRoute = 131, kStrictSourceRoute = 137;
  ByteReader reader(options);
  while (reader.remaining() > 0) {
    const uint8_t type = reader.u8();
    if (type == kEnd) return DropReason::None;
    if (type == kNop) continue;
    if (type == kLooseSourceRoute || type == kStrictSourceRoute) return DropReason::IpSourceRoute;
    const uint8_t length = reader.u8();
    if (!reader.ok() || length < 2) return DropReason::BadIpOption;
    reader.skip(length - 2u);
    if (!reader.ok()) return DropReason::BadIpOption;
  }
  return DropReason::None;
}

struct OptionScan {
  bool ok = false;
  bool router_alert = false;
};

// Options of a hop-by-hop or destination options header, RFC 8200 section 4.2: the two highest bits of an
// unknown type say whether a host skips it (00) or discards the packet. Linux also refuses more than 7 bytes
// of padding in a row.
OptionScan scan_ipv6_options(Bytes options) noexcept {
  constexpr uint8_t kPad1 = 0, kPadN = 1, kRouterAlert = 5;
  OptionScan scan;
  ByteReader reader(options);
  unsigned padding = 0;
  while (reader.remaining() > 0) {
    const uint8_t type = reader.u8();
    if (type == kPad1) {
      if (++padding > 7) return scan;
      continue;
    }
    const uint8_t length = reader.u8();
    const Bytes value = reader.bytes(length);
    if (!reader.ok()) return scan;
    if (type == kPadN) {
      padding += length + 2u;
      if (padding > 7) return scan;
      for (uint8_t byte : value)
        if (byte != 0) return scan;
      continue;
    }
    padding = 0;
    if (type == kRouterAlert) {
      if (length != 2) return scan;
      scan.router_alert = true;
    } else if ((type & 0xc0) != 0) {
      return scan;
    }
  }
  scan.ok = true;
  return scan;
}

// State of a walk over IPv6 extension headers.
struct Walk {
  DropReason reason = DropReason::None;
  uint8_t next = 0;
  ByteReader reader{Bytes{}};
  bool router_alert = false;
};

// Reads headers until an upper layer or a fragment header. Any number of destination options headers is
// delivered by Linux, so the length of the packet is the only bound.
Walk walk_headers(uint8_t next, Bytes rest, bool at_start) noexcept {
  Walk walk{.next = next, .reader = ByteReader(rest)};
  for (;;) {
    if (walk.next == kHopByHop && !at_start) {
      walk.reason = DropReason::BadExtensionHeader;
      return walk;
    }
    if (walk.next != kHopByHop && walk.next != kRouting && walk.next != kDestinationOptions) return walk;
    const uint8_t kind = walk.next;
    walk.next = walk.reader.u8();
    const uint8_t units = walk.reader.u8();
    const Bytes body = walk.reader.bytes(units * 8u + 6u);
    if (!walk.reader.ok()) {
      walk.reason = DropReason::Truncated;
      return walk;
    }
    if (kind == kRouting) {
      if (body[1] != 0) {  // segments left
        walk.reason = DropReason::IpSourceRoute;
        return walk;
      }
    } else {
      const OptionScan scan = scan_ipv6_options(body);
      if (!scan.ok) {
        walk.reason = DropReason::BadIpOption;
        return walk;
      }
      walk.router_alert |= kind == kHopByHop && scan.router_alert;
    }
    at_start = false;
  }
}

void read_fragment_header(Walk& walk, IpHeader& header) noexcept {
  walk.next = walk.reader.u8();
  walk.reader.skip(1);
  const uint16_t field = walk.reader.be16();
  header.identification = walk.reader.be32();
  if (!walk.reader.ok()) {
    header.reason = DropReason::Truncated;
    return;
  }
  header.fragment_offset = field & 0xfff8;
  header.more_fragments = (field & 1) != 0;
  header.fragment = header.more_fragments || header.fragment_offset != 0;
}

}  // namespace

IpHeader parse_ipv4(Bytes packet) noexcept {
  IpHeader header;
  if (packet.size() < 20) {
    header.reason = DropReason::Truncated;
    return header;
  }
  const uint8_t* p = packet.data();
  const size_t header_length = (p[0] & 0x0f) * 4u;
  const size_t total_length = load_be16(p + 2);
  if (p[0] >> 4 != 4 || header_length < 20 || total_length < header_length) {
    header.reason = DropReason::BadIpHeader;
    return header;
  }
  if (total_length > packet.size()) {
    header.reason = DropReason::Truncated;
    return header;
  }
  if (folded_sum(packet.first(header_length)) != 0xffff) {
    header.reason = DropReason::BadIpChecksum;
    return header;
  }
  if (header_length > 20) header.reason = check_ipv4_options(packet.subspan(20, header_length - 20));
  if (header.reason != DropReason::None) return header;
  header.source = IpAddress::from_v4(p + 12);
  header.destination = IpAddress::from_v4(p + 16);
  if (!addresses_ok(header)) {
    header.reason = DropReason::BadAddress;
    return header;
  }
  header.protocol = p[9];
  header.hop_limit = p[8];
  header.identification = load_be16(p + 4);
  const uint16_t fragment_field = load_be16(p + 6);
  header.fragment_offset = static_cast<uint16_t>((fragment_field & 0x1fff) * 8);
  header.more_fragments = (fragment_field & 0x2000) != 0;
  header.fragment = header.more_fragments || header.fragment_offset != 0;
  header.payload = packet.subspan(header_length, total_length - header_length);
  return header;
}

IpHeader parse_ipv6(Bytes packet) noexcept {
  IpHeader header;
  if (packet.size() < 40) {
    header.reason = DropReason::Truncated;
    return header;
  }
  const uint8_t* p = packet.data();
  const size_t payload_length = load_be16(p + 4);
  if (p[0] >> 4 != 6) {
    header.reason = DropReason::BadIpHeader;
    return header;
  }
  if (payload_length > packet.size() - 40) {
    header.reason = DropReason::Truncated;
    return header;
  }
  header.hop_limit = p[7];
  header.source = IpAddress::from_v6(p + 8);
  header.destination = IpAddress::from_v6(p + 24);
  // An IPv4-mapped address on the wire would share keys with the IPv4 host (RFC 4942 section 2.2).
  if (!addresses_ok(header) || header.source.is_v4() || header.destination.is_v4()) {
    header.reason = DropReason::BadAddress;
    return header;
  }
  Walk walk = walk_headers(p[6], packet.subspan(40, payload_length), true);
  header.reason = walk.reason;
  header.router_alert = walk.router_alert;
  if (header.reason != DropReason::None) return header;
  if (walk.next == kFragment) {
    read_fragment_header(walk, header);
    if (header.reason != DropReason::None) return header;
    if (header.fragment) {
      header.protocol = walk.next;  // first header of the reassembled part
      header.payload = walk.reader.rest();
      return header;
    }
    walk = walk_headers(walk.next, walk.reader.rest(), false);
    header.reason = walk.next == kFragment ? DropReason::FragmentBad : walk.reason;
    if (header.reason != DropReason::None) return header;
  }
  header.protocol = walk.next;
  header.payload = walk.next == kNoNextHeader ? Bytes{} : walk.reader.rest();
  return header;
}

ExtensionWalk walk_extensions(uint8_t next_header, Bytes rest) noexcept {
  const Walk walk = walk_headers(next_header, rest, false);
  if (walk.reason != DropReason::None) return {.reason = walk.reason};
  if (walk.next == kFragment) return {.reason = DropReason::FragmentBad};
  return {.protocol = walk.next, .payload = walk.reader.rest()};
}

QuotedPacket read_quoted_packet(Bytes quoted, bool v4) noexcept {
  QuotedPacket packet;
  ByteReader reader(quoted);
  if (v4) {
    const Bytes fixed = reader.bytes(20);
    if (!reader.ok() || fixed[0] >> 4 != 4 || (fixed[0] & 0x0f) < 5 || (load_be16(&fixed[6]) & 0x1fff) != 0)
      return packet;
    reader.skip((fixed[0] & 0x0f) * 4u - 20);
    packet.source = IpAddress::from_v4(&fixed[12]);
    packet.destination = IpAddress::from_v4(&fixed[16]);
    packet.protocol = fixed[9];
  } else {
    const Bytes fixed = reader.bytes(40);
    if (!reader.ok() || fixed[0] >> 4 != 6) return packet;
    packet.source = IpAddress::from_v6(&fixed[8]);
    packet.destination = IpAddress::from_v6(&fixed[24]);
    packet.protocol = fixed[6];
    while (packet.protocol == kHopByHop || packet.protocol == kRouting ||
           packet.protocol == kDestinationOptions || packet.protocol == kFragment) {
      const bool fragment = packet.protocol == kFragment;
      packet.protocol = reader.u8();
      const uint8_t units = reader.u8();
      const uint16_t offset = reader.be16();
      if (fragment && (offset & 0xfff8) != 0) return packet;
      reader.skip(fragment ? 4 : units * 8u + 4);
      if (!reader.ok()) return packet;
    }
  }
  packet.transport = reader.rest();
  packet.ok = reader.ok() && packet.transport.size() >= 8;
  return packet;
}

}  // namespace postern::dataplane
