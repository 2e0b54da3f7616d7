// SPDX-License-Identifier: Apache-2.0
// Counts and bits that rules keep of hosts over time, in a table of fixed size: what has expired makes room,
// and when nothing has, the oldest of a few neighbours gives way and is counted. Keys are hashed with a seed
// that peers do not know, so that they cannot choose neighbours. One worker.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace postern::profiles::ips {

class RateTable {
 public:
  static constexpr size_t kUsualSlots = 1 << 16;
  explicit RateTable(uint64_t seed, size_t slots = kUsualSlots) : seed_(seed), slots_(slots) {}

  struct Slot {
    uint64_t key = 0;  // 0: free
    Timestamp since = 0, until = 0;
    uint32_t count = 0;
  };
  // What a key is made of: what it is about, and whom.
  struct Key {
    uint64_t what = 0, flow = 0;
    IpAddress first, second;
  };

  Slot* find(const Key& key, Timestamp now) noexcept;                     // nullptr: not there, or expired
  Slot& obtain(const Key& key, Timestamp now, Timestamp until) noexcept;  // as it is, or fresh with count 0
  void erase(const Key& key) noexcept;
  uint64_t gave_way() const noexcept { return gave_way_; }

 private:
  static constexpr size_t kNeighbours = 8;
  uint64_t hash(const Key& key) const noexcept;
  Slot& neighbour(uint64_t hash, size_t i) noexcept { return slots_[(hash + i) % slots_.size()]; }

  uint64_t seed_;
  std::vector<Slot> slots_;
  uint64_t gave_way_ = 0;
};

}  // namespace postern::profiles::ips
