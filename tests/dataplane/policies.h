// SPDX-License-Identifier: Apache-2.0
// Small policies for one wire: 10.1.0.0/16 and fd01::/16 (trust) on its first side, 10.3.0.0/16 and fd03::/16
// (management) on its second; other addresses belong to no zone.
#pragma once

#include "tests/classify/policy_builder.h"

namespace postern::dataplane {

inline classify::Policy wire_policy(uint32_t generation = 1) {
  classify::Policy policy = classify::empty_policy();
  policy.generation = Generation{generation};
  const auto zone = [&policy](Zone id, Side side, std::vector<Prefix> prefixes, std::string name) {
    policy.zones.push_back({.zone = id,
                            .wire = WireId{0},
                            .side = side,
                            .vlan = {},
                            .prefixes = std::move(prefixes),
                            .name = std::move(name)});
  };
  const auto p = [](std::string_view text) { return classify::prefix(text); };
  zone(classify::kTrust, Side::First, {p("10.1.0.0/16"), p("fd01::/16")}, "trust");
  zone(classify::kManagement, Side::Second, {p("10.3.0.0/16"), p("fd03::/16")}, "management");
  return policy;
}

// Rules apply between both sides in both directions.
inline classify::Rule& add_wire_rule(classify::Policy& policy, Action action, AppId application) {
  classify::Rule& rule = classify::add_rule(policy, action, application);
  rule.source_zones = rule.destination_zones = {classify::kTrust, classify::kManagement};
  rule.service = classify::Service::Any;
  rule.logging.end = true;
  return rule;
}

inline classify::Policy allow_all(uint32_t generation = 1) {
  classify::Policy policy = wire_policy(generation);
  add_wire_rule(policy, Action::Allow, classify::kAnyApplication);
  return policy;
}

inline classify::Policy allow_only(AppId application, uint32_t generation = 1) {
  classify::Policy policy = wire_policy(generation);
  add_wire_rule(policy, Action::Allow, application);
  return policy;
}

}  // namespace postern::dataplane
