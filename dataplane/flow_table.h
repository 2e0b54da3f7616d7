// SPDX-License-Identifier: Apache-2.0
// All flows of a worker in fixed memory: records in two arrays, found through a cuckoo index of one-line
// buckets with 16-bit tags. Indexes stay valid until erase. One worker; nothing here allocates after
// construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/burst.h"
#include "dataplane/flow.h"
#include "dataplane/flow_hash.h"

namespace postern::dataplane {

class FlowTable {
 public:
  // `capacity` flows (64..2^31); `seed` unknown to peers. Memory is reserved at once and touched when used.
  FlowTable(uint32_t capacity, uint64_t seed, FlowHash::Way way = FlowHash::fastest());
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // Sets slot.flow of every Open slot that has a key (all kinds but Layer2).
  void find(Burst& burst) const noexcept;
  uint32_t find(const FlowKey& key) const noexcept;
  // The key must not be in the table. kNoFlow: no free record, or the index found no place.
  uint32_t insert(const FlowKey& key) noexcept;
  void erase(uint32_t flow) noexcept;
  // After find: what counting and TCP need of the flows that were found.
  void fetch_cold(const Burst& burst) const noexcept;
  // Fetch what a coming erase needs, first the record, some flows later its place in the index.
  void fetch_record(uint32_t flow) const noexcept;
  void fetch_place(uint32_t flow) const noexcept;

  FlowHot& hot(uint32_t flow) noexcept { return hot_[flow]; }
  const FlowHot& hot(uint32_t flow) const noexcept { return hot_[flow]; }
  FlowCold& cold(uint32_t flow) noexcept { return cold_[flow]; }
  const FlowCold& cold(uint32_t flow) const noexcept { return cold_[flow]; }

  uint32_t capacity() const noexcept { return capacity_; }
  uint32_t size() const noexcept { return size_; }
  uint32_t high_water() const noexcept { return fresh_; }  // records above this index were never used
  size_t memory() const noexcept { return memory_; }       // bytes reserved

 private:
  static constexpr unsigned kSlots = 10;
  struct alignas(64) Bucket {
    uint16_t tag[kSlots];  // 0: free
    uint8_t displaced[4];  // flows of this bucket that live in their other one, by tag class; 255 sticks
    uint32_t flow[kSlots];
  };
  static_assert(sizeof(Bucket) == 64);

  static uint16_t tag_of(uint64_t hash) noexcept {
    const auto tag = static_cast<uint16_t>(hash >> 48);
    return tag == 0 ? uint16_t{1} : tag;
  }
  uint32_t bucket_of(uint64_t hash) const noexcept {
    return static_cast<uint32_t>((uint64_t{static_cast<uint32_t>(hash)} * buckets_) >> 32);
  }
  uint32_t other_bucket(uint32_t bucket, uint16_t tag) const noexcept;
  unsigned tag_matches(const Bucket& bucket, uint16_t tag) const noexcept;
  uint32_t find_in(const Bucket& bucket, uint16_t tag, const FlowKey& key) const noexcept;
  uint32_t find(const FlowKey& key, uint64_t hash) const noexcept;
  bool place(uint32_t bucket, uint16_t tag, uint32_t flow) noexcept;
  bool displace(uint32_t bucket, uint16_t tag, uint32_t flow) noexcept;
  void note_displaced(uint32_t home, uint16_t tag, int change) noexcept;

  uint32_t capacity_;
  uint32_t buckets_;
  FlowHash hash_;
  uint32_t size_ = 0;
  uint32_t fresh_ = 0;       // records never used yet start here
  uint32_t free_ = kNoFlow;  // chain of freed records through last_seen
  uint32_t kick_ = 0;
  size_t memory_ = 0;
  size_t reserved_ = 0;
  void* reserved_start_ = nullptr;
  Bucket* index_ = nullptr;
  FlowHot* hot_ = nullptr;
  FlowCold* cold_ = nullptr;
};

}  // namespace postern::dataplane
