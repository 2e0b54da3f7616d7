// SPDX-License-Identifier: Apache-2.0
// What the operator's lists say about names, about addresses in answers, and about the servers an answer
// names. Immutable once built; any thread may read it. The lists' order is their rank: the first that says
// something has the last word (as response policy zones have it).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "profiles/dns/domain_table.h"
#include "profiles/dns/message.h"
#include "profiles/dns/prefix_rules.h"

namespace postern::profiles::dns {

enum class Category : uint8_t { None, Malware, Phishing, C2, NewlyRegisteredDomain, Compromised };
std::string_view category_name(Category category) noexcept;  // "none" for None
std::optional<Category> category_named(std::string_view name) noexcept;

enum class ListAction : uint8_t {
  Block,  // as the profile says: sinkhole, NXDOMAIN or silence
  Pass,
  NxDomain,
  NoData,
  Drop,
  TcpOnly,  // a truncated answer over UDP
  Local,    // the rule's own records
};

// A record that a rule gives instead of the real ones.
struct LocalRecord {
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::string data;         // as in a message; of CNAME the name
  bool below_name = false;  // the data is a name that the question's goes before ("CNAME *.garden.")
  bool operator==(const LocalRecord&) const = default;
};

struct ListRule {
  ListAction action = ListAction::Block;
  std::vector<LocalRecord> records;
  bool operator==(const ListRule&) const = default;
};

// In the order that they count within one list.
enum class Trigger : uint8_t { ClientAddress, Name, Address, ServerName, ServerAddress };
std::string_view trigger_name(Trigger trigger) noexcept;

// The address of an A or AAAA record; nothing for others.
std::optional<IpAddress> address_of(const Records& records) noexcept;

class DomainPolicy {
 public:
  struct Verdict {
    RuleRef rule;  // none: the lists say nothing
    Trigger trigger = Trigger::Name;
    uint8_t skipped = 0;  // labels before the listed name, where a name was found
    explicit operator bool() const noexcept { return static_cast<bool>(rule); }
  };

  // Of a question, before it leaves.
  Verdict judge_question(const Name& name, const IpAddress& client) const noexcept;
  // Of an answer without fault: the same, and what it leads to.
  Verdict judge_answer(const Message& answer, const IpAddress& client) const noexcept;

  const ListRule& rule(RuleRef ref) const noexcept { return lists_[ref.list() - 1u].rules[ref.index()]; }
  const std::string& list_name(RuleRef ref) const noexcept { return lists_[ref.list() - 1u].name; }
  Category category(RuleRef ref) const noexcept { return lists_[ref.list() - 1u].category; }

  size_t names() const noexcept { return names_.names() + servers_.names(); }
  size_t memory() const noexcept { return names_.memory() + servers_.memory(); }  // of the names, bytes

 private:
  friend class DomainPolicyBuilder;
  struct List {
    std::string name;
    Category category = Category::None;
    std::vector<ListRule> rules;
  };
  Verdict judge_record(const Records& records) const noexcept;

  std::vector<List> lists_;
  DomainTable names_, servers_;
  PrefixRules clients_, addresses_, server_addresses_;
};

enum class ListFormat : uint8_t {
  Plain,  // a name per line, which stands for all below it, too; "*.name": only those
  Hosts,  // an address and names; exactly these
  Rpz,    // a response policy zone
};

struct ListSource {
  std::string name;
  std::string file;  // for errors
  std::string_view text;
  ListFormat format = ListFormat::Plain;
  Category category = Category::None;
  // Of plain and hosts lists what all entries mean. Of a zone: instead of what it says itself, but for its
  // exceptions (rpz-passthru).
  std::optional<ListAction> action;
};

class DomainPolicyBuilder {
 public:
  explicit DomainPolicyBuilder(uint64_t seed, size_t bytes = 0) : names_(seed, bytes), servers_(seed) {}

  Status add(const ListSource& source);
  DomainPolicy build();

  // For the readers of list files.
  RuleRef rule_of(ListRule rule);
  Status add_name(Trigger trigger, const Name& name, Reach reach, RuleRef rule, uint32_t line);
  void add_prefix(Trigger trigger, const Prefix& prefix, RuleRef rule);
  Error wrong(uint32_t line, std::string message) const { return {std::move(message), file_, line}; }

 private:
  DomainPolicy policy_;
  DomainTableBuilder names_, servers_;
  std::vector<PrefixRules::Entry> clients_, addresses_, server_addresses_;
  std::string file_;
};

}  // namespace postern::profiles::dns
