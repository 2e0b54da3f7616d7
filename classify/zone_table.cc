// SPDX-License-Identifier: Apache-2.0
#include "classify/zone_table.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace postern::classify {
namespace {

size_t side_index(WireId wire, Side side) { return size_t{wire.value} * 2 + static_cast<size_t>(side); }

std::string zone_text(const ZoneBinding& binding) {
  return binding.name.empty() ? std::to_string(binding.zone.value) : binding.name;
}

}  // namespace

Result<ZoneTable> ZoneTable::build(const std::vector<ZoneBinding>& bindings) {
  using Key = std::tuple<size_t, unsigned, V6Bits, uint32_t>;  // side, 128 - length, address, vlan
  std::map<Key, const ZoneBinding*> claims;
  for (const ZoneBinding& binding : bindings) {
    if (binding.zone == kNoZone) return Error{"a zone binding has zone 0; expected a zone with a name"};
    const std::vector<Prefix> everything = {Prefix{}};
    for (const Prefix& prefix : binding.prefixes.empty() ? everything : binding.prefixes) {
      const Key key{side_index(binding.wire, binding.side), 128u - prefix.length, V6Bits::of(prefix.address),
                    binding.vlan ? *binding.vlan : kAnyVlan};
      const auto [at, fresh] = claims.emplace(key, &binding);
      if (fresh || at->second->zone == binding.zone) continue;
      return Error{"zones '" + zone_text(*at->second) + "' and '" + zone_text(binding) + "' both claim " +
                   prefix.text() + " on the same side and VLAN; expected one of them"};
    }
  }

  ZoneTable table;
  for (const auto& [key, binding] : claims) {
    const auto& [side, distance, address, vlan] = key;
    if (table.sides_.size() <= side) table.sides_.resize(side + 1);
    std::vector<Level>& levels = table.sides_[side];
    const V6Bits mask = V6Bits::mask(128 - distance);
    if (levels.empty() || levels.back().mask != mask) levels.push_back({mask, {}});
    levels.back().rows.push_back({address, vlan, binding->zone});
  }
  return table;
}

Zone ZoneTable::find(WireId wire, Side side, uint16_t vlan, const IpAddress& address) const noexcept {
  const size_t index = side_index(wire, side);
  if (index >= sides_.size()) return kNoZone;
  const V6Bits bits = V6Bits::of(address);
  for (const Level& level : sides_[index]) {
    const V6Bits value = bits & level.mask;
    auto row = std::lower_bound(level.rows.begin(), level.rows.end(), value,
                                [](const Row& r, const V6Bits& v) { return r.value < v; });
    for (; row != level.rows.end() && row->value == value; ++row)
      if (row->vlan == vlan || row->vlan == kAnyVlan) return row->zone;
  }
  return kNoZone;
}

}  // namespace postern::classify
