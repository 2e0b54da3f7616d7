// SPDX-License-Identifier: Apache-2.0
// Finds the entries that fit a packet among many: one hash table per tuple of (source bits, destination bits,
// protocol, port bits) looked at. After TupleMerge (Daly et al., 2019), entries share a table whose tuple is
// coarser than their own as long as the buckets stay short. Built on the control thread, read by workers.
#pragma once

#include <cstddef>
#include <vector>

#include "classify/address_bits.h"
#include "classify/rule_conditions.h"

namespace postern::classify {

// What part of a packet chooses the bucket. Port bits other than 0 go with an exact protocol.
struct Tuple {
  uint8_t source = 0, destination = 0;  // leading bits
  uint8_t ports = 0;                    // leading bits of the destination port
  bool protocol = false;
  auto operator<=>(const Tuple&) const = default;
};

template <typename Bits>
class TupleSpace {
 public:
  // One box of a rule: a source prefix, a destination prefix and a port range. Half a line of cache for IPv4.
  struct alignas(Bits::kWidth == 32 ? 32 : 16) Entry {
    Bits source, source_mask, destination, destination_mask;
    uint16_t first_port = 0;
    uint16_t more_ports = 65535;  // beyond the first
    uint8_t protocol = kAnyProtocol;
    uint8_t source_length = 0, destination_length = 0;
    bool exact : 1 = true;  // the box is the rule's own; otherwise it only covers it and the rule decides
    bool plain : 1 = true;  // of the rule: RuleConditions::plain
    uint32_t group_bits =
        0;  // of the rule's identity: thousands of rules for one service may differ in it alone
    uint32_t rule = 0;

    uint16_t last_port() const noexcept { return static_cast<uint16_t>(first_port + more_ports); }
    bool decides() const noexcept { return exact && plain; }
  };

  TupleSpace() = default;
  explicit TupleSpace(std::vector<Entry> entries);

  void find(const Bits& source, const Bits& destination, RuleJudge& judge) const noexcept;

  size_t tables() const noexcept { return tables_.size(); }
  size_t longest_bucket() const noexcept;

 private:
  struct Table {
    Tuple tuple;
    Bits source_mask, destination_mask;
    uint32_t lowest_rule = 0;
    size_t slot_mask = 0;
    std::vector<uint32_t> starts;  // of a slot's entries; the next slot's start is the end
    std::vector<Entry> entries;    // slot by slot, in each by rule; one more that fits nothing

    size_t slot_of(uint64_t hash) const noexcept { return hash & slot_mask; }
  };
  using Places = std::vector<std::pair<uint64_t, uint32_t>>;  // bucket hash, entry number

  static uint64_t hash_in(const Table& table, const Bits& source, const Bits& destination, uint8_t protocol,
                          uint16_t port) noexcept;
  void find_deciding(const Bits& source, const Bits& destination, RuleJudge& judge) const noexcept;
  void find_weighing(const Bits& source, const Bits& destination, RuleJudge& judge) const noexcept;
  static Table make_table(const Tuple& tuple, const std::vector<Entry>& entries, Places places);

  std::vector<Table> tables_;  // by lowest rule
  bool all_decide_ = true;     // Entry::decides of all entries
};

extern template class TupleSpace<V4Bits>;
extern template class TupleSpace<V6Bits>;

}  // namespace postern::classify
