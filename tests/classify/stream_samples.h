// SPDX-License-Identifier: Apache-2.0
// The first bytes of many protocols, from stream_samples.txt.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"

namespace postern::classify {

struct StreamSample {
  std::string decoder;  // that says Yes; of the last section: of no file here
  uint8_t protocol;
  Direction direction;
  std::string bytes;
  size_t line;
};

std::vector<StreamSample> stream_samples();

}  // namespace postern::classify
