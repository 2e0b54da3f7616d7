// SPDX-License-Identifier: Apache-2.0
// Which worker owns a flow: the one that symmetric receive side scaling of a NIC would choose for its two
// addresses. Addresses alone, so fragments, ICMP errors and related flows of a pair of hosts meet on one
// worker. Any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/address.h"
#include "base/bytes.h"

namespace postern::dataplane {

// The key of Woo and Park (2012), 16 bits repeated: the Toeplitz hash of two addresses is then the same in
// both orders, and depends on nothing but the exclusive or of their 16-bit words.
inline constexpr uint16_t kSymmetricKey = 0x6d5a;
inline constexpr unsigned kRetaSize = 128;  // entry i of every port's redirection table is queue i % workers

inline uint32_t symmetric_hash(const IpAddress& a, const IpAddress& b) noexcept {
  uint64_t words[4];
  std::memcpy(words, a.bytes.data(), 16);
  std::memcpy(words + 2, b.bytes.data(), 16);
  uint64_t folded = words[0] ^ words[1] ^ words[2] ^ words[3];  // an IPv4 address's mapped prefix cancels out
  folded ^= folded >> 32;
  folded ^= folded >> 16;
  const auto native = static_cast<uint16_t>(folded);
  const auto* p = reinterpret_cast<const uint8_t*>(&native);
  uint32_t hash = 0;
  constexpr uint32_t kKey = uint32_t{kSymmetricKey} << 16 | kSymmetricKey;
  for (unsigned bits = load_be16(p); bits != 0; bits &= bits - 1)
    hash ^= std::rotl(kKey, 15 - std::countr_zero(bits));
  return hash;
}

inline unsigned owner_of(const IpAddress& a, const IpAddress& b, unsigned workers) noexcept {
  return (symmetric_hash(a, b) % kRetaSize) % workers;
}

// Owner of a frame as it came in, before it is parsed; ICMP errors go where the flow they speak of lives.
// Frames without IP belong to whoever holds them, so `otherwise` is returned.
unsigned owner_of_frame(Bytes frame, unsigned workers, unsigned otherwise) noexcept;

}  // namespace postern::dataplane
