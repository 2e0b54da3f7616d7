// SPDX-License-Identifier: Apache-2.0
#include "classify/rule_conditions.h"

#include <algorithm>

namespace postern::classify {

bool RuleConditions::fits_packet(const FlowFacts& facts) const noexcept {
  if (protocol != kAnyProtocol && protocol != facts.protocol) return false;
  return ports.matches(facts.destination_port) && destinations.matches(facts.destination) &&
         sources.matches(facts.source);
}

void RuleJudge::weigh(uint32_t rule) noexcept {
  const RuleConditions& conditions = catalogue_.rules[rule];
  const IdentityCondition& identity = conditions.identity;
  if (!identity.asks_nothing() && !SubjectTable::satisfies(subject(), identity)) return;
  Match match = catalogue_.applications.match(conditions.application, conditions.service, facts_);
  // Nobody knows before it is decrypted.
  const bool opens =
      facts_.veiled && conditions.decrypts && facts_.exclusions.for_rule(conditions.excluded).empty();
  if (match == Match::No && opens)
    match = catalogue_.applications.match_inside(conditions.application, conditions.service, facts_);
  switch (match) {
    case Match::No:
      return;
    case Match::Yes:
      best_ = rule;
      return;
    case Match::Maybe:
      first_waiting_ = std::min(first_waiting_, rule);
      if (conditions.action == Action::Allow) first_waiting_allow_ = std::min(first_waiting_allow_, rule);
      return;
  }
}

}  // namespace postern::classify
