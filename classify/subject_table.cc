// SPDX-License-Identifier: Apache-2.0
#include "classify/subject_table.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace postern::classify {
namespace {

uint32_t group_bits(const std::vector<uint32_t>& groups) {
  uint32_t bits = 0;
  for (const uint32_t group : groups) bits |= uint32_t{1} << (mix(group) & 31);
  return bits;
}

}  // namespace

Result<SubjectTable> SubjectTable::build(const std::vector<Subject>& subjects) {
  SubjectTable table;
  table.slots_.assign(std::bit_ceil(subjects.size() * 2 + 2), 0);
  table.entries_.reserve(subjects.size());
  for (const Subject& subject : subjects) {
    Entry entry{V6Bits::of(subject.address), &subject, {}};
    for (const std::string& group : subject.groups) {
      const auto number = static_cast<uint32_t>(table.group_numbers_.size());
      entry.groups.push_back(table.group_numbers_.emplace(group, number).first->second);
    }
    std::sort(entry.groups.begin(), entry.groups.end());
    entry.group_bits = group_bits(entry.groups);
    const size_t slot = table.slot_of(entry.address);
    if (table.slots_[slot] != 0)
      return Error{"subject '" + subject.name + "': address " + subject.address.text() +
                   " already belongs to '" + table.entries_[table.slots_[slot] - 1].subject->name +
                   "'; expected one subject per address"};
    table.entries_.push_back(std::move(entry));
    table.slots_[slot] = static_cast<uint32_t>(table.entries_.size());
  }
  return table;
}

IdentityCondition SubjectTable::condition(const Identity& identity) const {
  IdentityCondition condition;
  condition.compliant = identity.compliant;
  for (const std::string& group : identity.groups) {
    const auto known = group_numbers_.find(group);
    condition.groups.push_back(known != group_numbers_.end() ? known->second
                                                             : std::numeric_limits<uint32_t>::max());
  }
  std::sort(condition.groups.begin(), condition.groups.end());
  condition.group_bits = group_bits(condition.groups);
  return condition;
}

size_t SubjectTable::slot_of(const V6Bits& address) const noexcept {
  const size_t mask = slots_.size() - 1;
  size_t slot = mix(address.fold()) & mask;
  while (slots_[slot] != 0 && entries_[slots_[slot] - 1].address != address) slot = (slot + 1) & mask;
  return slot;
}

const SubjectTable::Entry* SubjectTable::find(const IpAddress& address) const noexcept {
  if (entries_.empty()) return nullptr;
  const uint32_t number = slots_[slot_of(V6Bits::of(address))];
  return number == 0 ? nullptr : &entries_[number - 1];
}

bool SubjectTable::satisfies(const Entry* entry, const IdentityCondition& condition) noexcept {
  if (condition.asks_nothing()) return true;
  if (entry == nullptr) return false;
  if (condition.compliant && !entry->subject->compliant) return false;
  if (condition.groups.empty()) return true;
  auto asked = condition.groups.begin();
  auto has = entry->groups.begin();
  while (asked != condition.groups.end() && has != entry->groups.end()) {
    if (*asked == *has) return true;
    if (*asked < *has) {
      ++asked;
    } else {
      ++has;
    }
  }
  return false;
}

}  // namespace postern::classify
