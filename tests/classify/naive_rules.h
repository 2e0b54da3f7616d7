// SPDX-License-Identifier: Apache-2.0
// The rules of a policy as a person reads them: one after the other, condition by condition, straight from
// the policy. What the compiled tables are held against.
#pragma once

#include <algorithm>

#include "classify/policy_snapshot.h"
#include "tests/classify/policy_builder.h"

namespace postern::classify::naive {

enum class Answer { No, Maybe, Yes };

inline bool in_any(const std::vector<Prefix>& prefixes, const IpAddress& a) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const Prefix& p) { return p.contains(a); });
}
inline bool in_any(const std::vector<PortRange>& ranges, uint16_t port) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const PortRange& r) { return r.contains(port); });
}

inline bool runs_over(AppId id, uint8_t protocol) {
  const bool tcp_only =
      id == app::kTls || id == app::kHttp || id == app::kCimXml || id == app::kRfc913 || id == app::kSsh;
  const bool udp_only = id == app::kIpmi15 || id == app::kIpmi20 || id == app::kAsf;
  if (tcp_only) return protocol == kTcp;
  if (udp_only) return protocol == kUdp;
  if (id == app::kIcmpEcho || id == app::kIcmpOther) return protocol == kIcmp || protocol == kIcmpV6;
  return protocol == kTcp || protocol == kUdp;  // dns, slp
}

inline Answer is_identified_as(AppId id, const FlowFacts& f) {
  if (f.application == id) return Answer::Yes;
  return f.application == kApplicationPending && runs_over(id, f.protocol) ? Answer::Maybe : Answer::No;
}

inline Answer composite_answer(const Application& a, Service service, const FlowFacts& f) {
  Answer best = Answer::No;
  for (const Member& m : a.members) {
    const bool ports_are_hints = service == Service::Any && m.application;
    if (m.protocol != kAnyProtocol && m.protocol != f.protocol) continue;
    if (!m.ports.empty() && !ports_are_hints && !in_any(m.ports, f.destination_port)) continue;
    if (m.bound_hosts && !in_any(a.servers, f.destination)) continue;
    best = std::max(best, m.application ? is_identified_as(*m.application, f) : Answer::Yes);
  }
  return best;
}

inline Answer application_answer(const Policy& policy, const Rule& rule, const FlowFacts& f) {
  const auto a = std::find_if(policy.applications.begin(), policy.applications.end(),
                              [&](const Application& x) { return x.id == rule.application; });
  if (a->wildcard) return Answer::Yes;
  if (a->composite) return composite_answer(*a, rule.service, f);
  const bool usual =
      a->members.empty() || rule.service == Service::Any ||
      std::any_of(a->members.begin(), a->members.end(), [&](const Member& m) {
        return m.protocol == f.protocol && (m.ports.empty() || in_any(m.ports, f.destination_port));
      });
  return usual ? is_identified_as(a->id, f) : Answer::No;
}

inline bool identity_holds(const Policy& policy, const Identity& identity, const IpAddress& source) {
  if (identity.empty()) return true;
  for (const Subject& s : policy.subjects) {
    if (s.address != source) continue;
    if (identity.compliant && !s.compliant) return false;
    return identity.groups.empty() ||
           std::any_of(s.groups.begin(), s.groups.end(), [&](const std::string& g) {
             return std::find(identity.groups.begin(), identity.groups.end(), g) != identity.groups.end();
           });
  }
  return false;
}

inline Answer rule_answer(const Policy& policy, const Rule& rule, const FlowFacts& f) {
  const auto has = [](const std::vector<Zone>& zones, Zone z) {
    return std::find(zones.begin(), zones.end(), z) != zones.end();
  };
  if (!has(rule.source_zones, f.source_zone) || !has(rule.destination_zones, f.destination_zone))
    return Answer::No;
  if (!rule.sources.empty() && !in_any(rule.sources, f.source)) return Answer::No;
  if (!rule.destinations.empty() && !in_any(rule.destinations, f.destination)) return Answer::No;
  if (rule.protocol != kAnyProtocol && rule.protocol != f.protocol) return Answer::No;
  if (!rule.ports.empty() && !in_any(rule.ports, f.destination_port)) return Answer::No;
  if (!identity_holds(policy, rule.identity, f.source)) return Answer::No;
  return application_answer(policy, rule, f);
}

inline Decision decide(const Policy& policy, const FlowFacts& f) {
  Decision decision;
  if (f.source_zone == kNoZone || f.destination_zone == kNoZone) return decision;
  for (const Rule& rule : policy.rules) {
    const Answer answer = rule_answer(policy, rule, f);
    if (answer == Answer::Yes) {
      decision.rule = &rule;
      break;
    }
    if (answer == Answer::No) continue;
    decision.final = false;
    decision.could_allow |= rule.action == Action::Allow;
  }
  decision.could_allow |= decision.action() == Action::Allow;
  return decision;
}

}  // namespace postern::classify::naive
