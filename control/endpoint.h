// SPDX-License-Identifier: Apache-2.0
// Ends of a flow and protocols as operators type them. Any thread; the errors say what was expected.
#pragma once

#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/result.h"

namespace postern::control {

struct Endpoint {
  IpAddress address;
  std::optional<uint16_t> port;
};

// "10.0.0.1", "10.0.0.1:443", "fd00::1", "[fd00::1]", "[fd00::1]:443".
Result<Endpoint> parse_endpoint(std::string_view text);
// "tcp", "udp", "sctp", "icmp", "icmpv6", "esp", "gre", in any case, or a number from 1 to 255.
Result<uint8_t> parse_protocol(std::string_view text);
bool has_ports(uint8_t protocol);

}  // namespace postern::control
