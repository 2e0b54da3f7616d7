// SPDX-License-Identifier: Apache-2.0
// How operators name a flow they want the story of: its flow_id, or both its ends. Any thread.
#pragma once

#include <string_view>

#include "base/result.h"
#include "dataplane/trace_event.h"

namespace postern::control {

// "1234567890123", "10.0.0.1:40000-10.0.0.2:443/tcp", "[fd00::1]:40000-[fd00::2]:443/tcp",
// "10.0.0.1-10.0.0.2/icmp". The error says what was expected.
Result<dataplane::TraceTarget> parse_flow_name(std::string_view text);

}  // namespace postern::control
