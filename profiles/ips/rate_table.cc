// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/rate_table.h"

#include <cstring>

namespace postern::profiles::ips {
namespace {

uint64_t mixed(uint64_t hash, uint64_t word) noexcept {
  hash = (hash ^ word) * 0xbf58476d1ce4e5b9ull;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111ebull;
  return hash ^ hash >> 31;
}

uint64_t mixed(uint64_t hash, const IpAddress& address) noexcept {
  uint64_t words[2];
  std::memcpy(words, address.bytes.data(), sizeof words);
  return mixed(mixed(hash, words[0]), words[1]);
}

}  // namespace

uint64_t RateTable::hash(const Key& key) const noexcept {
  const uint64_t hash = mixed(mixed(mixed(mixed(seed_, key.what), key.flow), key.first), key.second);
  return hash == 0 ? 1 : hash;
}

RateTable::Slot* RateTable::find(const Key& key, Timestamp now) noexcept {
  const uint64_t wanted = hash(key);
  for (size_t i = 0; i < kNeighbours; ++i) {
    Slot& slot = neighbour(wanted, i);
    if (slot.key == wanted) return slot.until > now ? &slot : nullptr;
  }
  return nullptr;
}

RateTable::Slot& RateTable::obtain(const Key& key, Timestamp now, Timestamp until) noexcept {
  if (Slot* known = find(key, now)) return *known;
  const uint64_t wanted = hash(key);
  Slot* chosen = nullptr;
  for (size_t i = 0; i < kNeighbours; ++i) {
    Slot& slot = neighbour(wanted, i);
    if (slot.key == wanted) {
      chosen = &slot;
      break;
    }
    const bool free = slot.key == 0 || slot.until <= now;
    const bool chosen_free = chosen != nullptr && (chosen->key == 0 || chosen->until <= now);
    if (chosen == nullptr || (free && !chosen_free) || (!free && !chosen_free && slot.since < chosen->since))
      chosen = &slot;
  }
  if (chosen->key != 0 && chosen->key != wanted && chosen->until > now) ++gave_way_;
  *chosen = {wanted, now, until, 0};
  return *chosen;
}

void RateTable::erase(const Key& key) noexcept {
  const uint64_t wanted = hash(key);
  for (size_t i = 0; i < kNeighbours; ++i)
    if (Slot& slot = neighbour(wanted, i); slot.key == wanted) slot = {};
}

}  // namespace postern::profiles::ips
