// SPDX-License-Identifier: Apache-2.0
// Protocols and server ports as site files and catalogues write them. Control thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "classify/policy.h"
#include "control/map_reader.h"

namespace postern::control {

// `protocol`: a name or a number from 1 to 255; absent: any.
uint8_t read_protocol(MapReader& map, Findings& findings);

// `key`: a list of ports and "first-last" ranges; absent: any. A finding when the protocol has no ports.
std::vector<classify::PortRange> read_ports(MapReader& map, std::string_view key, uint8_t protocol,
                                            Findings& findings);

}  // namespace postern::control
