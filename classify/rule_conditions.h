// SPDX-License-Identifier: Apache-2.0
// One rule, ready to be asked, and the judge that asks rules about one flow. Conditions are built on the
// control thread; a judge lives on a worker's stack for one lookup.
#pragma once

#include <limits>
#include <vector>

#include "classify/application_table.h"
#include "classify/subject_table.h"
#include "classify/value_sets.h"

namespace postern::classify {

// Zones are not among them: they choose the table.
struct RuleConditions {
  PrefixSet sources, destinations;
  PortSet ports;
  IdentityCondition identity;
  AppId application;
  uint8_t protocol = kAnyProtocol;
  Service service{};
  Action action{};
  bool plain = false;     // neither application nor identity matters
  bool decrypts = false;  // so it may name what runs inside
  ExclusionSet excluded;  // from decryption

  bool fits_packet(const FlowFacts& facts) const noexcept;  // protocol, ports, addresses
};

inline constexpr uint32_t kNoRuleIndex = std::numeric_limits<uint32_t>::max();

// What rules must be evaluated against.
struct Catalogue {
  const std::vector<RuleConditions>& rules;
  const ApplicationTable& applications;
  const SubjectTable& subjects;
};

// Rules may be shown in any order and more than once. Numbers are positions in the policy.
class RuleJudge {
 public:
  RuleJudge(const Catalogue& catalogue, const FlowFacts& facts) noexcept
      : catalogue_(catalogue), facts_(facts), best_(static_cast<uint32_t>(catalogue.rules.size())) {}

  const FlowFacts& facts() const noexcept { return facts_; }
  // Rules from here on can not change the answer; the number of rules: none has matched.
  uint32_t best() const noexcept { return best_; }

  bool fits_packet(uint32_t rule) const noexcept { return catalogue_.rules[rule].fits_packet(facts_); }

  // `rule` < best() fits the packet and is plain. Before any other: the number of rules,
  // when none does.
  void matched(uint32_t rule) noexcept { best_ = rule; }
  // `rule` < best() fits the packet; identity and application are still to be asked.
  void weigh(uint32_t rule) noexcept;

  // IdentityCondition::group_bits of a rule: false if the subject is in none of its groups for certain.
  bool may_be_in(uint32_t group_bits) noexcept {
    return group_bits == 0 || (subject() != nullptr && (subject_->group_bits & group_bits) != 0);
  }

  // Some rule before best() waits for the application; one of them allows.
  bool waits() const noexcept { return first_waiting_ < best_; }
  bool waiting_allow() const noexcept { return first_waiting_allow_ < best_; }
  uint32_t first_waiting_allow() const noexcept { return first_waiting_allow_; }

 private:
  const SubjectTable::Entry* subject() noexcept {  // at the source; looked up once, if a rule asks
    if (!subject_looked_up_) {
      subject_ = catalogue_.subjects.find(facts_.source);
      subject_looked_up_ = true;
    }
    return subject_;
  }

  Catalogue catalogue_;
  const FlowFacts& facts_;
  uint32_t best_;
  uint32_t first_waiting_ = kNoRuleIndex, first_waiting_allow_ = kNoRuleIndex;
  const SubjectTable::Entry* subject_ = nullptr;
  bool subject_looked_up_ = false;
};

}  // namespace postern::classify
