// SPDX-License-Identifier: Apache-2.0
// What tells one flow of a wire from another. Ordered by the wire's sides, so both directions have the same
// key and the side a packet came from is its direction; an address on the wrong side is another flow. Any
// thread.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/address.h"
#include "base/ids.h"

namespace postern::dataplane {

struct FlowKey {
  IpAddress address[2];   // by side
  uint16_t port[2] = {};  // by side, host order; ICMP: identifier, then request type
  uint16_t vlan[2] = {};  // outer, inner, as the wire's first side writes them; 0: none
  uint8_t protocol = 0;
  uint8_t wire = 0;

  // Three loads that overlap: compilers call memcmp for a size like this one, 20 cycles instead of 5.
  bool operator==(const FlowKey& other) const noexcept {
#if defined(__SSE2__)
    const auto differs = [&](size_t at) {
      const auto* own = reinterpret_cast<const uint8_t*>(this) + at;
      const auto* others = reinterpret_cast<const uint8_t*>(&other) + at;
      return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(own)),
                           _mm_loadu_si128(reinterpret_cast<const __m128i*>(others)));
    };
    static_assert(sizeof(address) + sizeof(port) + sizeof(vlan) + 2 == 42);
    const __m128i any = _mm_or_si128(_mm_or_si128(differs(0), differs(16)), differs(26));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(any, _mm_setzero_si128())) == 0xffff;
#else
    return std::memcmp(this, &other, sizeof *this) == 0;
#endif
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
  // The last two bytes are loaded as two: a copy of all 42 and a load of eight would wait for each other.
  uint64_t w[5];
  uint16_t last;
  std::memcpy(w, &key, sizeof w);
  std::memcpy(&last, &key.protocol, sizeof last);
  const uint64_t a = fold_multiply(w[0] ^ 0xa0761d6478bd642full ^ seed, w[1] ^ 0xe7037ed1a0b428dbull);
  const uint64_t b = fold_multiply(w[2] ^ 0x8ebc6af09c88c6e3ull ^ seed, w[3] ^ 0x589965cc75374cc3ull);
  const uint64_t c = fold_multiply(w[4] ^ 0x1d8e4e27c47d124full ^ seed, last ^ 0xeb44accab455d165ull);
  return fold_multiply(a ^ c, b ^ 0x2d358dccaa6c78a5ull);
}

}  // namespace postern::dataplane
