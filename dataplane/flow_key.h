// SPDX-License-Identifier: Apache-2.0
// What tells one flow of a wire from another. Ordered by the wire's sides, so both directions have the same
// key and the side a packet came from is its direction; an address on the wrong side is another flow. Any
// thread.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/address.h"
#include "base/ids.h"

namespace postern::dataplane {

struct FlowKey {
  IpAddress address[2];   // by side
  uint16_t port[2] = {};  // by side, host order; ICMP: identifier, then request type
  uint16_t vlan[2] = {};  // outer, inner, as the wire's first side writes them; 0: none
  uint8_t protocol = 0;
  uint8_t wire = 0;

  bool operator==(const FlowKey& other) const noexcept {
    return std::memcmp(this, &other, sizeof *this) == 0;
  }
};
static_assert(sizeof(FlowKey) == 42);

// 64 well mixed bits (multiply and fold, as in wyhash). `seed` is random in a live process, so peers cannot
// aim.
inline uint64_t fold_multiply(uint64_t a, uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t hash_of(const FlowKey& key, uint64_t seed) noexcept {
  uint64_t w[6] = {};
  std::memcpy(w, &key, sizeof key);
  const uint64_t a = fold_multiply(w[0] ^ 0xa0761d6478bd642full ^ seed, w[1] ^ 0xe7037ed1a0b428dbull);
  const uint64_t b = fold_multiply(w[2] ^ 0x8ebc6af09c88c6e3ull ^ seed, w[3] ^ 0x589965cc75374cc3ull);
  const uint64_t c = fold_multiply(w[4] ^ 0x1d8e4e27c47d124full ^ seed, w[5] ^ 0xeb44accab455d165ull);
  return fold_multiply(a ^ c, b ^ 0x2d358dccaa6c78a5ull);
}

}  // namespace postern::dataplane
