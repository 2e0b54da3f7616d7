// SPDX-License-Identifier: Apache-2.0
// What a policy must satisfy before tables are built from it. Control thread only.
#pragma once

#include "base/result.h"
#include "classify/application_table.h"

namespace postern::classify {

// The first mistake found, naming the rule by pack and name.
Status check_rules(const std::vector<Rule>& rules, const ApplicationTable& applications);

}  // namespace postern::classify
