// SPDX-License-Identifier: Apache-2.0
// What became of numbered packets: which were lost, came twice, or came after a later one (RFC 4737 section
// 3.1). A packet may be late by kWindow others; what comes later still was counted as lost. One thread.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace postern::perf {

class SequenceWindow {
 public:
  static constexpr uint64_t kWindow = uint64_t{1} << 18;
  static constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();

  // `sequence` below 2^40.
  void see(uint64_t sequence) noexcept {
    if (sequence >= next_) {
      advance(sequence + 1);
    } else if (next_ - sequence > kWindow) {
      ++late_;
      return;
    } else if (seen(sequence)) {
      ++duplicated_;
      return;
    } else {
      ++reordered_;
    }
    seen_[sequence % kWindow / 64] |= uint64_t{1} << sequence % 64;
    ++received_;
  }
  // No more will come of the first `sent` numbers.
  void end(uint64_t sent) noexcept {
    if (sent > next_) advance(sent);
    for (uint64_t left = next_ > kWindow ? next_ - kWindow : 0; left < next_; ++left)
      if (!seen(left)) lose(left);
  }

  uint64_t received() const noexcept { return received_; }  // each once
  uint64_t duplicated() const noexcept { return duplicated_; }
  uint64_t reordered() const noexcept { return reordered_; }
  uint64_t late() const noexcept { return late_; }
  uint64_t lost() const noexcept { return lost_; }            // so far; all of them after `end`
  uint64_t last_lost() const noexcept { return last_lost_; }  // kNone: none

 private:
  bool seen(uint64_t sequence) const noexcept {
    return (seen_[sequence % kWindow / 64] >> sequence % 64 & 1) != 0;
  }
  void lose(uint64_t sequence) noexcept {
    ++lost_;
    last_lost_ = sequence;
  }
  void advance(uint64_t to) noexcept {
    for (; next_ < to; ++next_) {
      if (next_ >= kWindow && !seen(next_)) lose(next_ - kWindow);
      seen_[next_ % kWindow / 64] &= ~(uint64_t{1} << next_ % 64);
    }
  }

  std::vector<uint64_t> seen_ = std::vector<uint64_t>(kWindow / 64);
  uint64_t next_ = 0;  // all below were sent before or with the highest one seen
  uint64_t received_ = 0, duplicated_ = 0, reordered_ = 0, late_ = 0, lost_ = 0, last_lost_ = kNone;
};

}  // namespace postern::perf
