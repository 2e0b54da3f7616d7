// SPDX-License-Identifier: Apache-2.0
// Hashes of a name and of all the names above it in one pass from the right, with a seed. Any thread.
#pragma once

#include <array>

#include "profiles/dns/name.h"

namespace postern::profiles::dns {

// High and low half of the 128-bit product: the mixing step of wyhash.
inline uint64_t fold_product(uint64_t a, uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t hash_bytes(uint64_t seed, Bytes bytes) noexcept {
  static constexpr uint64_t kFirst = 0xa0761d6478bd642f, kSecond = 0xe7037ed1a0b428db;
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  uint64_t hash = seed ^ fold_product(left ^ kFirst, kSecond), word;
  for (; left >= 8; left -= 8, at += 8) {
    std::memcpy(&word, at, 8);
    hash = fold_product(hash ^ word, kFirst);
  }
  // The rest without a byte that is not there.
  if (left >= 4) {
    uint32_t low, high;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + left - 4, 4);
    word = uint64_t{high} << 32 | low;
  } else {
    word = left == 0 ? 0 : uint64_t{at[0]} << 16 | uint64_t{at[left / 2]} << 8 | at[left - 1];
  }
  return fold_product(hash ^ word, kSecond);
}

class NameHashes {
 public:
  NameHashes(const Name& name, uint64_t seed) noexcept : labels_(name.labels()) {
    hashes_[labels_] = seed;
    for (size_t i = labels_; i-- > 0;) hashes_[i] = hash_bytes(hashes_[i + 1], name.label(i));
  }
  uint64_t of(size_t skipped) const noexcept { return hashes_[skipped]; }

 private:
  std::array<uint64_t, 128> hashes_;  // only those of the name are written
  size_t labels_;
};

}  // namespace postern::profiles::dns
