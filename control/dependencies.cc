// SPDX-License-Identifier: Apache-2.0
#include "control/dependencies.h"

#include <algorithm>
#include <set>

#include "control/document.h"

namespace postern::control {
namespace {

using classify::Application;
using classify::Member;
using classify::Rule;

bool covers(const Member& wide, const Member& narrow) {
  if (wide.application != narrow.application || wide.protocol != narrow.protocol) return false;
  if (wide.ports.empty()) return true;
  return !narrow.ports.empty() &&
         std::all_of(narrow.ports.begin(), narrow.ports.end(), [&](const auto& range) {
           return std::any_of(wide.ports.begin(), wide.ports.end(),
                              [&](const auto& w) { return w.first <= range.first && range.last <= w.last; });
         });
}

class Dependencies {
 public:
  Dependencies(const std::vector<Rule>& policy, const SiteWords& site) : policy_(policy), site_(site) {
    for (const auto& [name, application] : site.applications) by_id_.emplace(application->id, application);
  }

  const Application* application(AppId id) const {
    const auto known = by_id_.find(id);
    return known == by_id_.end() ? nullptr : known->second;
  }

  // What the members of a composite depend on.
  std::set<std::string> of_members(const Application& application) const {
    std::set<std::string> names;
    for (const Member& member : application.members) {
      const Application* named = member.application ? this->application(*member.application) : nullptr;
      if (named != nullptr && named != &application)
        names.insert(named->depends_on.begin(), named->depends_on.end());
    }
    return names;
  }

  // Empty: nothing to complain about.
  std::string complaint(const std::string& needed_name, const std::vector<Zone>& sources) const {
    const auto needed = site_.applications.find(needed_name);
    if (needed == site_.applications.end())
      return "depends on " + in_quotes(needed_name) + ", which is not in the catalogue";
    if (met(*needed->second, sources)) return "";
    return "depends on " + needed_name + ", and no rule allows " + needed_name + " from its source zones";
  }

 private:
  bool met(const Application& needed, const std::vector<Zone>& sources) const {
    return std::any_of(policy_.begin(), policy_.end(), [&](const Rule& other) {
      if (other.action != Action::Allow || !share_a_zone(sources, other.source_zones)) return false;
      const Application* has = application(other.application);
      return has != nullptr && includes(*has, needed);
    });
  }

  static bool share_a_zone(const std::vector<Zone>& some, const std::vector<Zone>& others) {
    return std::any_of(some.begin(), some.end(), [&](const Zone zone) {
      return std::find(others.begin(), others.end(), zone) != others.end();
    });
  }

  // Whoever may use `has` already has every way of using `needed`.
  bool includes(const Application& has, const Application& needed) const {
    if (has.wildcard || has.id == needed.id || is_below(needed, has.id)) return true;
    return !needed.members.empty() &&
           std::all_of(needed.members.begin(), needed.members.end(), [&](const Member& n) {
             return std::any_of(has.members.begin(), has.members.end(),
                                [&](const Member& h) { return !h.bound_hosts && covers(h, n); });
           });
  }

  bool is_below(const Application& application, AppId ancestor) const {
    const Application* at = this->application(application.parent);
    for (size_t steps = 0; at != nullptr && steps < by_id_.size(); ++steps) {
      if (at->id == ancestor) return true;
      at = this->application(at->parent);
    }
    return false;
  }

  const std::vector<Rule>& policy_;
  const SiteWords& site_;
  std::map<AppId, const Application*> by_id_;
};

std::vector<Zone> zones_of(const PackRule& rule, const SiteWords& site) {
  std::vector<Zone> zones;
  for (const Word& word : rule.source_zones)
    if (const auto known = site.zones.find(word.text); known != site.zones.end())
      zones.push_back(known->second);
  return zones;
}

}  // namespace

Findings unmet_dependencies(const Pack& pack, const std::vector<Rule>& policy, const SiteWords& site) {
  Findings findings(pack.file);
  const Dependencies dependencies(policy, site);
  for (const PackRule& rule : pack.rules) {
    if (rule.action != Action::Allow) continue;
    std::map<std::string, uint32_t> needed;  // name, line that asks for it
    const auto known = site.applications.find(rule.app_id.text);
    if (known != site.applications.end())
      for (const std::string& name : dependencies.of_members(*known->second))
        needed.emplace(name, rule.app_id.line);
    for (const Word& word : rule.depends_on) needed.insert_or_assign(word.text, word.line);
    for (const auto& [name, line] : needed)
      if (const std::string what = dependencies.complaint(name, zones_of(rule, site)); !what.empty())
        findings.warning(line, rule.called() + ": " + what);
  }
  return findings;
}

Findings unmet_dependencies(const std::string& site_file, const std::vector<Rule>& own,
                            const std::vector<Rule>& policy, const SiteWords& site) {
  Findings findings(site_file);
  const Dependencies dependencies(policy, site);
  for (const Rule& rule : own) {
    const Application* application = dependencies.application(rule.application);
    if (rule.action != Action::Allow || application == nullptr) continue;
    std::set<std::string> needed = dependencies.of_members(*application);
    needed.insert(application->depends_on.begin(), application->depends_on.end());
    for (const std::string& name : needed)
      if (const std::string what = dependencies.complaint(name, rule.source_zones); !what.empty())
        findings.warning(0, "rule " + rule.name + ": " + application->name + " " + what);
  }
  return findings;
}

}  // namespace postern::control
