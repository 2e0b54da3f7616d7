// SPDX-License-Identifier: Apache-2.0
// Short ways to write payloads in tests. Owns its bytes.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace postern::classify {

// Texts with NUL bytes in them, whole: bytes_of("ab\0c").
template <size_t N>
std::string bytes_of(const char (&text)[N]) {
  return std::string(text, N - 1);
}

inline std::string be16(size_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }
inline std::string be24(size_t value) { return static_cast<char>(value >> 16) + be16(value & 0xffff); }

// "01 ff 22": hex digits in pairs; anything else is skipped.
inline std::string hex(std::string_view text) {
  std::string out;
  int high = -1;
  for (const char c : text) {
    const size_t digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) continue;
    if (high < 0) {
      high = static_cast<int>(digit);
    } else {
      out += static_cast<char>(high << 4 | static_cast<int>(digit));
      high = -1;
    }
  }
  return out;
}

// A heap copy of exactly this size, so that reading past the end is seen by the address sanitizer.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view text) : bytes_(new uint8_t[text.size()]), size_(text.size()) {
    std::copy(text.begin(), text.end(), bytes_.get());
  }
  operator Bytes() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_;
};

}  // namespace postern::classify
