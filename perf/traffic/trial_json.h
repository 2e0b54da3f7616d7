// SPDX-License-Identifier: Apache-2.0
// A trial's result as programs read it. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "perf/traffic/generator.h"

namespace postern::perf {

// {"sent", "refused", "received", "lost", "loss", ..., "latency_us": {...}, "cdf": [[us, share], ...]}
nlohmann::json json_of(const TrialResult& result);

// The shape of everything that measures: {"rows": [...], "series": {...}, "skipped": []}.
nlohmann::json report_of(const TrialResult& result);

}  // namespace postern::perf
