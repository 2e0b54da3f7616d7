// SPDX-License-Identifier: Apache-2.0
// Strict JSON (RFC 8259): UTF-8, no duplicate keys, no comments, nothing after the value. Any thread.
#pragma once

#include "control/document.h"

namespace postern::control {

Result<Node> read_json(std::string_view text, const std::string& file, const ReadLimits& limits = {});

}  // namespace postern::control
