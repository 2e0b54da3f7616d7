// SPDX-License-Identifier: Apache-2.0
// The payloads of a capture by flow and direction, as they came; what is out of order or was seen before is
// left out. One thread.
#pragma once

#include <string>
#include <vector>

#include "perf/flow_corpus.h"

namespace postern::perf {

std::vector<FlowStart> flows_of_capture(const std::string& file);

}  // namespace postern::perf
