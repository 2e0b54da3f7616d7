// SPDX-License-Identifier: Apache-2.0
#include "classify/policy_check.h"

#include <set>
#include <tuple>
#include <utility>

namespace postern::classify {
namespace {

Error complaint(const Rule& rule, const std::string& what) {
  return {"pack '" + rule.pack + "' rule '" + rule.name + "': " + what};
}

Status check_zones(const Rule& rule) {
  const std::pair<const char*, const std::vector<Zone>*> sides[] = {{"source", &rule.source_zones},
                                                                    {"destination", &rule.destination_zones}};
  for (const auto& [side, zones] : sides) {
    if (zones->empty()) return complaint(rule, std::string("no ") + side + " zones; expected at least one");
    for (const Zone zone : *zones)
      if (zone == kNoZone) return complaint(rule, std::string(side) + " zone 0; expected a zone with a name");
  }
  return Ok{};
}

Status check_ports(const Rule& rule) {
  if (rule.ports.empty()) return Ok{};
  if (rule.protocol != kTcp && rule.protocol != kUdp && rule.protocol != kSctp) {
    const std::string found = rule.protocol == kAnyProtocol ? "any" : std::to_string(rule.protocol);
    return complaint(rule, "ports with protocol " + found + ", which has none; expected tcp, udp or sctp");
  }
  for (const PortRange& range : rule.ports)
    if (range.first > range.last)
      return complaint(rule, "port range " + std::to_string(range.first) + "-" + std::to_string(range.last) +
                                 " is empty; expected the lower port first");
  return Ok{};
}

Status check_application(const Rule& rule, const ApplicationTable& applications) {
  if (rule.application == kApplicationPending || rule.application == kApplicationUnidentified)
    return complaint(rule, "names no application; expected one of the catalogue, any_application for any");
  if (applications.find(rule.application) == nullptr)
    return complaint(rule,
                     "application " + std::to_string(rule.application.value) + " is not in the catalogue");
  return Ok{};
}

}  // namespace

Status check_rules(const std::vector<Rule>& rules, const ApplicationTable& applications) {
  // A pack may name one application in several rules, told apart by their index.
  std::set<std::tuple<std::string_view, std::string_view, uint32_t>> names;
  for (const Rule& rule : rules) {
    if (!names.emplace(rule.pack, rule.name, rule.index).second)
      return complaint(rule,
                       "the name and index are used twice; expected every rule of a pack to have its own");
    if (Status status = check_zones(rule); !status) return status;
    if (Status status = check_ports(rule); !status) return status;
    if (Status status = check_application(rule, applications); !status) return status;
  }
  return Ok{};
}

}  // namespace postern::classify
