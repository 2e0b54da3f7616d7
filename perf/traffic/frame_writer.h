// SPDX-License-Identifier: Apache-2.0
// Writes headers with right lengths and checksums (RFC 1071). Any thread.
#pragma once

#include <cstring>

#include "base/bytes.h"
#include "perf/traffic/flow_ends.h"

namespace postern::perf {

// Of bytes in network order; an odd last byte counts as if a zero followed.
inline uint64_t sum_of(const uint8_t* at, size_t size) noexcept {
  uint64_t sum = 0;
  for (; size >= 4; at += 4, size -= 4) sum += load_be32(at);
  for (; size >= 2; at += 2, size -= 2) sum += load_be16(at);
  if (size != 0) sum += uint64_t{at[0]} << 8;
  return sum;
}

inline uint16_t checksum_of(uint64_t sum) noexcept {
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<uint16_t>(~sum);
}

// UDP's checksum is never written as zero (RFC 768).
inline uint16_t udp_checksum_of(uint64_t sum) noexcept {
  const uint16_t checksum = checksum_of(sum);
  return checksum == 0 ? 0xffff : checksum;
}

// Ethernet with an optional VLAN tag (0: none). Bytes written: 14 or 18.
inline size_t write_ethernet(uint8_t* at, const uint8_t* to, const uint8_t* from, uint16_t vlan) noexcept {
  std::memcpy(at, to, 6);
  std::memcpy(at + 6, from, 6);
  if (vlan != 0) {
    store_be16(at + 12, 0x8100);
    store_be16(at + 14, vlan);
  }
  const size_t type_at = vlan != 0 ? 16 : 12;
  store_be16(at + type_at, 0x0800);
  return type_at + 2;
}

// IPv4 without options, don't fragment. Bytes written: 20.
inline size_t write_ipv4(uint8_t* at, uint32_t from, uint32_t to, uint8_t protocol, size_t payload) noexcept {
  store_be32(at, 0x45000000 | static_cast<uint32_t>(20 + payload));
  store_be32(at + 4, 0x00004000);
  store_be32(at + 8, 0x40000000 | uint32_t{protocol} << 16);
  store_be32(at + 12, from);
  store_be32(at + 16, to);
  store_be16(at + 10, checksum_of(sum_of(at, 20)));
  return 20;
}

inline uint64_t pseudo_sum(uint32_t from, uint32_t to, uint8_t protocol, size_t length) noexcept {
  return uint64_t{from} + to + protocol + length;
}

}  // namespace postern::perf
