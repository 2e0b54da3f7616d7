// SPDX-License-Identifier: Apache-2.0
// One worker's way to the log thread, or to whoever traces a flow: a bounded ring with one writer and one
// reader. When it is full the record is lost and the writer counts it; a worker never waits for a reader.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/log_record.h"

namespace postern::dataplane {

template <typename Record>
class RecordRing {
 public:
  // Room for at least `records`.
  explicit RecordRing(size_t records) : records_(std::bit_ceil(records)), mask_(records_.size() - 1) {}

  bool push(const Record& record) noexcept {
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == records_.size()) return false;
    records_[tail & mask_] = record;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Free places, as the writer sees them.
  size_t room() const noexcept {
    return records_.size() - (tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_acquire));
  }

  // Copies up to `into.size()` records, oldest first; returns how many.
  size_t read(std::span<Record> into) noexcept {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    const uint64_t ready = tail_.load(std::memory_order_acquire) - head;
    const size_t count = ready < into.size() ? ready : into.size();
    for (size_t i = 0; i < count; ++i) into[i] = records_[(head + i) & mask_];
    head_.store(head + count, std::memory_order_release);
    return count;
  }

 private:
  std::vector<Record> records_;
  size_t mask_;
  alignas(64) std::atomic<uint64_t> tail_{0};
  alignas(64) std::atomic<uint64_t> head_{0};
};

using LogRing = RecordRing<LogRecord>;

}  // namespace postern::dataplane
