// SPDX-License-Identifier: Apache-2.0
// Files of deploy/ that are part of the program; embed_text.py writes the definitions at build time. Any
// thread.
#pragma once

#include <span>
#include <string_view>

namespace postern::control {

struct EmbeddedFile {
  std::string_view name;  // without folders
  std::string_view text;
};

std::string_view pack_schema_text();  // deploy/schema/pack.schema.json
std::span<const EmbeddedFile>
shipped_catalogues();  // deploy/catalogue/*.yaml, as control/meson.build lists them

}  // namespace postern::control
