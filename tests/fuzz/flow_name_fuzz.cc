// SPDX-License-Identifier: Apache-2.0
// Any text as the name of a flow: an error that says what was expected, or a target that names a number or
// two ends, with ports exactly where the protocol has them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "control/endpoint.h"
#include "control/flow_name.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto target = postern::control::parse_flow_name({reinterpret_cast<const char*>(data), size});
  if (!target) {
    if (target.error().message.find("expected") == std::string::npos) std::abort();
    return 0;
  }
  if ((target->flow_id != 0) == (target->protocol != 0)) std::abort();
  const bool ports = target->port[0] != 0 || target->port[1] != 0;
  if (ports && !postern::control::has_ports(target->protocol)) std::abort();
  return 0;
}
