// SPDX-License-Identifier: Apache-2.0
// A compiled policy as text that stays the same for the same policy, whatever numbers its names were given.
// Control thread only.
#pragma once

#include <string>
#include <vector>

#include "classify/policy.h"

namespace postern::classify {

struct ZonePairRules {
  Zone source, destination;
  const std::vector<uint32_t>* rules = nullptr;  // positions in the policy
};

std::string dump_policy(const Policy& policy, const std::vector<ZonePairRules>& pairs);

}  // namespace postern::classify
