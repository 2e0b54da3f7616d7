// SPDX-License-Identifier: Apache-2.0
#include "dataplane/byte_store.h"

#include <algorithm>

namespace postern::dataplane {

// The blocks are not touched before they are used.
ByteStore::ByteStore(uint32_t blocks)
    : bytes_(new uint8_t[size_t{blocks} * kBlock]), next_(blocks), free_count_(blocks) {
  for (uint32_t i = blocks; i-- > 0;) {
    next_[i] = free_;
    free_ = i;
  }
}

uint32_t ByteStore::room_at_end(const Chain& chain) const noexcept {
  const uint32_t used = (chain.begin + chain.size) % kBlock;
  return chain.last == kNone || used == 0 ? 0 : kBlock - used;
}

void ByteStore::add_block(Chain& chain) noexcept {
  const uint32_t index = free_;
  free_ = next_[index];
  --free_count_;
  next_[index] = kNone;
  (chain.last == kNone ? chain.first : next_[chain.last]) = index;
  chain.last = index;
}

bool ByteStore::append(Chain& chain, Bytes bytes) noexcept {
  uint32_t room = room_at_end(chain);
  if (bytes.size() > room + size_t{free_count_} * kBlock) return false;
  while (!bytes.empty()) {
    if (room == 0) {
      add_block(chain);
      room = kBlock;
    }
    const auto count = static_cast<uint32_t>(std::min<size_t>(room, bytes.size()));
    std::memcpy(block(chain.last) + kBlock - room, bytes.data(), count);
    bytes = bytes.subspan(count);
    chain.size += count;
    room -= count;
  }
  return true;
}

void ByteStore::drop_front(Chain& chain, uint32_t bytes) noexcept {
  chain.begin += bytes;
  chain.size -= bytes;
  while (chain.first != kNone && (chain.begin >= kBlock || chain.size == 0)) {
    const uint32_t index = chain.first;
    chain.first = next_[index];
    next_[index] = free_;
    free_ = index;
    ++free_count_;
    chain.begin -= std::min(chain.begin, kBlock);
  }
  if (chain.first == kNone) chain = {};
}

bool ByteStore::holds(const Chain& chain, uint32_t offset, Bytes bytes) const noexcept {
  uint32_t index = chain.first;
  uint32_t at = chain.begin + offset;
  for (; at >= kBlock; at -= kBlock) index = next_[index];
  while (!bytes.empty()) {
    const size_t count = std::min<size_t>(kBlock - at, bytes.size());
    if (std::memcmp(block(index) + at, bytes.data(), count) != 0) return false;
    bytes = bytes.subspan(count);
    index = next_[index];
    at = 0;
  }
  return true;
}

Bytes ByteStore::front(const Chain& chain, std::span<uint8_t> room) const noexcept {
  if (chain.size == 0) return {};
  if (chain.begin + chain.size <= kBlock) return {block(chain.first) + chain.begin, chain.size};
  const size_t wanted = std::min<size_t>(chain.size, room.size());
  size_t copied = 0;
  uint32_t at = chain.begin;
  for (uint32_t index = chain.first; copied < wanted; index = next_[index]) {
    const size_t count = std::min<size_t>(kBlock - at, wanted - copied);
    std::memcpy(room.data() + copied, block(index) + at, count);
    copied += count;
    at = 0;
  }
  return {room.data(), wanted};
}

}  // namespace postern::dataplane
