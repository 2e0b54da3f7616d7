// SPDX-License-Identifier: Apache-2.0
// Reads IPv4 and IPv6 headers as a Linux host reads them (docs/endpoint_view.md): what a host would not
// deliver is refused by name, so nothing is judged that the receiver sees differently. noexcept, no
// allocation. Any thread.
#pragma once

#include "base/address.h"
#include "base/bytes.h"
#include "base/verdict.h"

namespace postern::dataplane {

struct IpHeader {
  DropReason reason = DropReason::None;  // None: the rest is valid
  IpAddress source, destination;
  uint8_t protocol = 0;  // upper layer
  uint8_t hop_limit = 0;
  bool fragment = false;  // part of a datagram (an IPv6 atomic fragment is not: RFC 6946)
  bool more_fragments = false;
  uint32_t identification = 0;
  uint16_t fragment_offset = 0;  // bytes
  bool router_alert = false;
  Bytes payload;  // after all IP headers; without link layer padding
};

IpHeader parse_ipv4(Bytes packet) noexcept;
IpHeader parse_ipv6(Bytes packet) noexcept;

// Continues the walk over extension headers inside a reassembled IPv6 datagram, whose first header is
// `next_header`. A further fragment header there is refused.
struct ExtensionWalk {
  DropReason reason = DropReason::None;
  uint8_t protocol = 0;
  Bytes payload;
};
ExtensionWalk walk_extensions(uint8_t next_header, Bytes rest) noexcept;

// What an ICMP error quotes of the packet it complains about: headers may be cut, checksums are not looked
// at. `transport` holds at least 8 bytes. Later fragments say nothing of a flow and are refused.
struct QuotedPacket {
  bool ok = false;
  IpAddress source, destination;
  uint8_t protocol = 0;
  Bytes transport;
};
QuotedPacket read_quoted_packet(Bytes quoted, bool v4) noexcept;

}  // namespace postern::dataplane
