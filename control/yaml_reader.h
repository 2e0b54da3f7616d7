// SPDX-License-Identifier: Apache-2.0
// Strict YAML: one UTF-8 document without anchors, aliases, tags, merge keys, duplicate or non-scalar keys.
// What is refused here is what lets one text mean two things to two readers. Any thread.
#pragma once

#include "control/document.h"

namespace postern::control {

Result<Node> read_yaml(std::string_view text, const std::string& file, const ReadLimits& limits = {});

}  // namespace postern::control
