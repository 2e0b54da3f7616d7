// SPDX-License-Identifier: Apache-2.0
// Sizes of frames as RFC 2544 counts them, with the FCS that virtual ports neither carry nor add: one size,
// or the IMIX of 7 x 64, 4 x 570 and 1 x 1518. Any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern::perf {

inline constexpr uint32_t kFcs = 4;
inline constexpr uint32_t kLeastFrame = 64, kMostFrame = 1518;
inline constexpr uint32_t kPreambleAndGap = 20;  // what a frame costs on a link besides its own bytes

class FrameSizes {
 public:
  // "64" to "1518", or "imix".
  static Result<FrameSizes> parse(std::string_view text);

  uint32_t next() noexcept {  // with FCS
    const uint32_t size = cycle_[at_];
    at_ = at_ + 1 == cycle_.size() ? 0 : at_ + 1;
    return size;
  }
  double mean() const noexcept;
  double bits_on_link() const noexcept { return (mean() + kPreambleAndGap) * 8; }  // of a frame, on average

 private:
  explicit FrameSizes(std::vector<uint32_t> cycle) : cycle_(std::move(cycle)) {}
  std::vector<uint32_t> cycle_;
  size_t at_ = 0;
};

}  // namespace postern::perf
