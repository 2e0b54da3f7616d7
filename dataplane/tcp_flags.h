// SPDX-License-Identifier: Apache-2.0
// TCP control bits, RFC 9293 section 3.1.
#pragma once

#include <cstdint>

namespace postern::dataplane {

inline constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kUrg = 0x20;

}  // namespace postern::dataplane
