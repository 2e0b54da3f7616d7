// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow_table.h"

#include <sys/mman.h>

#include <array>
#include <bit>
#include <cassert>
#include <cstdlib>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace postern::dataplane {
namespace {

constexpr unsigned kMaxKicks = 200;
constexpr uint8_t kSticky = 255;
constexpr size_t kHugePage = 2u << 20;

void prefetch(const void* p) noexcept { __builtin_prefetch(p); }

size_t rounded(size_t bytes) noexcept { return (bytes + 4095) & ~size_t{4095}; }

}  // namespace

FlowTable::FlowTable(uint32_t capacity, uint64_t seed, FlowHash::Way way)
    : capacity_(capacity),
      buckets_(static_cast<uint32_t>((uint64_t{capacity} * 10 / 93) + 2)),
      hash_(seed, way) {
  const size_t index = rounded(sizeof(Bucket) * buckets_);
  const size_t hot = rounded(sizeof(FlowHot) * capacity);
  const size_t cold = rounded(sizeof(FlowCold) * capacity + 8);
  memory_ = index + hot + cold;
  reserved_ = memory_ + kHugePage;
  reserved_start_ =
      mmap(nullptr, reserved_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved_start_ == MAP_FAILED) std::abort();  // the site's `flows` was checked against memory before
  // From a whole huge page on; what lies before it is never touched. Of the pages that an operator reserved
  // (MAP_HUGETLB) none is taken: they were counted for the buffers of the ports.
  auto* bytes = static_cast<uint8_t*>(reserved_start_);
  bytes += -reinterpret_cast<uintptr_t>(bytes) % kHugePage;
  madvise(bytes, memory_, MADV_HUGEPAGE);
  index_ = reinterpret_cast<Bucket*>(bytes);
  hot_ = reinterpret_cast<FlowHot*>(bytes + index);
  cold_ = reinterpret_cast<FlowCold*>(bytes + index + hot);
}

FlowTable::~FlowTable() { munmap(reserved_start_, reserved_); }

// Its own inverse, so a flow can be moved without looking at its key.
uint32_t FlowTable::other_bucket(uint32_t bucket, uint16_t tag) const noexcept {
  const auto mixed = static_cast<uint32_t>((uint64_t{tag * 0x9e3779b1u} * buckets_) >> 32);
  return mixed >= bucket ? mixed - bucket : mixed + buckets_ - bucket;
}

// Bit i is set when slot i holds the tag.
unsigned FlowTable::tag_matches(const Bucket& bucket, uint16_t tag) const noexcept {
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi16(static_cast<short>(tag));
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bucket.tag));
  uint32_t high_tags;
  std::memcpy(&high_tags, &bucket.tag[8], 4);
  const __m128i high = _mm_cvtsi32_si128(static_cast<int>(high_tags));
  const __m128i both = _mm_packs_epi16(_mm_cmpeq_epi16(low, wanted), _mm_cmpeq_epi16(high, wanted));
  return static_cast<unsigned>(_mm_movemask_epi8(both)) & 0x3ff;
#else
  unsigned matches = 0;
  for (unsigned i = 0; i < kSlots; ++i) matches |= static_cast<unsigned>(bucket.tag[i] == tag) << i;
  return matches;
#endif
}

uint32_t FlowTable::find_in(const Bucket& bucket, uint16_t tag, const FlowKey& key) const noexcept {
  for (unsigned matches = tag_matches(bucket, tag); matches != 0; matches &= matches - 1) {
    const uint32_t flow = bucket.flow[std::countr_zero(matches)];
    if (hot_[flow].key == key) return flow;
  }
  return kNoFlow;
}

uint32_t FlowTable::find(const FlowKey& key, uint64_t hash) const noexcept {
  const uint16_t tag = tag_of(hash);
  const uint32_t home = bucket_of(hash);
  const uint32_t flow = find_in(index_[home], tag, key);
  if (flow != kNoFlow || index_[home].displaced[tag & 3] == 0) return flow;
  return find_in(index_[other_bucket(home, tag)], tag, key);
}

uint32_t FlowTable::find(const FlowKey& key) const noexcept { return find(key, hash_.of(key)); }

void FlowTable::find(Burst& burst) const noexcept {
  std::array<Slot*, Burst::kCapacity> wanted;
  std::array<uint32_t, Burst::kCapacity> likely;  // the first flow with the tag
  const FlowHot* const records =
      hot_;  // the stores to slots might change the member, for all the compiler knows
  unsigned count = 0;
  for (Slot& slot : burst)
    if (slot.fate == Fate::Open && slot.kind != Kind::Layer2) wanted[count++] = &slot;
  const FlowHash::Hashes hashes = hash_.of({wanted.data(), count});
  std::array<const Bucket*, Burst::kCapacity> homes;
  for (unsigned i = 0; i < count; ++i) {
    homes[i] = &index_[bucket_of(hashes[i])];
    prefetch(homes[i]);
  }
  for (unsigned i = 0; i < count; ++i) {
    const Bucket& bucket = *homes[i];
    const unsigned matches = tag_matches(bucket, tag_of(hashes[i]));
    likely[i] = kNoFlow;
    if (matches == 0) continue;
    likely[i] = bucket.flow[std::countr_zero(matches)];
    prefetch(&records[likely[i]]);
  }
  for (unsigned i = 0; i < count; ++i) {
    const bool found = likely[i] != kNoFlow && records[likely[i]].key == wanted[i]->key;
    wanted[i]->flow = found ? likely[i] : find(wanted[i]->key, hashes[i]);
  }
}

void FlowTable::fetch_cold(const Burst& burst) const noexcept {
  for (const Slot& slot : burst) {
    if (slot.flow == kNoFlow) continue;
    // Most records of 56 bytes lie in two lines.
    prefetch(&cold_[slot.flow]);
    prefetch(reinterpret_cast<const uint8_t*>(&cold_[slot.flow] + 1) - 1);
  }
}

void FlowTable::note_displaced(uint32_t home, uint16_t tag, int change) noexcept {
  uint8_t& count = index_[home].displaced[tag & 3];
  if (count != kSticky) count = static_cast<uint8_t>(count + change);
}

bool FlowTable::place(uint32_t bucket, uint16_t tag, uint32_t flow) noexcept {
  const unsigned free = tag_matches(index_[bucket], 0);
  if (free == 0) return false;
  const auto slot = static_cast<unsigned>(std::countr_zero(free));
  index_[bucket].tag[slot] = tag;
  index_[bucket].flow[slot] = flow;
  return true;
}

// Random walk: throw out a tenant, which moves to its other bucket. Undone when it finds no end.
bool FlowTable::displace(uint32_t bucket, uint16_t tag, uint32_t flow) noexcept {
  struct Step {
    uint32_t bucket;
    unsigned slot;
    uint32_t moved;  // the flow that had to leave
    uint16_t tag;
  };
  Step steps[kMaxKicks];
  for (unsigned kick = 0; kick < kMaxKicks; ++kick) {
    const unsigned slot = kick_++ % kSlots;
    std::swap(index_[bucket].tag[slot], tag);
    std::swap(index_[bucket].flow[slot], flow);
    steps[kick] = {bucket, slot, flow, tag};
    bucket = other_bucket(bucket, tag);
    if (!place(bucket, tag, flow)) continue;
    for (unsigned i = 0; i <= kick; ++i) {
      const uint32_t home = bucket_of(hash_.of(hot_[steps[i].moved].key));
      note_displaced(home, steps[i].tag, home == steps[i].bucket ? 1 : -1);
    }
    return true;
  }
  for (unsigned i = kMaxKicks; i-- > 0;) {
    std::swap(index_[steps[i].bucket].tag[steps[i].slot], tag);
    std::swap(index_[steps[i].bucket].flow[steps[i].slot], flow);
  }
  return false;
}

uint32_t FlowTable::insert(const FlowKey& key) noexcept {
  uint32_t flow = free_;
  if (flow != kNoFlow) {
    free_ = hot_[flow].last_seen;
  } else {
    if (fresh_ == capacity_) return kNoFlow;
    flow = fresh_++;
  }
  hot_[flow] = FlowHot{.key = key};
  cold_[flow] = FlowCold{};
  const uint64_t hash = hash_.of(key);
  const uint16_t tag = tag_of(hash);
  const uint32_t home = bucket_of(hash);
  bool placed = place(home, tag, flow);
  if (!placed) {
    const uint32_t other = other_bucket(home, tag);
    placed = place(other, tag, flow) || displace(other, tag, flow);
    if (placed && other != home) note_displaced(home, tag, 1);
  }
  if (!placed) {
    hot_[flow].last_seen = free_;
    free_ = flow;
    return kNoFlow;
  }
  ++size_;
  return flow;
}

void FlowTable::fetch_record(uint32_t flow) const noexcept {
  prefetch(&hot_[flow]);
  prefetch(&cold_[flow]);
}

void FlowTable::fetch_place(uint32_t flow) const noexcept {
  prefetch(&index_[bucket_of(hash_.of(hot_[flow].key))]);
}

void FlowTable::erase(uint32_t flow) noexcept {
  const uint64_t hash = hash_.of(hot_[flow].key);
  const uint16_t tag = tag_of(hash);
  const uint32_t home = bucket_of(hash);
  for (const uint32_t bucket : {home, other_bucket(home, tag)}) {
    for (unsigned matches = tag_matches(index_[bucket], tag); matches != 0; matches &= matches - 1) {
      const auto slot = static_cast<unsigned>(std::countr_zero(matches));
      if (index_[bucket].flow[slot] != flow) continue;
      index_[bucket].tag[slot] = 0;
      if (bucket != home) note_displaced(home, tag, -1);
      hot_[flow].state = FlowState::Free;
      hot_[flow].last_seen = free_;
      free_ = flow;
      --size_;
      return;
    }
  }
  assert(false && "a live flow is in the index");
}

}  // namespace postern::dataplane
