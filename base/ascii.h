// SPDX-License-Identifier: Apache-2.0
// Texts of protocols, compared without regard to the case of ASCII letters; other bytes must be equal. Any
// thread.
#pragma once

#include <algorithm>
#include <string_view>

namespace postern {

constexpr char ascii_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool same_ignoring_case(char a, char b) noexcept { return ascii_lower(a) == ascii_lower(b); }

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_ignoring_case);
}

constexpr bool starts_ignoring_case(std::string_view text, std::string_view start) noexcept {
  return equals_ignoring_case(text.substr(0, start.size()), start);
}

constexpr bool contains_ignoring_case(std::string_view text, std::string_view part) noexcept {
  return part.empty() ||
         std::search(text.begin(), text.end(), part.begin(), part.end(), same_ignoring_case) != text.end();
}

}  // namespace postern
