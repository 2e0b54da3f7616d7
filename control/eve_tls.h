// SPDX-License-Identifier: Apache-2.0
// The tls object of a tls event (docs/logs.md). Texts of the peers are escaped, so the line stays valid JSON
// whatever bytes they sent. One thread at a time.
#pragma once

#include "classify/tls_facts.h"
#include "control/json_line.h"

namespace postern::control {

void write_tls(JsonLine& json, const classify::TlsFacts& facts);

}  // namespace postern::control
