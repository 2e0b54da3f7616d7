// SPDX-License-Identifier: Apache-2.0
// A port as operators write it, in site files (site_wires.cc) and on the command line of the load generator.
// Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dataplane/wire.h"

namespace postern::control {

std::string_view expected_port();

// Files are relative to the folder of `site_file`. Nothing: it is not what `expected_port` says.
std::optional<dataplane::PortSpec> parse_port(const std::string& text, const std::string& site_file);

}  // namespace postern::control
