// SPDX-License-Identifier: Apache-2.0
// UDP datagrams of many flows, each with room for a Tag. In both directions an answer follows its question
// kAnswerLag datagrams later, so that a device has the flow's first packet when the second arrives on its
// other port. One thread.
#pragma once

#include <vector>

#include "perf/traffic/flow_choice.h"
#include "perf/traffic/frame_sizes.h"
#include "perf/traffic/frame_source.h"
#include "perf/traffic/tag.h"

namespace postern::perf {

enum class Directions : uint8_t { One, Both };

struct DatagramShape {
  uint32_t flows = 1;  // up to kMostFlows
  double zipf = 0;     // exponent; 0: uniform
  FrameSizes sizes = *FrameSizes::parse("64");
  Directions directions = Directions::One;
  uint16_t server_port = 5001;
  uint16_t vlan = 0;  // 0: untagged
  uint64_t seed = 1;
};

class Datagrams : public FrameSource {
 public:
  static constexpr uint32_t kAnswerLag = 1024;

  explicit Datagrams(const DatagramShape& shape);
  size_t make(std::span<Frame> frames) noexcept override;

 private:
  void write(Frame& frame, uint32_t flow) noexcept;

  DatagramShape shape_;
  FlowChoice choice_;
  std::vector<uint32_t> asked_;  // the last kAnswerLag + 1 flows
  uint64_t questions_ = 0;
  Side next_ = Side::First;
};

// Writes the tag into a frame of Datagrams and makes its checksum right.
void tag_frame(const Frame& frame, const Tag& tag) noexcept;

}  // namespace postern::perf
