// SPDX-License-Identifier: Apache-2.0
// Asks tshark what it reads in TCP streams, to compare. Tests skip where it is not installed.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace postern::tls {

bool has_tshark();

// Values of `fields` in the one packet of 10.0.0.1:50000 -> 10.0.0.2:443 (or back) that carries `stream`;
// several values of a field have a ',' between them. nullopt: tshark failed.
enum class Way { ToServer, ToClient };
std::optional<std::vector<std::string>> tshark_fields(const std::string& stream, Way way,
                                                      const std::vector<std::string>& fields);

}  // namespace postern::tls
