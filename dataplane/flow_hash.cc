// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow_hash.h"

#include <cassert>

#if defined(__x86_64__)
#include <wmmintrin.h>
#endif

namespace postern::dataplane {

#if defined(__x86_64__)
namespace {

struct RoundKeys {
  __m128i a, b, c;
};

RoundKeys loaded(const uint64_t (&keys)[3][2]) noexcept {
  const auto load = [](const uint64_t* from) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(from));
  };
  return {load(keys[0]), load(keys[1]), load(keys[2])};
}

// Three overlapping parts of the key take two rounds each before they meet, and two more after: a difference
// that vanishes where they meet needs two parts whose differences came out the same, for a seed nobody knows.
[[gnu::target("aes"), gnu::always_inline]] inline uint64_t rounds_of(const FlowKey& key,
                                                                     const RoundKeys& keys) noexcept {
  const auto part = [&key](size_t at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(reinterpret_cast<const uint8_t*>(&key) + at));
  };
  static_assert(sizeof(FlowKey) == 26 + 16);
  __m128i a = _mm_aesenc_si128(_mm_xor_si128(part(0), keys.a), keys.b);
  __m128i b = _mm_aesenc_si128(_mm_xor_si128(part(16), keys.b), keys.c);
  __m128i c = _mm_aesenc_si128(_mm_xor_si128(part(26), keys.c), keys.a);
  a = _mm_aesenc_si128(a, keys.c);
  b = _mm_aesenc_si128(b, keys.a);
  c = _mm_aesenc_si128(c, keys.b);
  const __m128i all = _mm_xor_si128(_mm_xor_si128(a, b), c);
  return static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_aesenc_si128(_mm_aesenc_si128(all, keys.a), keys.b)));
}

}  // namespace

FlowHash::Way FlowHash::fastest() noexcept {
  return __builtin_cpu_supports("aes") != 0 ? Way::Aes : Way::Multiply;
}

[[gnu::target("aes")]] uint64_t FlowHash::by_aes(const FlowKey& key) const noexcept {
  return rounds_of(key, loaded(round_keys_));
}

[[gnu::target("aes")]] FlowHash::Hashes FlowHash::by_aes(std::span<Slot* const> slots) const noexcept {
  const RoundKeys keys = loaded(round_keys_);
  Hashes hashes;
  for (size_t i = 0; i < slots.size(); ++i) hashes[i] = rounds_of(slots[i]->key, keys);
  return hashes;
}
#else
FlowHash::Way FlowHash::fastest() noexcept { return Way::Multiply; }
uint64_t FlowHash::by_aes(const FlowKey& key) const noexcept { return hash_of(key, seed_); }
FlowHash::Hashes FlowHash::by_aes(std::span<Slot* const>) const noexcept { return {}; }
#endif

FlowHash::FlowHash(uint64_t seed, Way way) noexcept : seed_(seed), way_(way) {
  assert(way == Way::Multiply || fastest() == Way::Aes);
  uint64_t state = seed;
  for (auto& key : round_keys_)
    for (uint64_t& half : key) {
      state += 0x9e3779b97f4a7c15ull;
      half = fold_multiply(state ^ seed, 0xe7037ed1a0b428dbull);
    }
}

FlowHash::Hashes FlowHash::of(std::span<Slot* const> slots) const noexcept {
  if (way_ == Way::Aes) return by_aes(slots);
  Hashes hashes;
  for (size_t i = 0; i < slots.size(); ++i) hashes[i] = hash_of(slots[i]->key, seed_);
  return hashes;
}

}  // namespace postern::dataplane
