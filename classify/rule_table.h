// SPDX-License-Identifier: Apache-2.0
// The rules of one or more zone pairs in order of evaluation: a short list is walked, a long one is a tuple
// space per address family. Immutable; built on the control thread, read by workers.
#pragma once

#include <string>
#include <vector>

#include "classify/rule_conditions.h"
#include "classify/tuple_space.h"

namespace postern::classify {

class RuleTable {
 public:
  static constexpr size_t kLongestList = 16;

  // `numbers` are ascending positions in `rules`.
  RuleTable(std::vector<uint32_t> numbers, const std::vector<RuleConditions>& rules);

  const std::vector<uint32_t>& rules() const noexcept { return numbers_; }
  void judge(RuleJudge& judge) const noexcept;

  // "list", or how many tables each family has and how long their longest buckets are; for engineers.
  std::string shape() const;

 private:
  // A rule of a short list. `source` and `destination` are what covers the IPv4 part of its prefixes.
  struct Line {
    uint32_t rule = 0;
    V4Bits source, source_mask, destination, destination_mask;
    PortRange ports;  // from the lowest to the highest
    uint8_t protocol = kAnyProtocol;
    bool plain = false;
    bool exact = false;  // for IPv4 packets this line says all that fits_packet would say
  };

  static Line make_line(uint32_t number, const RuleConditions& rule);
  void judge_list(RuleJudge& judge) const noexcept;

  std::vector<uint32_t> numbers_;
  std::vector<Line> list_;
  TupleSpace<V4Bits> v4_;     // both addresses are IPv4
  TupleSpace<V6Bits> mixed_;  // all others
};

}  // namespace postern::classify
