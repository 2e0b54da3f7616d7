// SPDX-License-Identifier: Apache-2.0
// Nanoseconds since the Unix epoch. Workers get the time with every burst (from a clock or from a capture)
// and never ask for it themselves, so a replay is the same every time.
#pragma once

#include <cstdint>

namespace postern {

using Timestamp = uint64_t;
inline constexpr Timestamp kMicrosecond = 1'000;
inline constexpr Timestamp kMillisecond = 1'000'000;
inline constexpr Timestamp kSecond = 1'000'000'000;

}  // namespace postern
