// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 section 4) as attackers' payloads and lists have it: blanks are skipped, anything else
// ends it. Any thread.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace postern::profiles::ips {

// How many bytes it yields; stops when `into` is full.
inline size_t decode_base64(Bytes text, std::span<uint8_t> into) noexcept {
  uint32_t bits = 0;
  unsigned count = 0;
  size_t made = 0;
  for (const uint8_t c : text) {
    if (c == '\r' || c == '\n' || c == ' ' || c == '\t') continue;
    int value = -1;
    if (c >= 'A' && c <= 'Z') value = c - 'A';
    if (c >= 'a' && c <= 'z') value = c - 'a' + 26;
    if (c >= '0' && c <= '9') value = c - '0' + 52;
    if (c == '+') value = 62;
    if (c == '/') value = 63;
    if (value < 0) break;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    if (made == into.size()) break;
    into[made++] = static_cast<uint8_t>(bits >> count);
  }
  return made;
}

}  // namespace postern::profiles::ips
