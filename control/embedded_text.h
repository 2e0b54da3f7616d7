// SPDX-License-Identifier: Apache-2.0
// Files of deploy/ that are part of the program; embed_text.py writes the definitions at build time. Any
// thread.
#pragma once

#include <string_view>

namespace postern::control {

std::string_view pack_schema_text();        // deploy/schema/pack.schema.json
std::string_view shipped_catalogue_text();  // deploy/catalogue/applications.yaml

}  // namespace postern::control
