// SPDX-License-Identifier: Apache-2.0
// Transport ports and the IP protocols that a policy names. Any thread.
#pragma once

#include <compare>
#include <cstdint>

namespace postern::classify {

struct PortRange {
  uint16_t first = 0, last = 65535;
  bool contains(uint16_t port) const noexcept { return first <= port && port <= last; }
  auto operator<=>(const PortRange&) const = default;
};

// IP protocol numbers used as transports; 0 stands for any.
inline constexpr uint8_t kAnyProtocol = 0, kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpV6 = 58, kSctp = 132;

}  // namespace postern::classify
