// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/frame_sizes.h"

#include <charconv>
#include <numeric>

namespace postern::perf {

Result<FrameSizes> FrameSizes::parse(std::string_view text) {
  // Large frames apart from each other, as a mix arrives.
  if (text == "imix") return FrameSizes({64, 570, 64, 64, 570, 64, 1518, 64, 570, 64, 64, 570});
  uint32_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc{} || end != text.data() + text.size() || size < kLeastFrame || size > kMostFrame)
    return Error{"size: found " + std::string(text) + ", expected imix or bytes from 64 to 1518"};
  return FrameSizes({size});
}

double FrameSizes::mean() const noexcept {
  return static_cast<double>(std::accumulate(cycle_.begin(), cycle_.end(), uint64_t{0})) /
         static_cast<double>(cycle_.size());
}

}  // namespace postern::perf
