// SPDX-License-Identifier: Apache-2.0
// The traffic of a management network: conversations of real programs, taken from captures, held between
// other addresses again and again, as many at a time as wanted. Each conversation keeps its own order. Only
// IPv4, and only frames without VLAN tags. One thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "perf/traffic/frame_source.h"
#include "perf/traffic/random.h"

namespace postern::perf {

struct MixPart {
  std::string capture;  // file
  uint32_t weight = 1;  // conversations of it, of all weights together
};

// What the kit's rules for server management are about, and what they forbid, by share of conversations.
// `folder` holds the captures of the tests.
std::vector<MixPart> management_parts(const std::string& folder);

class ManagementMix : public FrameSource {
 public:
  // Errors: a part that cannot be read or has no IPv4. `conversations` run at a time and are `total` in all.
  static Result<ManagementMix> read(const std::vector<MixPart>& parts, uint32_t conversations, uint32_t total,
                                    uint64_t seed);
  size_t make(std::span<Frame> frames) noexcept override;

 private:
  struct Said {
    std::vector<uint8_t> frame;
    Side side = Side::First;
  };
  struct Part {
    std::vector<Said> said;
    uint32_t client = 0;  // whose frames enter the first side
    uint32_t up_to = 0;   // sum of weights, with those of the parts before
  };
  struct Running {
    uint32_t number = 0, part = 0;
    size_t next = 0;
  };
  ManagementMix(uint32_t total, uint64_t seed) : left_(total), random_(seed) {}
  static Result<Part> part_of(const MixPart& mix);
  bool begin(Running& running) noexcept;
  void write(Frame& frame, const Part& part, const Said& said, uint32_t conversation) const noexcept;

  std::vector<Part> parts_;
  std::vector<Running> running_;
  size_t at_ = 0;
  uint32_t begun_ = 0, left_;
  Random random_;
};

}  // namespace postern::perf
