// SPDX-License-Identifier: Apache-2.0
#include "control/check_command.h"

#include <algorithm>
#include <memory>
#include <ostream>
#include <set>

#include "classify/policy_snapshot.h"
#include "control/catalogue_loader.h"
#include "control/json_line.h"
#include "control/pack_loader.h"
#include "control/site_loader.h"

namespace postern::control {
namespace {

constexpr int kValid = 0, kUsage = 2, kInvalid = 3;
constexpr std::string_view kBuiltInSite = "built-in site";

struct Outcome {
  std::string site;                                          // file, or what stands for it
  std::unique_ptr<const classify::PolicySnapshot> snapshot;  // none: errors
  std::vector<Error> errors;
  std::vector<std::string> warnings;
  std::string legend;  // names of the numbers in the table
};

struct PackWords {
  std::set<std::string> zones, groups, forwardings, applications;
};

void collect(const Pack& pack, PackWords& words) {
  for (const PackRule& rule : pack.rules) {
    for (const Word& word : rule.source_zones) words.zones.insert(word.text);
    for (const Word& word : rule.destination_zones) words.zones.insert(word.text);
    for (const Word& word : rule.groups) words.groups.insert(word.text);
    words.forwardings.insert(rule.forwarding.text);
    words.applications.insert(rule.app_id.text);
  }
}

// Every zone has a prefix of its own on one side of a wire that no port will ever be opened for.
std::string site_for(const PackWords& words) {
  std::string text =
      "site: check\nwires:\n  - {wire: check, sides: {first: \"ring:check0\", second: "
      "\"ring:check1\"}}\nzones:\n";
  unsigned number = 0;
  for (const std::string& zone : words.zones) {
    text += "  - {zone: " + zone + ", wire: check, side: first, prefixes: [10." +
            std::to_string(number / 256) + "." + std::to_string(number % 256) + ".0/24]}\n";
    ++number;
  }
  text += "applications:\n";
  const Catalogue catalogue = shipped_catalogue().entries;
  for (const std::string& app_id : words.applications) {
    const auto entry = catalogue.find(app_id);
    if (entry == catalogue.end()) continue;
    const auto& members = entry->second.members;
    if (std::any_of(members.begin(), members.end(), [](const auto& m) { return m.bound_hosts; }))
      text += "  " + app_id + ": {servers: [10.0.0.10]}\n";
  }
  text += "identity:\n  groups:\n";
  for (const std::string& group : words.groups) text += "    " + group + ": [" + group + "]\n";
  text += "logging:\n  forwarding:\n";
  for (const std::string& name : words.forwardings) text += "    " + name + ": {file: " + name + ".json}\n";
  if (!words.forwardings.empty()) text += "  default_rule: " + *words.forwardings.begin() + "\n";
  return text;
}

// What to check; packs that say nothing to build a site from leave only their errors.
struct Subject {
  SiteSource source;
  std::vector<Error> errors;
};

Subject built_in_site(const std::vector<std::string>& pack_paths) {
  Subject subject{{std::string(kBuiltInSite), std::nullopt, pack_paths}, {}};
  PackWords words;
  for (const std::string& path : pack_paths) {
    const LoadedPack loaded = load_pack(path);
    for (const Error& e : loaded.findings.errors()) subject.errors.push_back(e);
    if (loaded.pack) collect(*loaded.pack, words);
  }
  subject.source.text = site_for(words);
  return subject;
}

std::string legend_of(const Site& site, const Names& names) {
  std::string text = "names\n";
  for (const Wire& wire : site.wires)
    text += "  wire " + std::to_string(wire.id.value) + " is " + wire.name + ", side 0 " + wire.sides[0] +
            ", side 1 " + wire.sides[1] + "\n";
  std::set<Zone> zones;
  for (const classify::ZoneBinding& binding : site.policy.zones) zones.insert(binding.zone);
  for (const Zone zone : zones)
    text += "  zone " + std::to_string(zone.value) + " is " + names.zone_name(zone) + "\n";
  return text;
}

Outcome check(const std::string& site_path, const std::vector<std::string>& pack_paths) {
  Outcome outcome;
  const Subject subject =
      site_path.empty() ? built_in_site(pack_paths) : Subject{{site_path, std::nullopt, pack_paths}, {}};
  outcome.site = subject.source.file;
  outcome.errors = subject.errors;
  if (!outcome.errors.empty()) return outcome;
  Names names;
  Loaded loaded = load_site(subject.source, names);
  outcome.errors = std::move(loaded.errors);
  if (!loaded.site) return outcome;
  outcome.warnings = std::move(loaded.site->warnings);
  outcome.legend = legend_of(*loaded.site, names);
  loaded.site->policy.generation = Generation{1};
  classify::PatternCache cache(loaded.site->pattern_cache);
  auto compiled = classify::PolicySnapshot::compile(std::move(loaded.site->policy), cache);
  if (compiled)
    outcome.snapshot = std::move(*compiled);
  else
    outcome.errors.push_back(compiled.error());
  return outcome;
}

void print_text(const Outcome& outcome, std::ostream& out) {
  for (const Error& e : outcome.errors) out << e.text() << '\n';
  for (const std::string& warning : outcome.warnings) out << "warning: " << warning << '\n';
  if (!outcome.snapshot) {
    out << "not valid: nothing would change on commit\n";
    return;
  }
  if (outcome.site == kBuiltInSite)
    out << "no site file: checked against a built-in site that binds every zone, group, forwarding and host "
           "the packs "
           "name\n";
  out << outcome.legend << outcome.snapshot->dump();
  out << "valid: " << outcome.snapshot->policy().rules.size() << " rules\n";
}

std::string json_list(const std::vector<std::string>& members) {
  std::string out = "[";
  for (const std::string& member : members) out += (out.size() > 1 ? "," : "") + member;
  return out + "]";
}

void print_json(const Outcome& outcome, std::ostream& out) {
  std::vector<std::string> errors, warnings, rules;
  for (const Error& e : outcome.errors)
    errors.push_back("{\"file\":" + json_quoted(e.file) + ",\"line\":" + std::to_string(e.line) +
                     ",\"message\":" + json_quoted(e.message) + "}");
  for (const std::string& warning : outcome.warnings) warnings.push_back(json_quoted(warning));
  if (outcome.snapshot)
    for (const classify::Rule& rule : outcome.snapshot->policy().rules) {
      const classify::Application* application = outcome.snapshot->application(rule.application);
      rules.push_back("{\"pack\":" + json_quoted(rule.pack) + ",\"rule\":" + json_quoted(rule.name) +
                      ",\"index\":" + std::to_string(rule.index) + ",\"action\":\"" +
                      (rule.action == Action::Allow ? "allow" : "drop") +
                      "\",\"app_id\":" + json_quoted(application == nullptr ? "" : application->name) + "}");
    }
  out << "{\"valid\":" << (outcome.snapshot ? "true" : "false") << ",\"site\":" << json_quoted(outcome.site)
      << ",\"rules\":" << json_list(rules) << ",\"warnings\":" << json_list(warnings)
      << ",\"errors\":" << json_list(errors)
      << ",\"table\":" << json_quoted(outcome.snapshot ? outcome.snapshot->dump() : "") << "}\n";
}

}  // namespace

int run_check(const std::string& site_path, const std::vector<std::string>& pack_paths, CheckOutput output,
              std::ostream& out) {
  if (site_path.empty() && pack_paths.empty()) {
    out << "check: nothing to check; expected --site FILE or --pack FILE\n";
    return kUsage;
  }
  const Outcome outcome = check(site_path, pack_paths);
  if (output == CheckOutput::Json)
    print_json(outcome, out);
  else
    print_text(outcome, out);
  return outcome.snapshot ? kValid : kInvalid;
}

}  // namespace postern::control
