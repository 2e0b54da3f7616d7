// SPDX-License-Identifier: Apache-2.0
#include "control/flow_name.h"

#include <charconv>
#include <string>

#include "control/endpoint.h"

namespace postern::control {

using dataplane::TraceTarget;

Result<TraceTarget> parse_flow_name(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return Error{.message = "flow \"" + std::string(text) + "\": " + std::string(why) +
                            "; expected a flow_id or SRC:PORT-DST:PORT/PROTO",
                 .file = {}};
  };
  TraceTarget target;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, target.flow_id);
  if (error == std::errc{} && stop == end && target.flow_id != 0) return target;
  target.flow_id = 0;

  const size_t dash = text.find('-'), slash = text.rfind('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash)
    return wrong("found no SRC-DST/PROTO");
  const auto protocol = parse_protocol(text.substr(slash + 1));
  if (!protocol) return wrong(protocol.error().message);
  target.protocol = *protocol;
  const std::string_view ends[2] = {text.substr(0, dash), text.substr(dash + 1, slash - dash - 1)};
  for (size_t i = 0; i < 2; ++i) {
    const auto endpoint = parse_endpoint(ends[i]);
    if (!endpoint) return wrong(endpoint.error().message);
    if (has_ports(*protocol) && !endpoint->port) return wrong("an end has no port");
    if (!has_ports(*protocol) && endpoint->port) return wrong("the protocol has no ports");
    target.address[i] = endpoint->address;
    target.port[i] = endpoint->port.value_or(0);
  }
  return target;
}

}  // namespace postern::control
