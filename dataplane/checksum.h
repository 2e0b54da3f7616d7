// SPDX-License-Identifier: Apache-2.0
// Internet checksums (RFC 1071) over contiguous bytes, reassembled or not. Any thread.
#pragma once

#include <rte_ip.h>

#include "base/address.h"
#include "base/bytes.h"

namespace postern::dataplane {

inline uint16_t folded_sum(Bytes bytes, uint32_t start = 0) noexcept {
  uint32_t sum = start + rte_raw_cksum(bytes.data(), bytes.size());
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>((sum & 0xffff) + (sum >> 16));
}

// Sum of the pseudo header of RFC 9293 section 3.1 or RFC 8200 section 8.1; the same for both address
// families because the mapped prefix of an IPv4 address adds ffff twice, which is zero in one's complement.
inline uint32_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                                  size_t length) noexcept {
  const uint8_t tail[6] = {static_cast<uint8_t>(length >> 24),
                           static_cast<uint8_t>(length >> 16),
                           static_cast<uint8_t>(length >> 8),
                           static_cast<uint8_t>(length),
                           0,
                           protocol};
  return uint32_t{folded_sum(source.bytes)} + folded_sum(destination.bytes) + folded_sum(Bytes(tail));
}

inline bool transport_checksum_ok(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                                  Bytes segment) noexcept {
  return folded_sum(segment, pseudo_header_sum(source, destination, protocol, segment.size())) == 0xffff;
}

}  // namespace postern::dataplane
