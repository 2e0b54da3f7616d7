// SPDX-License-Identifier: Apache-2.0
// Why the policy says what it says of a flow: what every rule of its zones thinks, in order, up to the one
// that matches for certain. For `test flow` and `trace`. Control thread.
#pragma once

#include <nlohmann/json.hpp>

#include "classify/policy_snapshot.h"
#include "control/names.h"

namespace postern::control {

// [{pack, rule, index, action, opinion: no | maybe | yes, why, text}]; the last is the rule that decides, the
// default rule included.
nlohmann::json rules_considered(const classify::PolicySnapshot& snapshot, const classify::FlowFacts& facts,
                                const Names& names);

}  // namespace postern::control
