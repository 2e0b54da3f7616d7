// SPDX-License-Identifier: Apache-2.0
// Lets an inspector with the shipped thresholds see a shape, and counts what it stopped. One thread.
#pragma once

#include <optional>

#include "perf/traffic/dns_shapes.h"
#include "profiles/dns/inspector.h"

namespace postern::perf {

struct DnsMeasured {
  size_t names = 0, stopped = 0;   // queries, and those stopped or whose answers were
  std::optional<Timestamp> after;  // from the first query to the first one stopped
  size_t stopped_after_first = 0, names_after_first = 0;
  std::string first_stopped;  // its name
};

// The public suffix list and the lookup services that are shipped.
profiles::dns::Settings detector_settings();
DnsMeasured measure_shape(const DnsShape& shape, const profiles::dns::Settings& settings);

}  // namespace postern::perf
