// SPDX-License-Identifier: Apache-2.0
// The rules of one or more zone pairs in order of evaluation: a short list is compared line by line at once,
// a long one is a tuple space per address family. Immutable; built on the control thread, read by workers.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "classify/rule_columns.h"
#include "classify/rule_conditions.h"
#include "classify/tuple_space.h"

namespace postern::classify {

class RuleTable {
 public:
  static constexpr size_t kLongestList = RuleColumns::kRules;

  // `numbers` are ascending positions in `rules`.
  RuleTable(std::vector<uint32_t> numbers, const std::vector<RuleConditions>& rules);

  const std::vector<uint32_t>& rules() const noexcept { return numbers_; }
  void judge(RuleJudge& judge) const noexcept;

  // "list", or how many tables each family has and how long their longest buckets are; for engineers.
  std::string shape() const;

 private:
  // A list: the columns hold what covers each rule, and these bits say how much of the rule that is.
  struct List {
    RuleColumns columns;
    std::array<uint32_t, kLongestList + 1> rules{};  // by line; behind the last one the number of rules
    uint32_t lines = 0;
    uint32_t of_v4 = 0;  // lines that can fit IPv4 packets at all
    uint32_t exact = 0;  // for IPv4 packets the line says all that fits_packet would say
    uint32_t plain = 0;
  };

  static List make_list(const std::vector<uint32_t>& numbers, const std::vector<RuleConditions>& rules);
  void judge_list(RuleJudge& judge) const noexcept;
  void judge_lines(uint32_t fitting, uint32_t exact, RuleJudge& judge) const noexcept;

  std::vector<uint32_t> numbers_;
  List list_;                 // of up to kLongestList rules
  TupleSpace<V4Bits> v4_;     // both addresses are IPv4
  TupleSpace<V6Bits> mixed_;  // all others
};

}  // namespace postern::classify
