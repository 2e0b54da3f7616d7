// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "control/rule_story.h"
#include "control/show.h"

namespace postern::control {
namespace {

using classify::Decision;
using classify::FlowFacts;
using classify::PolicySnapshot;
using nlohmann::json;

struct Path {  // where the flow enters
  WireId wire;
  Side side = Side::First;
  uint16_t vlan = 0;
  Zone source, destination;
};

uint16_t far_vlan(const Wire& wire, Side side, uint16_t vlan) {
  for (const auto& [first, second] : wire.vlan_map) {
    if (side == Side::First && vlan == first) return second;
    if (side == Side::Second && vlan == second) return first;
  }
  return vlan;
}

// Every side the flow could enter by, when the operator does not say: both ends must have a zone there. A
// zone that names the source's prefix says more than one for all addresses.
std::vector<Path> possible_paths(const Request& request, const CompiledSite& policy, const FlowFacts& facts) {
  const std::string wanted_wire = request.args.value("wire", ""),
                    wanted_side = request.args.value("side", "");
  const uint16_t vlan = request.args.value("vlan", uint16_t{0});
  std::vector<Path> paths;
  for (const Wire& wire : policy.site.wires) {
    if (!wanted_wire.empty() && wire.name != wanted_wire) continue;
    for (const Side side : {Side::First, Side::Second}) {
      if (!wanted_side.empty() && wire.sides[static_cast<size_t>(side)] != wanted_side) continue;
      const Zone source = policy.snapshot->zone_of(wire.id, side, vlan, facts.source);
      const Zone destination =
          policy.snapshot->zone_of(wire.id, other(side), far_vlan(wire, side, vlan), facts.destination);
      if (source != kNoZone && destination != kNoZone)
        paths.push_back({wire.id, side, vlan, source, destination});
    }
  }
  return paths;
}

// The identified application a name stands for; of a composite, the member that fits the flow's protocol and
// port.
Result<AppId> identified_as(const std::string& name, const FlowFacts& facts, const PolicySnapshot& snapshot) {
  const classify::Application* application = snapshot.application(name);
  if (application == nullptr)
    return Error{"test flow: the catalogue has no application \"" + name + "\"; see show apps"};
  if (!application->composite && !application->wildcard) return application->id;
  for (const classify::Member& member : application->members) {
    const bool port = member.ports.empty() ||
                      std::any_of(member.ports.begin(), member.ports.end(),
                                  [&](const auto& range) { return range.contains(facts.destination_port); });
    if (member.application && port &&
        (member.protocol == classify::kAnyProtocol || member.protocol == facts.protocol))
      return *member.application;
  }
  return Error{"test flow: no member of \"" + name + "\" fits this protocol and port; see show apps"};
}

// How closely a zone binding names the two addresses; the same order a replay guesses by.
int closeness(const Path& path, const FlowFacts& facts, const classify::Policy& policy) {
  int total = 0;
  for (const classify::ZoneBinding& zone : policy.zones) {
    if (zone.wire != path.wire) continue;
    const IpAddress& address = zone.side == path.side ? facts.source : facts.destination;
    for (const Prefix& prefix : zone.prefixes)
      if (prefix.contains(address)) total += 2 + prefix.length;
  }
  return total;
}

std::string verdict_of(const Decision& decision) {
  if (decision.final) return decision.action() == Action::Allow ? "allow" : "drop";
  return decision.could_allow ? "pending" : "drop";
}

json reply_for(const Path& path, FlowFacts facts, const CompiledSite& policy, const Names& names) {
  facts.source_zone = path.source;
  facts.destination_zone = path.destination;
  const PolicySnapshot& snapshot = *policy.snapshot;
  const Decision decision = snapshot.decide(facts);
  const std::string verdict = verdict_of(decision);
  const bool dropped = verdict == "drop";

  json story = json::array();
  story.push_back(fmt::format("enters wire {} at side {}: zone {} to zone {}", names.wire_name(path.wire),
                              names.side_name(path.wire, path.side), names.zone_name(path.source),
                              names.zone_name(path.destination)));
  if (const classify::Subject* subject = snapshot.subject_at(facts.source); subject != nullptr)
    story.push_back(fmt::format("source is {}{}", subject->name, subject->compliant ? ", compliant" : ""));
  else
    story.push_back("source is nobody known: rules with an identity do not match");
  for (const json& considered : rules_considered(snapshot, facts, names)) story.push_back(considered["text"]);
  if (verdict == "pending")
    story.push_back("the application is not known yet: first packets pass within the pending budget");
  json rule = nullptr;
  if (decision.rule != nullptr && (decision.final || dropped))
    rule = {{"pack", decision.rule->pack}, {"rule", decision.rule->name}, {"index", decision.rule->index}};
  else if (decision.final || dropped)
    rule = {{"pack", ""}, {"rule", "default"}, {"index", nullptr}};
  const DropReason reason = !dropped                   ? DropReason::None
                            : decision.rule != nullptr ? DropReason::PolicyRule
                                                       : DropReason::PolicyDefault;
  return {{"verdict", verdict},
          {"action", dropped ? "drop" : "allow"},
          {"reason", std::string(drop_reason_name(reason))},
          {"rule", rule},
          {"application", names.application_name(facts.application)},
          {"source_zone", names.zone_name(path.source)},
          {"destination_zone", names.zone_name(path.destination)},
          {"final", decision.final},
          {"story", story}};
}

}  // namespace

Reply test_flow(const Request& request, const CompiledSite& policy, const Names& names) {
  const json& args = request.args;
  const auto source = IpAddress::parse(args.value("source", "")),
             destination = IpAddress::parse(args.value("destination", ""));
  if (!source || !destination)
    return Reply::failure(ExitCode::Usage, "test flow: source and destination must be addresses");
  FlowFacts facts;
  facts.source = *source;
  facts.destination = *destination;
  facts.source_port = args.value("source_port", uint16_t{0});
  facts.destination_port = args.value("destination_port", uint16_t{0});
  facts.protocol = args.value("proto", uint8_t{0});
  if (const std::string app = args.value("app", ""); !app.empty()) {
    const auto identified = identified_as(app, facts, *policy.snapshot);
    if (!identified) return Reply::failure(ExitCode::Usage, identified.error().message);
    facts.application = *identified;
  }
  const std::vector<Path> paths = possible_paths(request, policy, facts);
  if (paths.empty())
    return Reply::success(
        {{"verdict", "drop"},
         {"action", "drop"},
         {"reason", std::string(drop_reason_name(DropReason::NoZone))},
         {"rule", nullptr},
         {"final", true},
         {"story",
          json::array(
              {"no wire has a zone for the source on one side and for the destination on the other"})}});
  const classify::Policy& compiled = policy.snapshot->policy();
  const Path* best = &paths.front();
  for (const Path& path : paths)
    if (closeness(path, facts, compiled) > closeness(*best, facts, compiled)) best = &path;
  json reply = reply_for(*best, facts, policy, names);
  for (const Path& path : paths)
    if (&path != best)
      reply["story"].push_back(
          fmt::format("it could also enter wire {} at side {}: say so with --wire and --side",
                      names.wire_name(path.wire), names.side_name(path.wire, path.side)));
  return Reply::success(reply);
}

}  // namespace postern::control
