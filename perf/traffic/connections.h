// SPDX-License-Identifier: Apache-2.0
// TCP connections from SYN to FIN, over and over: handshake, a request, an answer in segments, an orderly
// end. Many are open at a time and take their steps in turns, so that a device sees a step before its answer.
// One thread.
#pragma once

#include <string>
#include <vector>

#include "perf/traffic/frame_source.h"

namespace postern::perf {

struct ConnectionShape {
  uint32_t flows = 10000;        // different connections, then the first comes again
  uint32_t open = 1024;          // at a time
  uint32_t answer_bytes = 1024;  // of the body
  uint16_t server_port = 80;
  uint16_t vlan = 0;
  uint64_t seed = 1;
};

class Connections : public FrameSource {
 public:
  explicit Connections(const ConnectionShape& shape);
  size_t make(std::span<Frame> frames) noexcept override;

  size_t packets_of_connection() const noexcept { return steps_.size(); }

 private:
  struct Step {
    Side from;
    uint8_t flags;
    uint32_t sent, acknowledged;  // relative to the initial numbers
    uint32_t begin, size;         // within the request or the answer
  };
  void plan();
  void write(Frame& frame, uint32_t flow, const Step& step) noexcept;

  ConnectionShape shape_;
  std::string request_, answer_;
  std::vector<Step> steps_;
  uint32_t round_ = 0;  // first flow of those that are open
  size_t step_ = 0, member_ = 0;
};

}  // namespace postern::perf
