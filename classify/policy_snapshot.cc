// SPDX-License-Identifier: Apache-2.0
#include "classify/policy_snapshot.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <utility>

#include "classify/app_ids.h"
#include "classify/application_table.h"
#include "classify/policy_check.h"
#include "classify/policy_dump.h"
#include "classify/port_outlook.h"
#include "classify/rule_table.h"
#include "classify/subject_table.h"
#include "classify/zone_table.h"

namespace postern::classify {
namespace {

using ZonePair = std::pair<Zone, Zone>;

std::vector<RuleConditions> conditions_of(const Policy& policy, const ApplicationTable& applications,
                                          const SubjectTable& subjects) {
  std::vector<RuleConditions> conditions;
  conditions.reserve(policy.rules.size());
  for (const Rule& rule : policy.rules) {
    RuleConditions c;
    c.sources = PrefixSet(rule.sources);
    c.destinations = PrefixSet(rule.destinations);
    c.ports = PortSet(rule.ports);
    c.identity = subjects.condition(rule.identity);
    c.application = rule.application;
    c.protocol = rule.protocol;
    c.service = rule.service;
    c.action = rule.action;
    c.decrypts = rule.decryption != DecryptionMode::None;
    c.excluded = rule.excluded_categories;
    c.plain = applications.find(rule.application)->wildcard && rule.identity.empty();
    conditions.push_back(std::move(c));
  }
  return conditions;
}

std::vector<bool> found_in_tls(const std::vector<Signature>& signatures) {
  std::vector<bool> found(app::kLastCatalogueApp + 1);
  found[app::kTls.value] = found[app::kQuic.value] = true;
  for (const Signature& signature : signatures)
    if (signature.layer == Layer::Tls) found[signature.application.value] = true;
  return found;
}

std::map<ZonePair, std::vector<uint32_t>> rules_by_zone_pair(const std::vector<Rule>& rules) {
  std::map<ZonePair, std::vector<uint32_t>> by_pair;
  for (uint32_t number = 0; number < rules.size(); ++number)
    for (const Zone source : rules[number].source_zones)
      for (const Zone destination : rules[number].destination_zones) {
        std::vector<uint32_t>& numbers = by_pair[{source, destination}];
        if (numbers.empty() || numbers.back() != number)
          numbers.push_back(number);  // a zone may be listed twice
      }
  return by_pair;
}

}  // namespace

struct PolicySnapshot::Tables {
  explicit Tables(ApplicationEngine built) : engine(std::move(built)) {}

  ApplicationEngine engine;
  mutable std::vector<ScanScratch> scratches;  // by reader, each written by that thread alone
  ZoneTable zones;
  ApplicationTable applications;
  SubjectTable subjects;
  ExclusionTable exclusions;
  std::vector<RuleConditions> conditions;                 // by position in the policy
  std::vector<std::unique_ptr<const RuleTable>> storage;  // zone pairs with the same rules share one
  std::vector<PortOutlook> outlooks;                      // of each in `storage`
  size_t rules = 0;                                       // of the policy
  std::vector<uint8_t> allows;                            // by position in the policy; last: the default rule
  std::vector<bool> in_tls;                               // by application
  std::vector<const RuleTable*> by_pair;                  // source zone * zone_count + destination zone
  std::vector<uint32_t> outlook_by_pair;                  // position in `outlooks`, for each in `by_pair`
  size_t zone_count = 0;

  const RuleTable* find(Zone source, Zone destination) const noexcept {
    if (source.value >= zone_count || destination.value >= zone_count) return nullptr;
    return by_pair[source.value * zone_count + destination.value];
  }

  void add_rule_tables(const std::vector<Rule>& rules) {
    const auto pairs = rules_by_zone_pair(rules);
    for (const auto& [pair, numbers] : pairs)
      zone_count = std::max<size_t>(zone_count, std::max(pair.first, pair.second).value + size_t{1});
    by_pair.resize(zone_count * zone_count);
    outlook_by_pair.resize(by_pair.size());
    std::map<std::vector<uint32_t>, uint32_t> known;
    for (const auto& [pair, numbers] : pairs) {
      const auto [at, fresh] = known.try_emplace(numbers, static_cast<uint32_t>(storage.size()));
      if (fresh) {
        storage.push_back(std::make_unique<const RuleTable>(numbers, conditions));
        outlooks.emplace_back(numbers, conditions, applications);
      }
      const size_t index = pair.first.value * zone_count + pair.second.value;
      by_pair[index] = storage[at->second].get();
      outlook_by_pair[index] = at->second;
    }
  }
};

PolicySnapshot::PolicySnapshot(Policy policy) : policy_(std::move(policy)) {}
PolicySnapshot::~PolicySnapshot() = default;

Result<std::unique_ptr<const PolicySnapshot>> PolicySnapshot::compile(Policy given) {
  PatternCache cache;
  return compile(std::move(given), cache);
}

Result<std::unique_ptr<const PolicySnapshot>> PolicySnapshot::compile(Policy given, PatternCache& cache) {
  // Tables point into the policy, so it moves to its place first.
  std::unique_ptr<PolicySnapshot> snapshot(new PolicySnapshot(std::move(given)));
  const Policy& policy = snapshot->policy_;
  Result<ZoneTable> zones = ZoneTable::build(policy.zones);
  if (!zones) return zones.error();
  Result<ApplicationTable> applications = ApplicationTable::build(policy.applications, policy.signatures);
  if (!applications) return applications.error();
  Result<SubjectTable> subjects = SubjectTable::build(policy.subjects);
  if (!subjects) return subjects.error();
  if (Status status = check_rules(policy.rules, *applications); !status) return status.error();

  Result<ApplicationEngine> engine =
      ApplicationEngine::compile(policy.signatures, policy.applications, cache);
  if (!engine) return engine.error();

  auto tables = std::make_unique<Tables>(std::move(*engine));
  for (unsigned reader = 0; reader < policy.workers + policy.tls_threads; ++reader) {
    Result<ScanScratch> scratch = tables->engine.make_scratch();
    if (!scratch) return scratch.error();
    tables->scratches.push_back(std::move(*scratch));
  }
  tables->zones = std::move(*zones);
  tables->applications = std::move(*applications);
  tables->subjects = std::move(*subjects);
  tables->exclusions = ExclusionTable(policy.exclusions);
  tables->conditions = conditions_of(policy, tables->applications, tables->subjects);
  tables->rules = policy.rules.size();
  for (const Rule& rule : policy.rules) tables->allows.push_back(rule.action == Action::Allow);
  tables->allows.push_back(false);
  tables->add_rule_tables(policy.rules);
  tables->in_tls = found_in_tls(policy.signatures);
  snapshot->tables_ = std::move(tables);
  return std::unique_ptr<const PolicySnapshot>(std::move(snapshot));
}

Zone PolicySnapshot::zone_of(WireId wire, Side side, uint16_t vlan, const IpAddress& address) const noexcept {
  return tables_->zones.find(wire, side, vlan, address);
}

Decision PolicySnapshot::decide(const FlowFacts& facts) const noexcept {
  if (facts.source_zone == kNoZone || facts.destination_zone == kNoZone) return {};
  const RuleTable* table = tables_->find(facts.source_zone, facts.destination_zone);
  if (table == nullptr) return {};
  RuleJudge judge({tables_->conditions, tables_->applications, tables_->subjects}, facts);
  table->judge(judge);
  Decision decision;
  const uint32_t best = judge.best();
  // Whether there is a rule is nobody's guess: a branch on it costs half of what looking for the rule does.
  const auto found = -uintptr_t{best < tables_->rules};
  const Rule* const rule = policy_.rules.data() + best;
  decision.rule = reinterpret_cast<const Rule*>(reinterpret_cast<uintptr_t>(rule) & found);
  decision.final = !judge.waits();
  // From a column of its own: a rule is many lines long, and with thousands of them none is in the cache.
  decision.could_allow = judge.waiting_allow() | tables_->allows[best];
  if (judge.waiting_allow()) decision.waiting = &policy_.rules[judge.first_waiting_allow()];
  return decision;
}

bool PolicySnapshot::hopeless(Zone source, Zone destination, uint8_t protocol, uint16_t port) const noexcept {
  if (source == kNoZone || destination == kNoZone) return false;  // dropped for another reason
  const size_t index = source.value * tables_->zone_count + destination.value;
  if (tables_->find(source, destination) == nullptr) return true;
  return tables_->outlooks[tables_->outlook_by_pair[index]].hopeless(protocol, port);
}

Match PolicySnapshot::opinion_of(const Rule& rule, const FlowFacts& facts) const noexcept {
  const auto names = [](const std::vector<Zone>& zones, Zone zone) {
    return std::find(zones.begin(), zones.end(), zone) != zones.end();
  };
  if (!names(rule.source_zones, facts.source_zone) || !names(rule.destination_zones, facts.destination_zone))
    return Match::No;
  const auto number = static_cast<uint32_t>(&rule - policy_.rules.data());
  RuleJudge judge({tables_->conditions, tables_->applications, tables_->subjects}, facts);
  if (!judge.fits_packet(number)) return Match::No;
  if (tables_->conditions[number].plain) return Match::Yes;
  judge.weigh(number);
  if (judge.waits()) return Match::Maybe;
  return judge.best() == number ? Match::Yes : Match::No;
}

Objection PolicySnapshot::objection_of(const Rule& rule, const FlowFacts& facts) const noexcept {
  const auto names = [](const std::vector<Zone>& zones, Zone zone) {
    return std::find(zones.begin(), zones.end(), zone) != zones.end();
  };
  const RuleConditions& c = tables_->conditions[static_cast<size_t>(&rule - policy_.rules.data())];
  if (!names(rule.source_zones, facts.source_zone)) return Objection::SourceZone;
  if (!names(rule.destination_zones, facts.destination_zone)) return Objection::DestinationZone;
  if (c.protocol != kAnyProtocol && c.protocol != facts.protocol) return Objection::Protocol;
  if (!c.ports.matches(facts.destination_port)) return Objection::Port;
  if (!c.destinations.matches(facts.destination)) return Objection::Destination;
  if (!c.sources.matches(facts.source)) return Objection::Source;
  const bool anyone = c.identity.asks_nothing();
  if (!anyone && !SubjectTable::satisfies(tables_->subjects.find(facts.source), c.identity))
    return Objection::Identity;
  return tables_->applications.objection_of(c.application, c.service, facts);
}

const ApplicationEngine& PolicySnapshot::engine() const noexcept { return tables_->engine; }

ScanScratch& PolicySnapshot::scratch(unsigned reader) const noexcept {
  assert(reader < tables_->scratches.size());
  return tables_->scratches[reader];
}

bool PolicySnapshot::can_run_over(AppId id, uint8_t protocol) const noexcept {
  return tables_->applications.can_run_over(id, protocol);
}

const ExclusionTable& PolicySnapshot::exclusions() const noexcept { return tables_->exclusions; }

bool PolicySnapshot::is_encrypted(AppId id) const noexcept {
  return id.value < tables_->in_tls.size() && tables_->in_tls[id.value];
}

const Subject* PolicySnapshot::subject_at(const IpAddress& address) const noexcept {
  const SubjectTable::Entry* entry = tables_->subjects.find(address);
  return entry == nullptr ? nullptr : entry->subject;
}

const Application* PolicySnapshot::application(AppId id) const noexcept {
  return tables_->applications.find(id);
}

const Application* PolicySnapshot::application(std::string_view name) const noexcept {
  return tables_->applications.find(name);
}

const std::vector<IpAddress>& PolicySnapshot::multicast_groups(uint8_t protocol,
                                                               uint16_t server_port) const noexcept {
  return tables_->applications.multicast_groups(protocol, server_port);
}

std::string PolicySnapshot::dump() const {
  std::vector<ZonePairRules> pairs;
  const size_t zones = tables_->zone_count;
  for (size_t i = 0; i < tables_->by_pair.size(); ++i)
    if (tables_->by_pair[i] != nullptr)
      pairs.push_back({Zone{static_cast<uint8_t>(i / zones)}, Zone{static_cast<uint8_t>(i % zones)},
                       &tables_->by_pair[i]->rules()});
  return dump_policy(policy_, pairs);
}

std::string PolicySnapshot::rule_table_shape(Zone source, Zone destination) const {
  const RuleTable* table = tables_->find(source, destination);
  return table == nullptr ? std::string() : table->shape();
}

}  // namespace postern::classify
