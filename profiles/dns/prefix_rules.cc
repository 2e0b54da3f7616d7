// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/prefix_rules.h"

#include <algorithm>
#include <tuple>

namespace postern::profiles::dns {
namespace {

IpAddress cut(const IpAddress& address, unsigned bits) noexcept {
  IpAddress out = address;
  const unsigned whole = bits / 8;
  if (whole == out.bytes.size()) return out;
  out.bytes[whole] &= static_cast<uint8_t>(0xff00 >> bits % 8);
  std::fill(out.bytes.begin() + whole + 1, out.bytes.end(), uint8_t{0});
  return out;
}

}  // namespace

PrefixRules::PrefixRules(std::vector<Entry> entries) : entries_(std::move(entries)) {
  const auto place = [](const Entry& e) { return std::tie(e.prefix.length, e.prefix.address); };
  std::sort(entries_.begin(), entries_.end(), [&](const Entry& a, const Entry& b) {
    return place(a) != place(b) ? place(b) < place(a) : a.rule.value < b.rule.value;
  });
  // Of several lists with one prefix the earliest stays.
  const auto same = [&](const Entry& a, const Entry& b) { return place(a) == place(b); };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (lengths_.empty() || lengths_.back().bits != entries_[i].prefix.length)
      lengths_.push_back({entries_[i].prefix.length, i, i});
    lengths_.back().end = i + 1;
  }
}

RuleRef PrefixRules::find(const IpAddress& address) const noexcept {
  RuleRef best;
  for (const Length& length : lengths_) {
    const IpAddress wanted = cut(address, length.bits);
    const auto begin = entries_.begin() + static_cast<ptrdiff_t>(length.begin);
    const auto end = entries_.begin() + static_cast<ptrdiff_t>(length.end);
    const auto found = std::lower_bound(begin, end, wanted, [](const Entry& e, const IpAddress& a) {
      return a < e.prefix.address;  // they are from high to low
    });
    if (found == end || found->prefix.address != wanted) continue;
    if (!best || found->rule.list() < best.list()) best = found->rule;
  }
  return best;
}

}  // namespace postern::profiles::dns
