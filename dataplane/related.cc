// SPDX-License-Identifier: Apache-2.0
#include "dataplane/related.h"

#include <cstring>

#include "dataplane/flow_key.h"

namespace postern::dataplane {
namespace {

struct Packed {
  uint64_t words[4];
};

Packed pack(const Question& q) noexcept {
  Packed packed;
  std::memcpy(packed.words, q.client.bytes.data(), 16);
  packed.words[2] = uint64_t{q.client_port} << 48 | uint64_t{q.server_port} << 32 | uint64_t{q.vlan} << 16 |
                    uint64_t{q.protocol} << 8 | q.wire;
  packed.words[3] = fold_multiply(packed.words[0] ^ 0x9e3779b97f4a7c15ull, packed.words[1] ^ packed.words[2]);
  return packed;
}

}  // namespace

void QuestionTable::remember(const Question& question, Timestamp now) noexcept {
  const Packed packed = pack(question);
  Entry& entry = (*entries_)[packed.words[3] % kEntries];
  const uint32_t version = entry.version.load(std::memory_order_relaxed);
  entry.version.store(version + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  for (size_t i = 0; i < 4; ++i) entry.words[i].store(packed.words[i], std::memory_order_relaxed);
  entry.words[4].store(now + kLifetime, std::memory_order_relaxed);
  entry.version.store(version + 2, std::memory_order_release);
}

bool QuestionTable::asked(const Question& question, Timestamp now) const noexcept {
  const Packed packed = pack(question);
  const Entry& entry = (*entries_)[packed.words[3] % kEntries];
  const uint32_t before = entry.version.load(std::memory_order_acquire);
  uint64_t words[5];
  for (size_t i = 0; i < 5; ++i) words[i] = entry.words[i].load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  if ((before & 1) != 0 || entry.version.load(std::memory_order_relaxed) != before) return false;
  return std::memcmp(words, packed.words, sizeof packed.words) == 0 && words[4] > now;
}

}  // namespace postern::dataplane
