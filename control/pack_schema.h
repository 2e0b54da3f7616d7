// SPDX-License-Identifier: Apache-2.0
// Checks a policy pack against deploy/schema/pack.schema.json (JSON Schema, draft-07). Every mistake is told
// with its line, where it is in the pack, what was found and what was expected, in the order of the file.
// Control thread.
#pragma once

#include "control/document.h"
#include "control/findings.h"

namespace postern::control {

Findings check_pack_schema(const Document& pack);

}  // namespace postern::control
