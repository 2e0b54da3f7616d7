// SPDX-License-Identifier: Apache-2.0
// Policies whose rules ask for antivirus, which knows the test file of eicar.org.
#pragma once

#include "policies.h"
#include "profiles/content_engine.h"

namespace postern::dataplane {

inline const std::string kEicar =
    std::string(R"(X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS)") + "-TEST-FILE!$H+H*";

inline classify::Policy inspected(classify::Policy policy,
                                  classify::ProfileAction action = classify::ProfileAction::Block) {
  classify::PatternCache cache;
  policy.content = profiles::ContentEngine::compile(
                       {.antivirus = {profiles::eicar_signature()}, .readers = policy.workers}, cache)
                       .value();
  for (classify::Rule& rule : policy.rules) {
    rule.profiles = classify::kAntivirus;
    rule.antivirus = action;
  }
  return policy;
}

}  // namespace postern::dataplane
