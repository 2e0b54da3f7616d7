// SPDX-License-Identifier: Apache-2.0
// What `posternctl show` and `test flow` are answered with (docs/posternctl.md). Control thread.
#pragma once

#include <nlohmann/json.hpp>

#include "control/api_message.h"
#include "control/names.h"
#include "control/running_policy.h"
#include "dataplane/dataplane.h"

namespace postern::control {

// What the answers are made from; lives as long as the call.
struct Running {
  const CompiledSite& policy;
  dataplane::Dataplane& dataplane;
  const Names& names;
  uint64_t uptime_seconds = 0;
  uint64_t log_lines = 0, log_lost = 0, log_write_errors = 0;
};

Reply show(const Request& request, const Running& running);

// `test flow`: the decision of the compiled tables and its story.
Reply test_flow(const Request& request, const CompiledSite& policy, const Names& names);

std::string protocol_name(uint8_t protocol);
std::string endpoint_text(const IpAddress& address, uint16_t port, uint8_t protocol);
std::string state_name(dataplane::FlowState state);

}  // namespace postern::control
