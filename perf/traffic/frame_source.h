// SPDX-License-Identifier: Apache-2.0
// Where frames come from: written into the room that the caller has, a burst at a time, for the generator and
// for captures alike. Frames are Ethernet without FCS. One thread.
#pragma once

#include <cstdint>
#include <span>

#include "base/ids.h"

namespace postern::perf {

inline constexpr uint32_t kFrameRoom = 1536;

struct Frame {
  uint8_t* room = nullptr;  // kFrameRoom bytes
  uint16_t length = 0;
  Side side = Side::First;  // that it enters
  uint16_t tag_at = 0;      // where a Tag belongs; 0: it carries none
};

class FrameSource {
 public:
  virtual ~FrameSource() = default;
  // Fills the frames in order. How many; fewer than asked for only at the end of what there is.
  virtual size_t make(std::span<Frame> frames) noexcept = 0;
};

}  // namespace postern::perf
