// SPDX-License-Identifier: Apache-2.0
#include "control/running_policy.h"

#include <algorithm>
#include <ctime>

#include "control/catalogue_loader.h"
#include "control/site_loader.h"
#include "profiles/content_engine.h"

namespace postern::control {
namespace {

// nullptr where no rule asks for it: then no byte is looked at.
Result<std::shared_ptr<const profiles::ContentEngine>> content_engine_of(const Site& site,
                                                                         const classify::Policy& policy,
                                                                         classify::PatternCache& cache) {
  const bool asked = std::any_of(policy.rules.begin(), policy.rules.end(), [](const classify::Rule& rule) {
    return (rule.profiles & classify::kAntivirus) != 0;
  });
  if (!asked) return std::shared_ptr<const profiles::ContentEngine>();
  profiles::ContentEngine::Setup setup{.antivirus = site.antivirus,
                                       .readers = policy.workers + policy.tls_threads};
  setup.antivirus.push_back(profiles::eicar_signature());
  return profiles::ContentEngine::compile(std::move(setup), cache);
}

}  // namespace

Compiled compile_site(const std::string& path, Names& names, Generation generation,
                      const CompileOptions& options) {
  Loaded loaded = load_site(path, names);
  if (!loaded.site) return {nullptr, std::move(loaded.errors)};
  auto compiled = std::make_unique<CompiledSite>();
  compiled->site = std::move(*loaded.site);
  classify::Policy policy = compiled->site.policy;
  policy.generation = generation;
  policy.workers = options.workers != 0 ? options.workers : compiled->site.workers;
  policy.tls_threads = compiled->site.tls.threads;
  classify::PatternCache cache(options.pattern_cache.empty() ? compiled->site.pattern_cache
                                                             : options.pattern_cache);
  auto content = content_engine_of(compiled->site, policy, cache);
  if (!content) return {nullptr, {content.error()}};
  policy.content = std::move(*content);
  auto snapshot = classify::PolicySnapshot::compile(std::move(policy), cache);
  if (!snapshot) {
    Error error = snapshot.error();
    if (error.file.empty()) error.file = path;
    return {nullptr, {error}};
  }
  compiled->snapshot = std::move(*snapshot);
  compiled->committed_at = static_cast<Timestamp>(std::time(nullptr)) * kSecond;
  return {std::move(compiled), {}};
}

std::vector<Error> needs_restart(const Site& running, const Site& candidate) {
  std::vector<Error> errors;
  const auto differs = [&](const std::string& what) {
    errors.push_back(
        Error{what + " cannot change while posternd runs; restart it with this site", candidate.file});
  };
  if (running.workers != candidate.workers || running.cores != candidate.cores) differs("workers and cores");
  if (running.idle != candidate.idle) differs("idle");
  if (running.flows != candidate.flows) differs("flows");
  if (running.mtu != candidate.mtu) differs("mtu");
  if (running.control_socket != candidate.control_socket || running.control_group != candidate.control_group)
    differs("the control socket");
  if (running.tls.threads != candidate.tls.threads || running.tls.cores != candidate.tls.cores ||
      running.tls.sessions != candidate.tls.sessions || running.tls.key_log != candidate.tls.key_log)
    differs("threads, cores, sessions and key_log of tls");
  if (running.wires.size() != candidate.wires.size()) {
    differs("the number of wires");
    return errors;
  }
  for (size_t i = 0; i < running.wires.size(); ++i) {
    const Wire &now = running.wires[i], &then = candidate.wires[i];
    const bool same_ports =
        now.ports[0].text == then.ports[0].text && now.ports[1].text == then.ports[1].text;
    const bool same_names = now.name == then.name && now.sides == then.sides;
    if (!same_ports || !same_names || now.vlan_map != then.vlan_map || now.l2 != then.l2)
      differs("wire " + now.name);
  }
  return errors;
}

std::unique_ptr<CompiledSite> permissive_site(Names& names, const CompileOptions& options) {
  auto compiled = std::make_unique<CompiledSite>();
  Site& site = compiled->site;
  site.name = "replay";
  Wire wire;
  wire.name = "replay";
  wire.sides = {"first", "second"};
  wire.id = names.wire(wire.name, wire.sides[0], wire.sides[1]);
  wire.l2 = {.pause = L2Action::Pass, .other_multicast = L2Action::Pass, .unknown_ethertype = L2Action::Pass};
  site.wires.push_back(wire);
  site.forwardings.push_back({names.forwarding("eve"), "eve", "eve.json"});

  classify::Policy& policy = site.policy;
  policy.generation = Generation{1};
  policy.workers = site.workers = std::max(options.workers, 1u);
  const Catalogue catalogue = shipped_catalogue().entries;
  policy.applications = applications_of(catalogue, {}, names);
  policy.signatures = signatures_of(catalogue, names);
  const Zone zone = names.zone("any");
  for (const Side side : {Side::First, Side::Second})
    policy.zones.push_back({.zone = zone, .wire = wire.id, .side = side, .vlan = {}, .prefixes = {}});
  classify::Rule everything;
  everything.pack = "replay";
  everything.name = "everything";
  everything.id = names.rule({everything.pack, everything.name, 0});
  everything.action = Action::Allow;
  everything.source_zones = everything.destination_zones = {zone};
  everything.application = names.application("any_application");
  everything.service = classify::Service::Any;
  everything.logging = {site.forwardings[0].id, false, true};
  policy.rules.push_back(everything);
  policy.follow_applications = true;
  policy.default_logging = {site.forwardings[0].id, true, true};
  const auto pass = classify::ExceptionAction::Pass;
  policy.exceptions = {pass, pass, pass, pass, pass, pass, pass, pass};

  classify::PatternCache cache(options.pattern_cache);
  auto snapshot = classify::PolicySnapshot::compile(policy, cache);
  compiled->snapshot = std::move(snapshot.value());
  return compiled;
}

}  // namespace postern::control
