// SPDX-License-Identifier: Apache-2.0
// Builds frames layer by layer for tests: an IP payload from its fields, a packet around it, a frame around
// that. All lengths and checksums are right unless a field says otherwise. A mistake in a test's address
// aborts it.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "dataplane/tcp_flags.h"

namespace postern::dataplane {

using Octets = std::vector<uint8_t>;

inline IpAddress ip(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  if (!parsed) std::abort();
  return *parsed;
}

inline Octets octets(std::string_view text) { return Octets(text.begin(), text.end()); }
inline void append(Octets& to, const Octets& more) { to.insert(to.end(), more.begin(), more.end()); }
inline void append16(Octets& to, unsigned value) {
  to.push_back(static_cast<uint8_t>(value >> 8));
  to.push_back(static_cast<uint8_t>(value));
}
inline void append32(Octets& to, uint32_t value) {
  append16(to, value >> 16);
  append16(to, value & 0xffff);
}

// RFC 1071, written the slow way on purpose: the product uses another one.
inline uint32_t slow_sum(const Octets& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? uint32_t{bytes[i]} << 8 : bytes[i];
  return sum;
}
inline uint16_t slow_checksum(uint64_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

inline Octets address_bytes(const IpAddress& address) {
  return address.is_v4() ? Octets(address.bytes.begin() + 12, address.bytes.end())
                         : Octets(address.bytes.begin(), address.bytes.end());
}

inline uint64_t pseudo_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                           size_t length) {
  return uint64_t{slow_sum(address_bytes(source))} + slow_sum(address_bytes(destination)) + protocol +
         (length >> 16) + (length & 0xffff);
}

// Fills in the checksum of a transport header at `offset`; zero there before.
inline void seal(Octets& segment, size_t offset, const IpAddress& source, const IpAddress& destination,
                 uint8_t protocol) {
  const uint64_t pseudo = protocol == 1 ? 0 : pseudo_sum(source, destination, protocol, segment.size());
  uint16_t sum = slow_checksum(pseudo + slow_sum(segment));
  if (protocol == 17 && sum == 0) sum = 0xffff;
  store_be16(&segment[offset], sum);
}

struct Tcp {
  uint16_t source_port = 40000, destination_port = 443;
  uint32_t sequence = 1000, acknowledgement = 0;
  uint8_t flags = kSyn;
  uint16_t window = 60000;
  Octets options;  // a multiple of four bytes
  std::string payload;
};

inline Octets tcp(const IpAddress& source, const IpAddress& destination, const Tcp& fields) {
  Octets segment;
  append16(segment, fields.source_port);
  append16(segment, fields.destination_port);
  append32(segment, fields.sequence);
  append32(segment, fields.acknowledgement);
  segment.push_back(static_cast<uint8_t>((5 + fields.options.size() / 4) << 4));
  segment.push_back(fields.flags);
  append16(segment, fields.window);
  append32(segment, 0);
  append(segment, fields.options);
  append(segment, octets(fields.payload));
  seal(segment, 16, source, destination, 6);
  return segment;
}

inline Octets udp(const IpAddress& source, const IpAddress& destination, uint16_t source_port,
                  uint16_t destination_port, std::string_view payload) {
  Octets segment;
  append16(segment, source_port);
  append16(segment, destination_port);
  append16(segment, static_cast<unsigned>(8 + payload.size()));
  append16(segment, 0);
  append(segment, octets(payload));
  seal(segment, 6, source, destination, 17);
  return segment;
}

// ICMP or ICMPv6 by the family of the addresses. `rest` is the second word of the header.
inline Octets icmp(const IpAddress& source, const IpAddress& destination, uint8_t type, uint8_t code,
                   uint32_t rest, const Octets& body = {}) {
  Octets message = {type, code, 0, 0};
  append32(message, rest);
  append(message, body);
  seal(message, 2, source, destination, source.is_v4() ? 1 : 58);
  return message;
}

struct Ip {
  uint8_t hop_limit = 64;
  uint32_t identification = 7;
  size_t offset = 0;  // of a fragment, bytes
  bool more = false;
  bool fragment_header = false;  // IPv6: also when offset and more say nothing
  Octets options;                // IPv4, a multiple of four bytes
};

inline bool is_fragment(const Ip& fields) {
  return fields.offset != 0 || fields.more || fields.fragment_header;
}

inline Octets ip_packet(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                        const Octets& payload, const Ip& fields = {}) {
  Octets packet;
  if (source.is_v4()) {
    const size_t header = 20 + fields.options.size();
    packet = {static_cast<uint8_t>(0x40 | header / 4), 0};
    append16(packet, static_cast<unsigned>(header + payload.size()));
    append16(packet, fields.identification & 0xffff);
    append16(packet, static_cast<unsigned>(fields.offset / 8 | (fields.more ? 0x2000u : 0u)));
    append(packet, {fields.hop_limit, protocol, 0, 0});
    append(packet, address_bytes(source));
    append(packet, address_bytes(destination));
    append(packet, fields.options);
    store_be16(&packet[10], slow_checksum(slow_sum(packet)));
  } else {
    packet = {0x60, 0, 0, 0};
    const size_t extra = is_fragment(fields) ? 8 : 0;
    append16(packet, static_cast<unsigned>(payload.size() + extra));
    append(packet, {extra != 0 ? uint8_t{44} : protocol, fields.hop_limit});
    append(packet, address_bytes(source));
    append(packet, address_bytes(destination));
    if (extra != 0) {
      append(packet, {protocol, 0});
      append16(packet, static_cast<unsigned>(fields.offset | (fields.more ? 1u : 0u)));
      append32(packet, fields.identification);
    }
  }
  append(packet, payload);
  return packet;
}

struct Tag {
  uint16_t id = 0;
  uint16_t ethertype = 0x8100;
  uint8_t priority = 0;
};

inline constexpr uint8_t kHostMac[6] = {0x02, 0, 0, 0, 0, 0x0a};

inline Octets ethernet(uint16_t ethertype, const Octets& payload, const std::vector<Tag>& tags = {},
                       const Octets& destination = Octets(kHostMac, kHostMac + 6)) {
  Octets frame = destination;
  append(frame, {0x02, 0, 0, 0, 0, 0x0b});
  for (const Tag& tag : tags) {
    append16(frame, tag.ethertype);
    append16(frame, static_cast<unsigned>(tag.priority << 13 | tag.id));
  }
  append16(frame, ethertype);
  append(frame, payload);
  return frame;
}

inline Octets ethernet_ip(const Octets& packet, const std::vector<Tag>& tags = {}) {
  return ethernet(!packet.empty() && packet[0] >> 4 == 6 ? 0x86dd : 0x0800, packet, tags);
}

// Whole frames of the usual kinds.
inline Octets tcp_frame(const IpAddress& source, const IpAddress& destination, const Tcp& fields,
                        const std::vector<Tag>& tags = {}) {
  return ethernet_ip(ip_packet(source, destination, 6, tcp(source, destination, fields)), tags);
}
inline Octets udp_frame(const IpAddress& source, const IpAddress& destination, uint16_t source_port,
                        uint16_t destination_port, std::string_view payload,
                        const std::vector<Tag>& tags = {}) {
  const Octets segment = udp(source, destination, source_port, destination_port, payload);
  return ethernet_ip(ip_packet(source, destination, 17, segment), tags);
}
inline Octets icmp_frame(const IpAddress& source, const IpAddress& destination, uint8_t type, uint8_t code,
                         uint32_t rest, const Octets& body = {}) {
  const Octets message = icmp(source, destination, type, code, rest, body);
  return ethernet_ip(ip_packet(source, destination, source.is_v4() ? 1 : 58, message));
}

}  // namespace postern::dataplane
