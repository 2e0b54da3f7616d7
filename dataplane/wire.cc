// SPDX-License-Identifier: Apache-2.0
#include "dataplane/wire.h"

#include <numeric>

namespace postern::dataplane {

VlanMap::VlanMap(const std::map<uint16_t, uint16_t>& first_to_second) {
  if (first_to_second.empty()) return;
  for (auto& table : forward_) {
    table.resize(4096);
    std::iota(table.begin(), table.end(), uint16_t{0});
  }
  // An id that only the other side uses would be taken for a mapped one after crossing.
  for (const auto& [first, second] : first_to_second) {
    if (!first_to_second.contains(second)) forward_[0][second] = kUnmapped;
    bool is_target = false;
    for (const auto& [other_first, other_second] : first_to_second) is_target |= other_second == first;
    if (!is_target) forward_[1][first] = kUnmapped;
  }
  for (const auto& [first, second] : first_to_second) {
    forward_[0][first] = second;
    forward_[1][second] = first;
  }
}

}  // namespace postern::dataplane
