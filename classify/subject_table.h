// SPDX-License-Identifier: Apache-2.0
// Who is at an address, and whether a rule's identity condition holds for them. Immutable; built on the
// control thread, read by workers.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "classify/address_bits.h"
#include "classify/policy.h"

namespace postern::classify {

// A rule's identity, with group names as numbers of the table that made it.
struct IdentityCondition {
  std::vector<uint32_t> groups;  // ascending
  uint32_t group_bits = 0;       // of group_bit() of each; 0: no group is asked for
  bool compliant = false;
  bool asks_nothing() const noexcept { return groups.empty() && !compliant; }
};

class SubjectTable {
 public:
  struct Entry {
    V6Bits address;
    const Subject* subject = nullptr;
    std::vector<uint32_t> groups;  // ascending
    uint32_t group_bits = 0;       // a rule that shares none of them asks for other groups
  };

  // Keeps pointers into `subjects`. Two subjects at one address are an error: identity must not be ambiguous.
  static Result<SubjectTable> build(const std::vector<Subject>& subjects);

  // A group no subject belongs to gets a number that matches nobody.
  IdentityCondition condition(const Identity& identity) const;

  const Entry* find(const IpAddress& address) const noexcept;  // nullptr: unknown

  // An unknown subject (nullptr) satisfies nothing but the condition that asks nothing.
  static bool satisfies(const Entry* entry, const IdentityCondition& condition) noexcept;

 private:
  size_t slot_of(const V6Bits& address) const noexcept;

  std::vector<Entry> entries_;
  std::vector<uint32_t> slots_;  // entry number + 1, 0: free; a power of two, at most half full
  std::unordered_map<std::string, uint32_t> group_numbers_;
};

}  // namespace postern::classify
