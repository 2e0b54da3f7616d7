// SPDX-License-Identifier: Apache-2.0
// `posternd replay`: the same pipeline over captures, without privileges, ports or clock. Main thread.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "dataplane/trace_event.h"

namespace postern::control {

// Json: {steps: [...]}, as `posternctl --json trace` has them.
enum class StoryOutput : uint8_t { Text, Json };

struct ReplayOptions {
  std::vector<std::string> captures;
  std::string site_file;  // empty: everything is allowed and logged
  std::string out;        // capture of what was forwarded; empty: none
  std::string log_directory;
  unsigned workers = 0;       // 0: as the site says
  std::string pattern_cache;  // folder; empty: the site's, if it has one
  std::optional<dataplane::TraceTarget> trace;
  StoryOutput story = StoryOutput::Text;
};

// Returns 0, 1 when a capture or the log folder cannot be used or holds no flow to trace, 3 when the site is
// wrong. A damaged capture is played up to the damage and ends with 1. Stories go to `out`, complaints to
// `errors`.
int run_replay(const ReplayOptions& options, std::ostream& out, std::ostream& errors);

}  // namespace postern::control
