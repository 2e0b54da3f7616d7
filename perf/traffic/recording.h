// SPDX-License-Identifier: Apache-2.0
// Frames of a capture held in memory and made again and again. Which side a frame enters is learned as a
// bridge learns: who spoke first is on the first side, whom it spoke to on the second. One thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "perf/traffic/frame_source.h"

namespace postern::perf {

class Recording : public FrameSource {
 public:
  // `loops` times, 0 for ever. Errors: not a capture, no frame in it, or one that is longer than kFrameRoom
  // or was cut by the capture.
  static Result<Recording> read(const std::string& file, int loops);
  size_t make(std::span<Frame> frames) noexcept override;

  size_t frames() const noexcept { return entries_.size(); }
  size_t bytes() const noexcept { return bytes_.size(); }

 private:
  struct Entry {
    uint64_t begin;
    uint16_t length;
    Side side;
  };
  explicit Recording(int loops) : loops_(loops) {}

  int loops_;  // that are left; 0: forever
  std::vector<uint8_t> bytes_;
  std::vector<Entry> entries_;
  size_t at_ = 0;
};

}  // namespace postern::perf
