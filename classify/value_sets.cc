// SPDX-License-Identifier: Apache-2.0
#include "classify/value_sets.h"

#include <algorithm>
#include <cassert>

namespace postern::classify {

PrefixSet::PrefixSet(std::vector<Prefix> prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  for (const Prefix& prefix : prefixes) {
    // Sorted by address, then length: whatever contains this one stands before it, and so is the last one
    // kept.
    if (!prefixes_.empty() && prefixes_.back().length <= prefix.length &&
        prefixes_.back().contains(prefix.address))
      continue;
    prefixes_.push_back(prefix);
    blocks_.push_back({V6Bits::of(prefix.address), V6Bits::mask(prefix.length)});
  }
}

bool PrefixSet::contains(const IpAddress& address) const noexcept {
  const V6Bits bits = V6Bits::of(address);
  auto after = std::upper_bound(blocks_.begin(), blocks_.end(), bits,
                                [](const V6Bits& b, const Block& block) { return b < block.value; });
  if (after == blocks_.begin()) return false;
  const Block& block = *--after;
  return (bits & block.mask) == block.value;
}

PortSet::PortSet(std::vector<PortRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  for (const PortRange& range : ranges) {
    if (!ranges_.empty() && range.first <= uint32_t{ranges_.back().last} + 1) {
      ranges_.back().last = std::max(ranges_.back().last, range.last);
      continue;
    }
    ranges_.push_back(range);
  }
}

bool PortSet::matches(uint16_t port) const noexcept {
  if (ranges_.empty()) return true;
  auto after = std::upper_bound(ranges_.begin(), ranges_.end(), port,
                                [](uint16_t p, const PortRange& range) { return p < range.first; });
  return after != ranges_.begin() && (--after)->contains(port);
}

Prefix covering_prefix(const std::vector<Prefix>& prefixes) {
  assert(!prefixes.empty());
  Prefix cover = prefixes.front();
  for (const Prefix& prefix : prefixes) {
    cover.length = std::min(cover.length, prefix.length);
    while (cover.length > 0 && !cover.contains(prefix.address)) --cover.length;
  }
  for (unsigned bit = cover.length; bit < 128; ++bit)
    cover.address.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80u >> (bit % 8)));
  return cover;
}

}  // namespace postern::classify
