// SPDX-License-Identifier: Apache-2.0
#include "dataplane/segment_headers.h"

#include <algorithm>
#include <cstring>

#include "dataplane/checksum.h"

namespace postern::dataplane {
namespace {

constexpr size_t kV4Header = 20, kV6Header = 40, kTcpHeader = 20;
constexpr uint8_t kTcp = 6, kHops = 64;

// `sum` is as folded_sum makes it, of bytes in memory.
void store_checksum(uint8_t* at, uint16_t sum) noexcept {
  const auto checksum = static_cast<uint16_t>(~sum);
  std::memcpy(at, &checksum, sizeof checksum);
}

}  // namespace

std::optional<TcpPlace> find_tcp(Bytes packet) noexcept {
  size_t tcp = kV6Header;
  if (packet.size() < 20) return std::nullopt;
  if (is_v4(packet)) {
    const bool fragment = (load_be16(&packet[6]) & 0x3fff) != 0;
    if (packet[9] != kTcp || fragment) return std::nullopt;
    tcp = packet[0] % 16 * size_t{4};
    if (tcp < 20) return std::nullopt;
  } else if (packet[0] >> 4 != 6 || packet.size() < kV6Header || packet[6] != kTcp) {
    return std::nullopt;
  }
  if (packet.size() < tcp + 20) return std::nullopt;
  const size_t payload = tcp + size_t{packet[tcp + 12]} / 16 * 4;
  if (payload < tcp + 20 || payload > packet.size()) return std::nullopt;
  return TcpPlace{static_cast<uint16_t>(tcp), static_cast<uint16_t>(payload)};
}

void write_ip_length(uint8_t* packet, size_t length) noexcept {
  if (packet[0] >> 4 == 6) return store_be16(packet + 4, static_cast<uint16_t>(length - kV6Header));
  store_be16(packet + 2, static_cast<uint16_t>(length));
  store_be16(packet + 10, 0);
  store_checksum(packet + 10, folded_sum({packet, packet[0] % 16 * size_t{4}}));
}

void write_tcp_checksum(uint8_t* packet, size_t tcp, size_t length) noexcept {
  uint8_t* segment = packet + tcp;
  store_be16(segment + 16, 0);
  const bool v4 = packet[0] >> 4 == 4;
  const auto address = [&](size_t v4_at, size_t v6_at) {
    return v4 ? IpAddress::from_v4(packet + v4_at) : IpAddress::from_v6(packet + v6_at);
  };
  const uint32_t start = pseudo_header_sum(address(12, 8), address(16, 24), kTcp, length - tcp);
  store_checksum(segment + 16, folded_sum({segment, length - tcp}, start));
}

size_t write_frame(const BareSegment& segment, Bytes ethernet, uint8_t* frame) noexcept {
  uint8_t* packet = std::copy(ethernet.begin(), ethernet.end(), frame);
  const bool v4 = segment.from.address.is_v4();
  const size_t header = v4 ? kV4Header : kV6Header, size = header + kTcpHeader;
  std::memset(packet, 0, size);
  const auto put = [&](const IpAddress& address, size_t at) {
    const Bytes bytes = v4 ? Bytes(address.bytes).subspan(12) : Bytes(address.bytes);
    std::copy(bytes.begin(), bytes.end(), packet + at);
  };
  if (v4) {
    packet[0] = 0x45;
    packet[6] = 0x40;  // not to be cut
    packet[8] = kHops;
    packet[9] = kTcp;
  } else {
    packet[0] = 0x60;
    packet[6] = kTcp;
    packet[7] = kHops;
  }
  put(segment.from.address, v4 ? 12 : 8);
  put(segment.to.address, v4 ? 16 : 24);
  uint8_t* tcp = packet + header;
  store_be16(tcp, segment.from.port);
  store_be16(tcp + 2, segment.to.port);
  store_be32(tcp + 4, segment.sequence);
  store_be32(tcp + 8, segment.acknowledgement);
  tcp[12] = kTcpHeader / 4 << 4;
  tcp[13] = segment.flags;
  write_ip_length(packet, size);
  write_tcp_checksum(packet, header, size);
  return ethernet.size() + size;
}

}  // namespace postern::dataplane
