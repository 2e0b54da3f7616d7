// SPDX-License-Identifier: Apache-2.0
// How fast to send, as an operator writes it: "max", packets ("1.2Mpps", "500k", "9000pps") or bits on the
// link ("1Gbps", preamble, gap and FCS included). Any thread.
#pragma once

#include <string_view>

#include "base/result.h"

namespace postern::perf {

// Packets per second, 0 for max. `bits_on_link` are those of a frame on average.
Result<double> parse_rate(std::string_view text, double bits_on_link);

}  // namespace postern::perf
