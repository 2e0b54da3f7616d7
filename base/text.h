// SPDX-License-Identifier: Apache-2.0
// Text in a buffer of fixed size, for facts about traffic that live in flow records and logs. What is
// appended goes in whole or not at all, and after the first piece that did not fit nothing does, so a cut
// text is always the beginning of the whole one. Trivially copyable. One thread at a time.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"

namespace postern {

template <size_t N>
class FixedText {
  static_assert(N <= 0xffff);

 public:
  static constexpr size_t kCapacity = N;

  std::string_view view() const noexcept { return {text_.data(), size_}; }
  bool empty() const noexcept { return size_ == 0; }
  size_t size() const noexcept { return size_; }
  bool cut() const noexcept { return cut_; }  // something did not fit

  void append(std::string_view piece) noexcept {
    if (cut_ || piece.size() > N - size_) {
      cut_ = true;
      return;
    }
    std::copy(piece.begin(), piece.end(), text_.begin() + size_);
    size_ = static_cast<uint16_t>(size_ + piece.size());
  }
  void append(char c) noexcept { append(std::string_view(&c, 1)); }

  void append_decimal(uint32_t value) noexcept {
    std::array<char, 10> digits;
    append({digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr});
  }
  void append_hex(uint8_t byte) noexcept {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    const std::array<char, 2> pair{kDigits[byte >> 4], kDigits[byte & 15]};
    append({pair.data(), pair.size()});
  }
  void append_hex(uint16_t value) noexcept {
    append_hex(static_cast<uint8_t>(value >> 8));
    append_hex(static_cast<uint8_t>(value));
  }
  void append_hex(Bytes bytes) noexcept {
    for (const uint8_t byte : bytes) append_hex(byte);
  }
  // As RFC 4514 writes bytes that must not be shown: a backslash and two capital hex digits.
  void append_escape(uint8_t byte) noexcept {
    static constexpr std::string_view kDigits = "0123456789ABCDEF";
    const std::array<char, 3> escape{'\\', kDigits[byte >> 4], kDigits[byte & 15]};
    append({escape.data(), escape.size()});
  }

 private:
  std::array<char, N> text_{};
  uint16_t size_ = 0;
  bool cut_ = false;
};

}  // namespace postern
