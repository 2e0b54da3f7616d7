// SPDX-License-Identifier: Apache-2.0
// A port as operators write it, in site files and on the command line of the load generator. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dataplane/wire.h"

namespace postern::control {

inline constexpr std::string_view kExpectedPort =
    "pci:0000:03:00.0, af_xdp:IF, af_packet:IF, tap:NAME, ring:NAME, memif:SOCKET,ID or pcap:IN[,OUT]";

// Files of the port are relative to the folder of `beside_file`. Nothing: it is not `kExpectedPort`.
std::optional<dataplane::PortSpec> parse_port(const std::string& text, const std::string& beside_file);

}  // namespace postern::control
