// SPDX-License-Identifier: Apache-2.0
// Where a flow table puts its keys: 64 well mixed bits under a secret seed. CRC32, the cheapest, would not
// do: it is linear, so keys that collide under one seed collide under every seed, and who knows some fills a
// bucket. One worker.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/burst.h"

namespace postern::dataplane {

class FlowHash {
 public:
  enum class Way : uint8_t {
    Multiply,  // runs on every processor
    Aes,       // rounds of AES-NI: a third of the instructions
  };
  static Way fastest() noexcept;  // of this processor

  FlowHash(uint64_t seed, Way way) noexcept;

  uint64_t of(const FlowKey& key) const noexcept {
    return way_ == Way::Aes ? by_aes(key) : hash_of(key, seed_);
  }
  using Hashes = std::array<uint64_t, Burst::kCapacity>;
  Hashes of(std::span<Slot* const> slots) const noexcept;  // of their keys

 private:
  uint64_t by_aes(const FlowKey& key) const noexcept;
  Hashes by_aes(std::span<Slot* const> slots) const noexcept;

  alignas(16) uint64_t round_keys_[3][2];
  uint64_t seed_;
  Way way_;
};

}  // namespace postern::dataplane
