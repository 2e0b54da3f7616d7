// SPDX-License-Identifier: Apache-2.0
// Numbers that are the same for the same seed on every machine (SplitMix64), unlike those of <random>'s
// distributions. One thread.
#pragma once

#include <cstdint>

namespace postern::perf {

class Random {
 public:
  explicit Random(uint64_t seed) noexcept : state_(seed) {}

  uint64_t next() noexcept {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint32_t below(uint32_t limit) noexcept {
    return static_cast<uint32_t>((next() >> 32) * uint64_t{limit} >> 32);
  }
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)

 private:
  uint64_t state_;
};

}  // namespace postern::perf
