// SPDX-License-Identifier: Apache-2.0
#include "classify/rule_table.h"

#include <algorithm>
#include <bit>

namespace postern::classify {
namespace {

// Entries for all rules together; rules with long lists are covered more coarsely when there would be more.
constexpr size_t kMostBoxes = 1'000'000;
constexpr size_t kMostBoxesOfRule = 1024;

PortRange covering_range(const PortSet& ports) {
  if (ports.any()) return {};
  return {ports.ranges().front().first, ports.ranges().back().last};
}

bool within_v4(const Prefix& prefix) { return prefix.length >= 96 && prefix.address.is_v4(); }

// What a set means for packets of one family, as prefixes on the mapped form; empty: nothing.
template <typename Bits>
std::vector<Prefix> prefixes_for(const PrefixSet& set) {
  const Prefix everything = Bits::kWidth == 32 ? Prefix::any_v4() : Prefix{};
  if (set.any()) return {everything};
  if (Bits::kWidth == 128) return set.prefixes();
  std::vector<Prefix> prefixes;
  for (const Prefix& prefix : set.prefixes()) {
    if (within_v4(prefix)) prefixes.push_back(prefix);
    if (prefix.length < 96 && prefix.contains(everything.address)) return {everything};
  }
  return prefixes;
}

// A rule as the product of three lists.
template <typename Bits>
struct Boxes {
  std::vector<Prefix> sources, destinations;
  std::vector<PortRange> ports;
  bool exact = true;

  explicit Boxes(const RuleConditions& rule)
      : sources(prefixes_for<Bits>(rule.sources)),
        destinations(prefixes_for<Bits>(rule.destinations)),
        ports(rule.ports.any() ? std::vector<PortRange>{{}} : rule.ports.ranges()) {}

  size_t count() const { return sources.size() * destinations.size() * ports.size(); }

  // Replaces the longest lists by what covers them.
  void shrink(size_t limit) {
    while (count() > limit) {
      exact = false;
      const size_t longest = std::max({sources.size(), destinations.size(), ports.size()});
      if (sources.size() == longest) {
        sources = {covering_prefix(sources)};
      } else if (destinations.size() == longest) {
        destinations = {covering_prefix(destinations)};
      } else {
        ports = {{ports.front().first, ports.back().last}};
      }
    }
  }
};

template <typename Bits>
typename TupleSpace<Bits>::Entry make_entry(const Prefix& source, const Prefix& destination) {
  constexpr unsigned kOutside = 128 - Bits::kWidth;
  const unsigned source_length = source.length - kOutside, destination_length = destination.length - kOutside;
  typename TupleSpace<Bits>::Entry entry;
  entry.source = Bits::of(source.address);
  entry.source_mask = Bits::mask(source_length);
  entry.source_length = static_cast<uint8_t>(source_length);
  entry.destination = Bits::of(destination.address);
  entry.destination_mask = Bits::mask(destination_length);
  entry.destination_length = static_cast<uint8_t>(destination_length);
  return entry;
}

template <typename Bits>
size_t box_limit(const std::vector<uint32_t>& numbers, const std::vector<RuleConditions>& rules) {
  size_t limit = kMostBoxesOfRule;
  while (limit > 1) {
    size_t boxes = 0;
    for (const uint32_t number : numbers) boxes += std::min(limit, Boxes<Bits>(rules[number]).count());
    if (boxes <= std::max(kMostBoxes, numbers.size())) break;
    limit /= 4;
  }
  return limit;
}

template <typename Bits>
TupleSpace<Bits> make_space(const std::vector<uint32_t>& numbers, const std::vector<RuleConditions>& rules) {
  const size_t limit = box_limit<Bits>(numbers, rules);
  std::vector<typename TupleSpace<Bits>::Entry> entries;
  for (const uint32_t number : numbers) {
    Boxes<Bits> boxes(rules[number]);
    boxes.shrink(limit);
    for (const Prefix& source : boxes.sources)
      for (const Prefix& destination : boxes.destinations) {
        // The other space answers when both addresses are IPv4.
        if (Bits::kWidth == 128 && within_v4(source) && within_v4(destination)) continue;
        auto entry = make_entry<Bits>(source, destination);
        entry.protocol = rules[number].protocol;
        entry.exact = boxes.exact;
        entry.plain = rules[number].plain;
        entry.group_bits = rules[number].identity.group_bits;
        entry.rule = number;
        for (const PortRange& range : boxes.ports) {
          entry.first_port = range.first;
          entry.more_ports = static_cast<uint16_t>(range.last - range.first);
          entries.push_back(entry);
        }
      }
  }
  return TupleSpace<Bits>(std::move(entries));
}

}  // namespace

RuleTable::RuleTable(std::vector<uint32_t> numbers, const std::vector<RuleConditions>& rules)
    : numbers_(std::move(numbers)) {
  if (numbers_.size() <= kLongestList) {
    list_ = make_list(numbers_, rules);
    return;
  }
  v4_ = make_space<V4Bits>(numbers_, rules);
  mixed_ = make_space<V6Bits>(numbers_, rules);
}

RuleTable::List RuleTable::make_list(const std::vector<uint32_t>& numbers,
                                     const std::vector<RuleConditions>& rules) {
  List list;
  list.rules.fill(static_cast<uint32_t>(rules.size()));
  for (size_t place = 0; place < numbers.size(); ++place) {
    const RuleConditions& rule = rules[numbers[place]];
    const uint32_t bit = uint32_t{1} << place;
    RuleColumns::Line line{.ports = covering_range(rule.ports), .protocol = rule.protocol};
    list.rules[place] = numbers[place];
    list.lines |= bit;
    if (rule.plain) list.plain |= bit;
    const std::vector<Prefix> sources = prefixes_for<V4Bits>(rule.sources),
                              destinations = prefixes_for<V4Bits>(rule.destinations);
    if (!sources.empty() && !destinations.empty()) {
      const auto box = make_entry<V4Bits>(covering_prefix(sources), covering_prefix(destinations));
      line.source = box.source;
      line.source_mask = box.source_mask;
      line.destination = box.destination;
      line.destination_mask = box.destination_mask;
      list.of_v4 |= bit;
      if (sources.size() == 1 && destinations.size() == 1 && rule.ports.ranges().size() <= 1)
        list.exact |= bit;
    }
    list.columns.set(place, line);
  }
  return list;
}

void RuleTable::judge_list(RuleJudge& judge) const noexcept {
  const FlowFacts& facts = judge.facts();
  if (!facts.source.is_v4() || !facts.destination.is_v4())
    return judge_lines(list_.lines & list_.columns.fitting(facts.protocol, facts.destination_port), 0, judge);
  const uint32_t fitting =
      list_.of_v4 & list_.columns.fitting(V4Bits::of(facts.source), V4Bits::of(facts.destination),
                                          facts.protocol, facts.destination_port);
  if ((fitting & ~(list_.plain & list_.exact)) != 0) return judge_lines(fitting, list_.exact, judge);
  // Whether a rule was found is nobody's guess, so there is no branch on it.
  judge.matched(list_.rules[static_cast<size_t>(std::countr_zero(fitting | 1u << kLongestList))]);
}

void RuleTable::judge_lines(uint32_t fitting, uint32_t exact, RuleJudge& judge) const noexcept {
  for (; fitting != 0; fitting &= fitting - 1) {
    const auto place = static_cast<size_t>(std::countr_zero(fitting));
    const uint32_t rule = list_.rules[place];
    if (rule >= judge.best()) return;
    if ((exact >> place & 1) == 0 && !judge.fits_packet(rule)) continue;
    if ((list_.plain >> place & 1) != 0) return judge.matched(rule);
    judge.weigh(rule);
  }
}

void RuleTable::judge(RuleJudge& judge) const noexcept {
  const FlowFacts& facts = judge.facts();
  if (list_.lines != 0) return judge_list(judge);
  if (facts.source.is_v4() && facts.destination.is_v4()) {
    v4_.find(V4Bits::of(facts.source), V4Bits::of(facts.destination), judge);
  } else {
    mixed_.find(V6Bits::of(facts.source), V6Bits::of(facts.destination), judge);
  }
}

std::string RuleTable::shape() const {
  if (list_.lines != 0 || numbers_.empty()) return "list";
  return "v4 " + std::to_string(v4_.tables()) + " tables, longest bucket " +
         std::to_string(v4_.longest_bucket()) + "; v6 " + std::to_string(mixed_.tables()) +
         " tables, longest bucket " + std::to_string(mixed_.longest_bucket());
}

}  // namespace postern::classify
