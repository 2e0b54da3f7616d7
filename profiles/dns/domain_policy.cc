// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/domain_policy.h"

#include <algorithm>
#include <array>

#include "profiles/dns/list_files.h"

namespace postern::profiles::dns {
namespace {

constexpr std::array<std::string_view, 6> kCategories = {
    "none", "malware", "phishing", "c2", "newly_registered_domain", "compromised"};
constexpr std::array<std::string_view, 5> kTriggers = {"client_address", "name", "address", "server_name",
                                                       "server_address"};
// Of simple rules a list has few; each record of a zone's own data may be another one.
constexpr size_t kRulesCompared = 16;

using Verdict = DomainPolicy::Verdict;

// Earlier lists first, then earlier triggers.
Verdict first_of(const Verdict& a, const Verdict& b) noexcept {
  if (!b) return a;
  if (!a || b.rule.list() < a.rule.list()) return b;
  return b.rule.list() == a.rule.list() && b.trigger < a.trigger ? b : a;
}

Verdict verdict_of(const DomainTable::Match& match, Trigger trigger) noexcept {
  return {match.rule, trigger, match.skipped};
}

}  // namespace

std::string_view category_name(Category category) noexcept {
  return kCategories[static_cast<size_t>(category)];
}

std::optional<Category> category_named(std::string_view name) noexcept {
  const auto found = std::find(kCategories.begin(), kCategories.end(), name);
  if (found == kCategories.end()) return std::nullopt;
  return static_cast<Category>(found - kCategories.begin());
}

std::string_view trigger_name(Trigger trigger) noexcept { return kTriggers[static_cast<size_t>(trigger)]; }

std::optional<IpAddress> address_of(const Records& records) noexcept {
  const classify::DnsRecord& record = records.record();
  if (record.record_class != kClassIn) return std::nullopt;
  if (record.type == kTypeA) return IpAddress::from_v4(records.data().data());
  if (record.type == kTypeAaaa) return IpAddress::from_v6(records.data().data());
  return std::nullopt;
}

Verdict DomainPolicy::judge_question(const Name& name, const IpAddress& client) const noexcept {
  const Verdict by_name = verdict_of(names_.find(name), Trigger::Name);
  if (clients_.empty()) return by_name;
  return first_of({clients_.find(client), Trigger::ClientAddress}, by_name);
}

Verdict DomainPolicy::judge_record(const Records& records) const noexcept {
  const uint16_t type = records.record().type;
  const bool is_answer = records.section() == Records::Section::Answer;
  if (is_answer && (type == kTypeCname || type == kTypeDname))
    return verdict_of(names_.find(records.target()), Trigger::Name);
  if (type == kTypeNs && servers_.names() != 0)
    return verdict_of(servers_.find(records.target()), Trigger::ServerName);
  // Addresses beside the answer are those of name servers.
  const PrefixRules& rules = is_answer ? addresses_ : server_addresses_;
  if (rules.empty()) return {};
  const std::optional<IpAddress> address = address_of(records);
  if (!address) return {};
  return {rules.find(*address), is_answer ? Trigger::Address : Trigger::ServerAddress};
}

Verdict DomainPolicy::judge_answer(const Message& answer, const IpAddress& client) const noexcept {
  Verdict best = judge_question(answer.name, client);
  for (Records records(answer); records.next();) best = first_of(best, judge_record(records));
  return best;
}

Status DomainPolicyBuilder::add(const ListSource& source) {
  file_ = source.file;
  if (policy_.lists_.size() == RuleRef::kMostLists)
    return wrong(0, "list " + source.name + " is one too many, expected at most 255");
  policy_.lists_.push_back({source.name, source.category, {}});
  switch (source.format) {
    case ListFormat::Plain:
      return read_plain_list(source, *this);
    case ListFormat::Hosts:
      return read_hosts_file(source, *this);
    case ListFormat::Rpz:
      return read_policy_zone(source, *this);
  }
  return Ok{};
}

RuleRef DomainPolicyBuilder::rule_of(ListRule rule) {
  std::vector<ListRule>& rules = policy_.lists_.back().rules;
  const auto list = static_cast<uint8_t>(policy_.lists_.size());
  const auto end = rules.begin() + static_cast<ptrdiff_t>(std::min(rules.size(), kRulesCompared));
  const auto known = std::find(rules.begin(), end, rule);
  if (known != end) return RuleRef::of(list, static_cast<uint32_t>(known - rules.begin()));
  rules.push_back(std::move(rule));
  return RuleRef::of(list, static_cast<uint32_t>(rules.size() - 1));
}

Status DomainPolicyBuilder::add_name(Trigger trigger, const Name& name, Reach reach, RuleRef rule,
                                     uint32_t line) {
  DomainTableBuilder& table = trigger == Trigger::ServerName ? servers_ : names_;
  switch (table.add(name, reach, rule)) {
    case DomainTableBuilder::Added::Conflict:
      return wrong(line,
                   "found " + name.text() + " again with another action, expected one action for a name");
    case DomainTableBuilder::Added::Full:
      return wrong(line, "found more names than fit, expected at most 4 GiB of them");
    case DomainTableBuilder::Added::New:
    case DomainTableBuilder::Added::Known:
      break;
  }
  return Ok{};
}

void DomainPolicyBuilder::add_prefix(Trigger trigger, const Prefix& prefix, RuleRef rule) {
  if (trigger == Trigger::ClientAddress) clients_.push_back({prefix, rule});
  if (trigger == Trigger::Address) addresses_.push_back({prefix, rule});
  if (trigger == Trigger::ServerAddress) server_addresses_.push_back({prefix, rule});
}

DomainPolicy DomainPolicyBuilder::build() {
  policy_.names_ = names_.build();
  policy_.servers_ = servers_.build();
  policy_.clients_ = PrefixRules(std::move(clients_));
  policy_.addresses_ = PrefixRules(std::move(addresses_));
  policy_.server_addresses_ = PrefixRules(std::move(server_addresses_));
  return std::move(policy_);
}

}  // namespace postern::profiles::dns
