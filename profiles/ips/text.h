// SPDX-License-Identifier: Apache-2.0
// Small words of the rule language: pieces between commas, trimmed, and numbers that are nothing but a
// number. Any thread.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::profiles::ips {

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

constexpr std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// What is before the first `mark`, trimmed; takes it and the mark off `rest`.
constexpr std::string_view take_until(std::string_view& rest, char mark) noexcept {
  const size_t at = rest.find(mark);
  const std::string_view piece = rest.substr(0, at);
  rest = at == rest.npos ? std::string_view() : rest.substr(at + 1);
  return trimmed(piece);
}

inline std::vector<std::string_view> split(std::string_view text, char mark) {
  std::vector<std::string_view> pieces;
  while (true) {
    const size_t at = text.find(mark);
    pieces.push_back(trimmed(text.substr(0, at)));
    if (at == text.npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

// The next word and what follows it, both trimmed.
constexpr std::string_view take_word(std::string_view& rest) noexcept {
  rest = trimmed(rest);
  size_t end = 0;
  while (end < rest.size() && !is_blank(rest[end])) ++end;
  const std::string_view word = rest.substr(0, end);
  rest = trimmed(rest.substr(end));
  return word;
}

template <typename Integer>
std::optional<Integer> number(std::string_view text, int base = 10) {
  Integer value{};
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Decimal, or hexadecimal behind 0x.
template <typename Integer>
std::optional<Integer> number_any_base(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return number<Integer>(text.substr(2), 16);
  return number<Integer>(text);
}

}  // namespace postern::profiles::ips
