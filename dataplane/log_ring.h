// SPDX-License-Identifier: Apache-2.0
// One worker's way to the log thread: a bounded ring of slots with one writer and one reader. A record takes
// a slot, its extra bytes whole further ones. What does not fit as a whole is lost and the writer counts it;
// a worker never waits for a log and allocates nothing here.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "dataplane/log_record.h"

namespace postern::dataplane {

class LogRing {
 public:
  // Room for at least `records` without extra bytes. A record that needs more slots than there are never
  // fits.
  explicit LogRing(size_t records) : slots_(std::bit_ceil(records)), mask_(slots_.size() - 1) {}

  static constexpr size_t slots_of(size_t extra_bytes) noexcept {
    return 1 + (extra_bytes + sizeof(Slot) - 1) / sizeof(Slot);
  }

  // `extra`: extra_of() the struct of the record's kind.
  bool push(const LogRecord& record, Bytes extra = {}) noexcept {
    assert(extra.size() <= kMostLogExtra);
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    const size_t needed = slots_of(extra.size());
    if (room() < needed) return false;
    slots_[tail & mask_] = {record, static_cast<uint32_t>(extra.size())};
    if (!extra.empty()) copy_in(tail + 1, extra);
    tail_.store(tail + needed, std::memory_order_release);
    return true;
  }

  // Free slots, as the writer sees them.
  size_t room() const noexcept {
    return slots_.size() - (tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_acquire));
  }

  // Copies up to `into.size()` records, oldest first; returns how many. Events that are used again keep their
  // memory, so a reader that keeps them stops allocating.
  size_t read(std::span<LogEvent> into) noexcept {
    uint64_t head = head_.load(std::memory_order_relaxed);
    const uint64_t tail = tail_.load(std::memory_order_acquire);
    size_t count = 0;
    for (; count < into.size() && head != tail; ++count) {
      const Slot& slot = slots_[head & mask_];
      into[count].record = slot.record;
      into[count].extra.resize(slot.extra_size);
      if (slot.extra_size != 0) copy_out(head + 1, into[count].extra);
      head += slots_of(slot.extra_size);
    }
    head_.store(head, std::memory_order_release);
    return count;
  }

 private:
  struct Slot {
    LogRecord record;
    uint32_t extra_size = 0;
  };
  static_assert(std::is_trivially_copyable_v<Slot>);  // slots also carry bytes

  // Bytes from the start of this slot to the end of the memory; what is left goes on at its start.
  size_t unbroken(uint64_t slot) const noexcept { return (slots_.size() - (slot & mask_)) * sizeof(Slot); }

  void copy_in(uint64_t slot, Bytes bytes) noexcept {
    auto* const memory = reinterpret_cast<uint8_t*>(slots_.data());
    const size_t first = std::min(bytes.size(), unbroken(slot));
    std::memcpy(memory + (slot & mask_) * sizeof(Slot), bytes.data(), first);
    std::memcpy(memory, bytes.data() + first, bytes.size() - first);
  }

  void copy_out(uint64_t slot, std::span<uint8_t> into) const noexcept {
    const auto* const memory = reinterpret_cast<const uint8_t*>(slots_.data());
    const size_t first = std::min(into.size(), unbroken(slot));
    std::memcpy(into.data(), memory + (slot & mask_) * sizeof(Slot), first);
    std::memcpy(into.data() + first, memory, into.size() - first);
  }

  std::vector<Slot> slots_;
  size_t mask_;
  alignas(64) std::atomic<uint64_t> tail_{0};
  alignas(64) std::atomic<uint64_t> head_{0};
};

}  // namespace postern::dataplane
