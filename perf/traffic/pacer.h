// SPDX-License-Identifier: Apache-2.0
// How many packets are due at a moment of the time stamp counter. Who comes too late is given `backlog`
// packets at once and no more: a generator that was off its core must not turn its absence into a burst that
// nobody asked for. One thread.
#pragma once

#include <cstdint>
#include <limits>

namespace postern::perf {

class Pacer {
 public:
  // packets_per_second 0: as fast as possible.
  Pacer(double packets_per_second, uint64_t cycles_per_second, uint64_t start, uint64_t backlog) noexcept
      : per_cycle_(packets_per_second / static_cast<double>(cycles_per_second)),
        start_(start),
        backlog_(backlog) {}

  uint64_t due(uint64_t now) noexcept {
    if (per_cycle_ == 0) return std::numeric_limits<uint64_t>::max();
    if (now <= start_) return 0;
    const auto earned = static_cast<uint64_t>(static_cast<double>(now - start_) * per_cycle_);
    uint64_t due = earned - given_ - skipped_;
    if (due > backlog_) {
      skipped_ += due - backlog_;
      due = backlog_;
    }
    return due;
  }
  void give(uint64_t packets) noexcept { given_ += packets; }

  uint64_t skipped() const noexcept { return skipped_; }  // were due and never will be

 private:
  double per_cycle_;
  uint64_t start_, backlog_;
  uint64_t given_ = 0, skipped_ = 0;
};

}  // namespace postern::perf
