// SPDX-License-Identifier: Apache-2.0
// What protocol and port alone say of a new flow of a zone pair: outside these ports no rule of the list
// could match it for certain or allow it, whoever the ends are and whatever its application turns out to be.
// Immutable; built on the control thread, read by workers.
#pragma once

#include <cstdint>
#include <vector>

#include "classify/rule_conditions.h"

namespace postern::classify {

class PortOutlook {
 public:
  PortOutlook(const std::vector<uint32_t>& numbers, const std::vector<RuleConditions>& rules,
              const ApplicationTable& applications);

  // The default rule drops such a flow. TCP and UDP; false for others.
  bool hopeless(uint8_t protocol, uint16_t port) const noexcept {
    if (protocol == kTcp) return !covers(tcp_, port);
    return protocol == kUdp && !covers(udp_, port);
  }

 private:
  static bool covers(const std::vector<PortRange>& ranges, uint16_t port) noexcept {
    size_t low = 0, high = ranges.size();
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (ranges[middle].last < port)
        low = middle + 1;
      else
        high = middle;
    }
    return low < ranges.size() && ranges[low].first <= port;
  }

  std::vector<PortRange> tcp_, udp_;  // ascending, without overlap: some rule has a say
};

}  // namespace postern::classify
