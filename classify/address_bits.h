// SPDX-License-Identifier: Apache-2.0
// Addresses as machine words, for tables that mask and compare many of them: 32 bits for IPv4, 128 for
// everything (IPv4 mapped). Any thread.
#pragma once

#include <compare>
#include <cstdint>

#include "base/address.h"
#include "base/bytes.h"

namespace postern::classify {

inline constexpr uint64_t mix(uint64_t x) noexcept {  // finaliser of MurmurHash3
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

struct V4Bits {
  static constexpr unsigned kWidth = 32;
  uint32_t word = 0;

  static V4Bits of(const IpAddress& a) noexcept { return {load_be32(&a.bytes[12])}; }
  static V4Bits mask(unsigned length) noexcept { return {length == 0 ? 0 : ~uint32_t{0} << (32 - length)}; }
  uint64_t fold() const noexcept { return word; }
  V4Bits operator&(const V4Bits& o) const noexcept { return {word & o.word}; }
  V4Bits operator^(const V4Bits& o) const noexcept { return {word ^ o.word}; }
  bool zero() const noexcept { return word == 0; }
  auto operator<=>(const V4Bits&) const = default;
};

struct V6Bits {
  static constexpr unsigned kWidth = 128;
  uint64_t high = 0, low = 0;

  static V6Bits of(const IpAddress& a) noexcept {
    const uint8_t* p = a.bytes.data();
    return {uint64_t{load_be32(p)} << 32 | load_be32(p + 4),
            uint64_t{load_be32(p + 8)} << 32 | load_be32(p + 12)};
  }
  static V6Bits mask(unsigned length) noexcept {
    if (length == 0) return {};
    if (length <= 64) return {~uint64_t{0} << (64 - length), 0};
    return {~uint64_t{0}, ~uint64_t{0} << (128 - length)};
  }
  uint64_t fold() const noexcept { return mix(high) ^ low; }
  V6Bits operator&(const V6Bits& o) const noexcept { return {high & o.high, low & o.low}; }
  V6Bits operator^(const V6Bits& o) const noexcept { return {high ^ o.high, low ^ o.low}; }
  bool zero() const noexcept { return (high | low) == 0; }
  auto operator<=>(const V6Bits&) const = default;
};

}  // namespace postern::classify
