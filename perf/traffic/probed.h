// SPDX-License-Identifier: Apache-2.0
// Another source with a tagged datagram after every so many of its frames: latency of traffic that has no
// room for a tag of its own. One thread.
#pragma once

#include <algorithm>
#include <memory>

#include "perf/traffic/datagrams.h"

namespace postern::perf {

class Probed : public FrameSource {
 public:
  // `every` at least 1.
  Probed(std::unique_ptr<FrameSource> source, const DatagramShape& probes, uint32_t every)
      : source_(std::move(source)), probes_(probes), every_(every) {}

  size_t make(std::span<Frame> frames) noexcept override {
    for (size_t made = 0; made < frames.size();) {
      if (since_ == every_) {
        probes_.make(frames.subspan(made++, 1));
        since_ = 0;
        continue;
      }
      const size_t wanted = std::min<size_t>(frames.size() - made, every_ - since_);
      const size_t got = source_->make(frames.subspan(made, wanted));
      made += got;
      since_ += static_cast<uint32_t>(got);
      if (got < wanted) return made;
    }
    return frames.size();
  }

 private:
  std::unique_ptr<FrameSource> source_;
  Datagrams probes_;
  uint32_t every_, since_ = 0;
};

}  // namespace postern::perf
