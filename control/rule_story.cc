// SPDX-License-Identifier: Apache-2.0
#include "control/rule_story.h"

#include <fmt/format.h>

#include <algorithm>

namespace postern::control {
namespace {

using classify::FlowFacts;
using classify::Match;
using classify::Objection;
using classify::PolicySnapshot;
using classify::Rule;
using nlohmann::json;

std::string identity_text(const PolicySnapshot& snapshot, const FlowFacts& facts) {
  const classify::Subject* subject = snapshot.subject_at(facts.source);
  if (subject == nullptr) return "it asks who is at the source, and nobody known is";
  return fmt::format("{} at the source is not whom it asks for", subject->name);
}

std::string application_text(const Rule& rule, const FlowFacts& facts, const Names& names) {
  const std::string wanted = names.application_name(rule.application);
  if (facts.application == kApplicationPending)
    return fmt::format("{} cannot be seen over this protocol", wanted);
  return fmt::format("the application is {}", names.application_name(facts.application));
}

std::string why_not(const Rule& rule, Objection objection, const PolicySnapshot& snapshot,
                    const FlowFacts& facts, const Names& names) {
  switch (objection) {
    case Objection::None:
      return "";
    case Objection::SourceZone:
      return fmt::format("it is for other source zones than {}", names.zone_name(facts.source_zone));
    case Objection::DestinationZone:
      return fmt::format("it is for other destination zones than {}",
                         names.zone_name(facts.destination_zone));
    case Objection::Protocol:
      return "it is for another protocol";
    case Objection::Port:
      return fmt::format("it is for other ports than {}", facts.destination_port);
    case Objection::Destination:
      return fmt::format("it is for other destinations than {}", facts.destination.text());
    case Objection::Source:
      return fmt::format("it is for other sources than {}", facts.source.text());
    case Objection::Identity:
      return identity_text(snapshot, facts);
    case Objection::UsualPort:
      return fmt::format("port {} is not a usual one of {}", facts.destination_port,
                         names.application_name(rule.application));
    case Objection::Host:
      return fmt::format("{} is not a server of {}", facts.destination.text(),
                         names.application_name(rule.application));
    case Objection::Application:
      return application_text(rule, facts, names);
  }
  return "";
}

bool for_zones(const Rule& rule, const FlowFacts& facts) {
  const auto names = [](const std::vector<Zone>& zones, Zone zone) {
    return std::find(zones.begin(), zones.end(), zone) != zones.end();
  };
  return names(rule.source_zones, facts.source_zone) && names(rule.destination_zones, facts.destination_zone);
}

}  // namespace

json rules_considered(const PolicySnapshot& snapshot, const FlowFacts& facts, const Names& names) {
  json rules = json::array();
  const auto tell = [&](const Rule& rule, std::string_view opinion, const std::string& why,
                        std::string text) {
    rules.push_back(
        {{"pack", rule.pack},
         {"rule", rule.name},
         {"index", rule.index},
         {"action", rule.action == Action::Allow ? "allow" : "drop"},
         {"opinion", opinion},
         {"why", why},
         {"text", fmt::format("rule {} {} (index {}): {}", rule.pack, rule.name, rule.index, text)}});
  };
  for (const Rule& rule : snapshot.policy().rules) {
    if (!for_zones(rule, facts)) continue;
    const char* action = rule.action == Action::Allow ? "allow" : "drop";
    const std::string why = why_not(rule, snapshot.objection_of(rule, facts), snapshot, facts, names);
    switch (snapshot.opinion_of(rule, facts)) {
      case Match::No:
        tell(rule, "no", why, "does not match: " + why);
        break;
      case Match::Maybe: {
        const std::string open = "if the application is " + names.application_name(rule.application);
        tell(rule, "maybe", open, fmt::format("{}, {}", action, open));
        break;
      }
      case Match::Yes:
        tell(rule, "yes", "", fmt::format("matches, {}", action));
        return rules;
    }
  }
  rules.push_back({{"pack", ""},
                   {"rule", "default"},
                   {"index", nullptr},
                   {"action", "drop"},
                   {"opinion", "yes"},
                   {"why", ""},
                   {"text", "default rule: drop"}});
  return rules;
}

}  // namespace postern::control
