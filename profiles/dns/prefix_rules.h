// SPDX-License-Identifier: Apache-2.0
// What lists say about addresses: the earliest list, in it the longest prefix. Immutable once built; any
// thread may read it.
#pragma once

#include <vector>

#include "base/address.h"
#include "profiles/dns/domain_table.h"

namespace postern::profiles::dns {

class PrefixRules {
 public:
  struct Entry {
    Prefix prefix;
    RuleRef rule;
  };

  PrefixRules() = default;
  explicit PrefixRules(std::vector<Entry> entries);

  RuleRef find(const IpAddress& address) const noexcept;
  bool empty() const noexcept { return entries_.empty(); }
  size_t size() const noexcept { return entries_.size(); }

 private:
  struct Length {
    uint8_t bits;
    size_t begin, end;
  };
  std::vector<Entry> entries_;  // by length, then address; one for each prefix
  std::vector<Length> lengths_;
};

}  // namespace postern::profiles::dns
