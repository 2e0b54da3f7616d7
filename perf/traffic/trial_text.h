// SPDX-License-Identifier: Apache-2.0
// Trials as lines of standard input tell them, and results as people read them. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "perf/traffic/generator.h"

namespace postern::perf {

// "RATE SECONDS [RATE SECONDS]... [frames=N]"
Result<Trial> parse_trial(std::string_view line, double bits_on_link);

// What happened within a second of a trial.
struct Second {
  unsigned number = 0;
  uint64_t sent = 0, received = 0, refused = 0, sent_bytes = 0, received_bytes = 0;
  LatencyHistogram latency;
};
std::string text_of(const Second& second);

std::string text_of(const TrialResult& result);

}  // namespace postern::perf
