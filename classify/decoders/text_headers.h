// SPDX-License-Identifier: Apache-2.0
// Walks the "Name: value" lines of messages that look like HTTP (SSDP, SIP). Lines end with CR LF, as both
// protocols demand. Views only. Any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace postern::classify::decoders {

class TextHeaders {
 public:
  enum class Step : uint8_t { Header, Folded, End, Bad };  // Bad: no header, or not all here

  explicit TextHeaders(std::string_view message) noexcept : rest_(message) {}

  // The first line, without its end; empty when it is not all here.
  std::string_view start_line() noexcept {
    const size_t end = rest_.find(kLineEnd);
    if (end == std::string_view::npos) return {};
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + kLineEnd.size());
    return line;
  }

  Step next() noexcept {
    const size_t end = rest_.find(kLineEnd);
    if (end == std::string_view::npos) return Step::Bad;
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + kLineEnd.size());
    if (line.empty()) return Step::End;
    if (!std::all_of(line.begin(), line.end(), [](char c) { return (c & 0xe0) != 0 || c == '\t'; }))
      return Step::Bad;
    if (line[0] == ' ' || line[0] == '\t') return Step::Folded;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return Step::Bad;
    name_ = trim(line.substr(0, colon));
    value_ = trim(line.substr(colon + 1));
    return !name_.empty() && std::all_of(name_.begin(), name_.end(), is_token) ? Step::Header : Step::Bad;
  }

  std::string_view name() const noexcept { return name_; }
  std::string_view value() const noexcept { return value_; }
  std::string_view rest() const noexcept { return rest_; }  // after End: the body

 private:
  static constexpr std::string_view kLineEnd = "\r\n";

  static bool is_token(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-.!%*_+`'~").find(c) != std::string_view::npos;
  }
  static std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
  }

  std::string_view rest_, name_, value_;
};

}  // namespace postern::classify::decoders
