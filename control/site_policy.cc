// SPDX-License-Identifier: Apache-2.0
// The sections of a site file that become part of the policy: applications, rules, exceptions, pending,
// timeouts.
#include <algorithm>
#include <set>
#include <utility>

#include "control/document.h"
#include "control/site_sections.h"
#include "control/transport.h"

namespace postern::control {
namespace {

using classify::ExceptionAction;
using classify::Rule;
using classify::Service;

constexpr Choice<Action> kActions[] = {{"allow", Action::Allow}, {"drop", Action::Drop}};
constexpr Choice<Service> kServices[] = {{"application_default", Service::ApplicationDefault},
                                         {"any", Service::Any}};
constexpr Choice<ExceptionAction> kExceptionActions[] = {
    {"drop", ExceptionAction::Drop}, {"pass", ExceptionAction::Pass}, {"bypass", ExceptionAction::Bypass}};
constexpr uint32_t kWeek = 7 * 24 * 3600;

class RulesReader {
 public:
  RulesReader(const SiteWords& words, Names& names, Findings& findings)
      : words_(words), names_(names), findings_(findings) {}

  RulesSection read(MapReader& site) {
    MapReader rules = site.map("rules");
    RulesSection section;
    section.before = read_list(rules, "before");
    section.after = read_list(rules, "after");
    rules.finish();
    return section;
  }

 private:
  std::vector<Rule> read_list(MapReader& rules, std::string_view key) {
    std::vector<Rule> out;
    const auto nodes = rules.list(key, "rules", EmptyList::Fine);
    out.reserve(nodes.size());
    for (const Node& node : nodes) {
      MapReader map(&node, "rule", findings_);
      out.push_back(read_rule(map));
      map.finish();
    }
    return out;
  }

  Rule read_rule(MapReader& map) {
    Rule rule;
    rule.pack = "site";
    rule.name = map.required_name("rule");
    rule.index = index_++;
    if (!rule.name.empty() && !seen_.insert(rule.name).second)
      findings_.error(map.line_of("rule"),
                      "rule: found " + in_quotes(rule.name) + " twice, expected unique names");
    // Logs show the index, so a rule that moved is another rule to them.
    rule.id = names_.rule({rule.pack, rule.name, rule.index});
    if (!map.has("action"))
      findings_.error(map.line(), "rule " + rule.name + ": no key \"action\", expected allow or drop");
    rule.action = map.choice<Action>("action", kActions, Action::Drop);
    if (!map.has("zones"))
      findings_.error(map.line(),
                      "rule " + rule.name + ": no key \"zones\", expected the lists source and destination");
    MapReader zones = map.map("zones");
    if (map.has("zones")) {
      rule.source_zones = read_zone_list(zones, "source");
      rule.destination_zones = read_zone_list(zones, "destination");
    }
    zones.finish();
    rule.sources = map.prefixes("source");
    rule.destinations = map.prefixes("destination");
    rule.protocol = read_protocol(map, findings_);
    rule.ports = read_ports(map, "ports", rule.protocol, findings_);
    rule.application = read_application(map);
    rule.service = map.choice<Service>("service", kServices, Service::ApplicationDefault);
    rule.logging = read_rule_logging(map);
    return rule;
  }

  std::vector<Zone> read_zone_list(MapReader& zones, std::string_view key) {
    std::vector<Zone> out;
    if (!zones.has(key))
      findings_.error(zones.line(), "zones: no key " + in_quotes(key) + ", expected a list of zones");
    for (const Node& item : zones.list(key, "zones", EmptyList::Refused)) {
      const auto known = item.is_scalar() ? words_.zones.find(item.text) : words_.zones.end();
      if (known != words_.zones.end())
        out.push_back(known->second);
      else
        findings_.error(item.line, std::string(key) + ": found " + item.found() +
                                       ", expected a zone of the site's zones");
    }
    return out;
  }

  AppId read_application(MapReader& map) {
    const std::string name = map.text("application").value_or("any_application");
    const auto known = words_.applications.find(name);
    if (known != words_.applications.end()) return known->second->id;
    findings_.error(map.line_of("application"),
                    "application: found " + in_quotes(name) + ", expected an app_id of the catalogue");
    return {};
  }

  classify::Logging read_rule_logging(MapReader& rule) {
    MapReader map = rule.map("logging");
    classify::Logging logging;
    if (const auto name = map.text("forwarding")) {
      const auto known = words_.forwardings.find(*name);
      if (known != words_.forwardings.end())
        logging.forwarding = known->second;
      else
        findings_.error(map.line_of("forwarding"),
                        "forwarding: found " + in_quotes(*name) + ", expected a key of logging.forwarding");
    }
    logging.start = map.flag("log_start", logging.start);
    logging.end = map.flag("log_end", logging.end);
    map.finish();
    return logging;
  }

  const SiteWords& words_;
  Names& names_;
  Findings& findings_;
  std::set<std::string> seen_;
  uint32_t index_ = 0;
};

}  // namespace

std::map<std::string, ApplicationBinding> read_applications(MapReader& site, const Catalogue& catalogue,
                                                            Findings& findings) {
  std::map<std::string, ApplicationBinding> out;
  const Node* node = site.take("applications");
  if (node == nullptr || node->is_nothing()) return out;
  if (node->kind != Node::Kind::Map)
    findings.error(node->line, "applications: found " + node->found() + ", expected a mapping of app_ids");
  for (const Node::Entry& entry : node->entries) {
    const auto known = catalogue.find(entry.key);
    if (known == catalogue.end()) {
      findings.error(entry.line,
                     "applications: found " + in_quotes(entry.key) + ", expected an app_id of the catalogue");
      continue;
    }
    const auto& members = known->second.members;
    const auto& signatures = known->second.signatures;
    const auto bound = [](const auto& part) { return part.bound_hosts; };
    MapReader map(&entry.value, entry.key, findings);
    ApplicationBinding binding;
    binding.servers = map.prefixes("servers");
    if (map.has("servers") && std::none_of(members.begin(), members.end(), bound) &&
        std::none_of(signatures.begin(), signatures.end(), bound))
      findings.error(map.line_of("servers"), "servers: " + entry.key +
                                                 " is not bound to hosts in the catalogue, expected "
                                                 "no servers for it");
    for (const Node& item : map.list("opt_in", "members", EmptyList::Fine)) {
      const bool exists =
          item.is_scalar() && !item.text.empty() &&
          std::any_of(members.begin(), members.end(), [&](const auto& m) { return m.opt_in == item.text; });
      if (exists)
        binding.opt_in.push_back(item.text);
      else
        findings.error(item.line, "opt_in: found " + item.found() + ", expected a member of " + entry.key +
                                      " that the catalogue marks opt_in");
    }
    map.finish();
    out.emplace(entry.key, std::move(binding));
  }
  return out;
}

RulesSection read_rules(MapReader& site, const SiteWords& words, Names& names, Findings& findings) {
  return RulesReader(words, names, findings).read(site);
}

classify::Exceptions read_exceptions(MapReader& site, Findings&) {
  using classify::Exceptions;
  MapReader map = site.map("exceptions");
  Exceptions out;
  const std::pair<std::string_view, ExceptionAction Exceptions::*> causes[] = {
      {"malformed", &Exceptions::malformed},
      {"flow_table_full", &Exceptions::flow_table_full},
      {"midstream", &Exceptions::midstream},
      {"fragments_full", &Exceptions::fragments_full},
      {"stream_full", &Exceptions::stream_full},
      {"application_unknown", &Exceptions::application_unknown},
      {"decryption_unavailable", &Exceptions::decryption_unavailable},
      {"inspection_unavailable", &Exceptions::inspection_unavailable}};
  for (const auto& [key, cause] : causes)
    out.*cause = map.choice<ExceptionAction>(key, kExceptionActions, out.*cause);
  map.finish();
  return out;
}

classify::PendingBudget read_pending(MapReader& site, Findings&) {
  MapReader map = site.map("pending");
  classify::PendingBudget out;
  out.packets = static_cast<uint32_t>(map.integer("packets", {1, 10'000}, out.packets));
  out.bytes = static_cast<uint32_t>(map.integer("bytes", {1, 16 << 20}, out.bytes));
  out.seconds = static_cast<uint32_t>(map.integer("seconds", {1, 3600}, out.seconds));
  map.finish();
  return out;
}

classify::Timeouts read_timeouts(MapReader& site, Findings&) {
  using classify::Timeouts;
  MapReader map = site.map("timeouts");
  Timeouts out;
  const std::pair<std::string_view, uint32_t Timeouts::*> states[] = {
      {"tcp_half_open", &Timeouts::tcp_half_open},
      {"tcp_established", &Timeouts::tcp_established},
      {"tcp_closed", &Timeouts::tcp_closed},
      {"udp_unreplied", &Timeouts::udp_unreplied},
      {"udp", &Timeouts::udp},
      {"icmp", &Timeouts::icmp},
      {"drop", &Timeouts::drop},
      {"other", &Timeouts::other}};
  for (const auto& [key, state] : states)
    out.*state = static_cast<uint32_t>(map.integer(key, {1, kWeek}, out.*state));
  map.finish();
  return out;
}

}  // namespace postern::control
