// SPDX-License-Identifier: Apache-2.0
#include "classify/decoders/datagrams.h"
#include "classify/port_range.h"

namespace postern::classify::decoders {
namespace {

enum class IcmpKind : uint8_t {
  None,
  Echo,
  Unreachable,
  TimeExceeded,
  Redirect,
  Timestamp,
  RouterDiscovery,
  NeighborDiscovery,
  Mld,
  Other,
};

constexpr size_t kShortest = 4;     // type, code, checksum
constexpr size_t kErrorHeader = 8;  // of both versions
constexpr size_t kIpv6Header = 40, kIpv6Address = 16;

// RFC 792: an error quotes the header and eight bytes of what it is about.
bool quotes_ipv4(Bytes message) noexcept {
  if (message.size() < kErrorHeader + 20) return false;
  const Bytes quoted = message.subspan(kErrorHeader);
  const size_t header = size_t{quoted[0] & 0xfu} * 4;
  return quoted[0] >> 4 == 4 && header >= 20 && quoted.size() >= header + 8;
}

// RFC 4443 section 2.4: as much of it as fits.
bool quotes_ipv6(Bytes message) noexcept {
  return message.size() >= kErrorHeader + kIpv6Header && message[kErrorHeader] >> 4 == 6;
}

// RFC 4861 section 4.6: lengths in units of eight bytes, never none.
bool are_discovery_options(Bytes message, size_t at) noexcept {
  while (at < message.size()) {
    if (message.size() - at < 8) return false;
    const size_t length = size_t{message[at + 1]} * 8;
    if (length == 0 || length > message.size() - at) return false;
    at += length;
  }
  return at == message.size();
}

IcmpKind kind_if(bool condition, IcmpKind kind) noexcept { return condition ? kind : IcmpKind::Other; }

// RFC 1256: addresses with their preference, two words each.
bool is_router_advertisement(Bytes message) noexcept {
  return message.size() >= 8 && message[5] >= 2 && message.size() >= 8 + size_t{message[4]} * message[5] * 4;
}

IcmpKind icmpv4_kind(Bytes message) noexcept {
  const uint8_t type = message[0], code = message[1];
  switch (type) {
    case 0:
    case 8:
      return kind_if(code == 0 && message.size() >= 8, IcmpKind::Echo);
    case 3:
      return kind_if(code <= 15 && quotes_ipv4(message), IcmpKind::Unreachable);
    case 5:
      return kind_if(code <= 3 && quotes_ipv4(message), IcmpKind::Redirect);
    case 9:
      return kind_if((code == 0 || code == 16) && is_router_advertisement(message),
                     IcmpKind::RouterDiscovery);
    case 10:
      return kind_if(code == 0 && message.size() == 8, IcmpKind::RouterDiscovery);
    case 11:
      return kind_if(code <= 1 && quotes_ipv4(message), IcmpKind::TimeExceeded);
    case 13:
    case 14:
      return kind_if(code == 0 && message.size() == 20, IcmpKind::Timestamp);
    default:
      return IcmpKind::Other;
  }
}

// RFC 3810 section 5.2: records of group addresses, sources and perhaps more.
bool is_mld_report(Bytes message) noexcept {
  ByteReader in(message);
  in.skip(6);
  const uint16_t records = in.be16();
  for (uint16_t i = 0; in.ok() && i < records; ++i) {
    in.u8();
    const uint8_t auxiliary = in.u8();
    const uint16_t sources = in.be16();
    in.skip(kIpv6Address + sources * kIpv6Address + auxiliary * size_t{4});
  }
  return in.ok() && in.remaining() == 0 && records != 0;
}

// RFC 2710 has 24 bytes, RFC 3810 adds four and sources.
bool is_mld_query(Bytes message) noexcept {
  if (message.size() == 24) return true;
  return message.size() >= 28 && message.size() == 28 + load_be16(&message[26]) * kIpv6Address;
}

IcmpKind icmpv6_kind(Bytes message) noexcept {
  const uint8_t type = message[0], code = message[1];
  const size_t size = message.size();
  if (type == 1) return kind_if(code <= 8 && quotes_ipv6(message), IcmpKind::Unreachable);
  if (type == 3) return kind_if(code <= 1 && quotes_ipv6(message), IcmpKind::TimeExceeded);
  if (code != 0) return IcmpKind::Other;
  switch (type) {
    case 128:
    case 129:
      return kind_if(size >= 8, IcmpKind::Echo);
    case 130:
      return kind_if(is_mld_query(message), IcmpKind::Mld);
    case 131:
    case 132:
      return kind_if(size == 24, IcmpKind::Mld);
    case 133:
      return kind_if(size >= 8 && are_discovery_options(message, 8), IcmpKind::RouterDiscovery);
    case 134:
      return kind_if(size >= 16 && are_discovery_options(message, 16), IcmpKind::RouterDiscovery);
    case 135:
    case 136:
      return kind_if(size >= 24 && are_discovery_options(message, 24), IcmpKind::NeighborDiscovery);
    case 137:
      return kind_if(size >= 40 && are_discovery_options(message, 40), IcmpKind::Redirect);
    case 143:
      return kind_if(is_mld_report(message), IcmpKind::Mld);
    default:
      return IcmpKind::Other;
  }
}

Fit is_kind(const Evidence& evidence, IcmpKind wanted) noexcept {
  const Bytes message = evidence.payload;
  IcmpKind kind = IcmpKind::None;
  if (message.size() >= kShortest && evidence.protocol == kIcmp) kind = icmpv4_kind(message);
  if (message.size() >= kShortest && evidence.protocol == kIcmpV6) kind = icmpv6_kind(message);
  return kind == wanted ? Fit::Yes : Fit::No;
}

}  // namespace

Fit icmp_echo(const Evidence& evidence) noexcept { return is_kind(evidence, IcmpKind::Echo); }
Fit icmp_unreachable(const Evidence& evidence) noexcept { return is_kind(evidence, IcmpKind::Unreachable); }
Fit icmp_time_exceeded(const Evidence& evidence) noexcept {
  return is_kind(evidence, IcmpKind::TimeExceeded);
}
Fit icmp_redirect(const Evidence& evidence) noexcept { return is_kind(evidence, IcmpKind::Redirect); }
Fit icmp_timestamp(const Evidence& evidence) noexcept { return is_kind(evidence, IcmpKind::Timestamp); }
Fit icmp_router_discovery(const Evidence& evidence) noexcept {
  return is_kind(evidence, IcmpKind::RouterDiscovery);
}
Fit icmpv6_neighbor_discovery(const Evidence& evidence) noexcept {
  return is_kind(evidence, IcmpKind::NeighborDiscovery);
}
Fit icmpv6_mld(const Evidence& evidence) noexcept { return is_kind(evidence, IcmpKind::Mld); }
Fit icmp_other(const Evidence& evidence) noexcept { return is_kind(evidence, IcmpKind::Other); }

}  // namespace postern::classify::decoders
