// SPDX-License-Identifier: Apache-2.0
// Sets of addresses and ports, normalised once and asked often: sorted, without overlap, found by binary
// search. An empty list stands for "any", as in policies. Built on the control thread; lookups by any thread.
#pragma once

#include <vector>

#include "classify/address_bits.h"
#include "classify/policy.h"

namespace postern::classify {

class PrefixSet {
 public:
  PrefixSet() = default;
  explicit PrefixSet(std::vector<Prefix> prefixes);

  bool any() const noexcept { return prefixes_.empty(); }
  const std::vector<Prefix>& prefixes() const noexcept { return prefixes_; }  // none contains another
  bool matches(const IpAddress& address) const noexcept { return any() || contains(address); }
  bool contains(const IpAddress& address) const noexcept;  // an empty set contains nothing

 private:
  struct Block {
    V6Bits value, mask;
  };
  std::vector<Prefix> prefixes_;
  std::vector<Block> blocks_;
};

class PortSet {
 public:
  PortSet() = default;
  explicit PortSet(std::vector<PortRange> ranges);

  bool any() const noexcept { return ranges_.empty(); }
  const std::vector<PortRange>& ranges() const noexcept {
    return ranges_;
  }  // ascending, neither touching nor empty
  bool matches(uint16_t port) const noexcept;

 private:
  std::vector<PortRange> ranges_;
};

// The longest prefix that contains all of `prefixes`, which is not empty.
Prefix covering_prefix(const std::vector<Prefix>& prefixes);

}  // namespace postern::classify
