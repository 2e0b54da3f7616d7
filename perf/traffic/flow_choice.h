// SPDX-License-Identifier: Apache-2.0
// Which flow the next packet belongs to. Uniform: every flow once before any comes again, in an order that
// jumps through the table. Zipf: flow k with weight 1 / (k + 1)^exponent, drawn in constant time by Vose's
// alias method. The same seed gives the same flows. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "perf/traffic/random.h"

namespace postern::perf {

class FlowChoice {
 public:
  // `flows` at least 1; exponent 0 is uniform.
  FlowChoice(uint32_t flows, double exponent, uint64_t seed);

  uint32_t next() noexcept {
    if (alias_.empty()) {
      position_ += stride_;
      if (position_ >= flows_) position_ -= flows_;
      return static_cast<uint32_t>(position_);
    }
    const uint32_t column = random_.below(static_cast<uint32_t>(flows_));
    const Alias& alias = alias_[column];
    return static_cast<uint32_t>(random_.next() >> 32) <= alias.own ? column : alias.other;
  }
  uint32_t flows() const noexcept { return static_cast<uint32_t>(flows_); }

 private:
  struct Alias {
    uint32_t own = 0xffffffff;  // share of the column that is its own, of 2^32
    uint32_t other = 0;
  };
  void balance(double exponent);

  uint64_t flows_, stride_ = 1, position_ = 0;
  std::vector<Alias> alias_;
  Random random_;
};

}  // namespace postern::perf
