// SPDX-License-Identifier: Apache-2.0
// Where bytes occur in bytes, with or without regard to the case of ASCII letters. Any thread.
#pragma once

#include <cstring>
#include <optional>

#include "base/ascii.h"
#include "base/bytes.h"

namespace postern::profiles::ips {

inline bool same_bytes(const uint8_t* text, const uint8_t* lower, size_t size) noexcept {
  for (size_t i = 0; i < size; ++i)
    if (static_cast<uint8_t>(ascii_lower(static_cast<char>(text[i]))) != lower[i]) return false;
  return true;
}

// `wanted` is in lower case. memchr for both cases of its first byte beats a table for texts of a packet's
// size.
inline std::optional<size_t> find_ignoring_case(Bytes text, Bytes wanted) noexcept {
  if (wanted.empty() || text.size() < wanted.size()) return std::nullopt;
  const size_t last = text.size() - wanted.size();
  const uint8_t low = wanted[0], high = low >= 'a' && low <= 'z' ? static_cast<uint8_t>(low - 32) : low;
  const auto next = [&](size_t from, uint8_t byte) {
    const void* at = from > last ? nullptr : std::memchr(text.data() + from, byte, last + 1 - from);
    return at == nullptr ? last + 1 : static_cast<size_t>(static_cast<const uint8_t*>(at) - text.data());
  };
  size_t at_low = next(0, low), at_high = high == low ? last + 1 : next(0, high);
  while (true) {
    const size_t at = at_low < at_high ? at_low : at_high;
    if (at > last) return std::nullopt;
    if (same_bytes(text.data() + at, wanted.data(), wanted.size())) return at;
    if (at == at_low)
      at_low = next(at + 1, low);
    else
      at_high = next(at + 1, high);
  }
}

inline std::optional<size_t> find_bytes(Bytes text, Bytes wanted) noexcept {
  if (wanted.empty() || text.size() < wanted.size()) return std::nullopt;
  const void* at = memmem(text.data(), text.size(), wanted.data(), wanted.size());
  if (at == nullptr) return std::nullopt;
  return static_cast<size_t>(static_cast<const uint8_t*>(at) - text.data());
}

}  // namespace postern::profiles::ips
