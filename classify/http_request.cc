// SPDX-License-Identifier: Apache-2.0
#include "classify/http_request.h"

#include <algorithm>
#include <string_view>

namespace postern::classify {
namespace {

constexpr size_t kLongestMethod = 24;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// What is there of `text` agrees with `expected`.
Fit starts_with(std::string_view text, std::string_view expected) noexcept {
  const size_t common = std::min(text.size(), expected.size());
  if (text.substr(0, common) != expected.substr(0, common)) return Fit::No;
  return common == expected.size() ? Fit::Yes : Fit::More;
}

// "HTTP/1.d" and nothing else.
Fit is_version(std::string_view text) noexcept {
  const Fit fit = starts_with(text, "HTTP/1.");
  if (fit != Fit::Yes || text.size() == 7) return fit == Fit::No ? Fit::No : Fit::More;
  if (!is_digit(text[7]) || text.size() > 8) return Fit::No;
  return Fit::Yes;
}

struct Line {
  std::string_view text;  // without its end
  bool complete = false;
};

// Servers take a bare LF for a line end, so it is one here.
Line first_line(std::string_view text) noexcept {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return {line, end < text.size()};
}

// method SP target SP HTTP/1.d
Fit is_request_line(const Line& line) noexcept {
  const size_t space = std::min(line.text.find(' '), line.text.size());
  if (space > kLongestMethod || (space == 0 && !line.text.empty())) return Fit::No;
  for (const char c : line.text.substr(0, space))
    if (!(c >= 'A' && c <= 'Z') && c != '-') return Fit::No;
  if (space == line.text.size()) return line.complete ? Fit::No : Fit::More;
  std::string_view rest = line.text.substr(space + 1);
  const size_t end = std::min(rest.find(' '), rest.size());
  for (const char c : rest.substr(0, end))
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return Fit::No;
  if (end == 0 && !rest.empty()) return Fit::No;
  if (end == rest.size()) return line.complete ? Fit::No : Fit::More;
  const Fit fit = is_version(rest.substr(end + 1));
  if (line.complete) return fit == Fit::Yes ? Fit::Yes : Fit::No;
  return fit == Fit::No ? Fit::No : Fit::More;
}

// HTTP/1.d SP ddd
Fit is_status_line(const Line& line) noexcept {
  static constexpr std::string_view kShape = "HTTP/1.d ddd";
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (i == line.text.size()) return line.complete ? Fit::No : Fit::More;
    if (kShape[i] == 'd' ? !is_digit(line.text[i]) : line.text[i] != kShape[i]) return Fit::No;
  }
  if (line.text.size() > kShape.size() && line.text[kShape.size()] != ' ') return Fit::No;
  return line.complete ? Fit::Yes : Fit::More;
}

}  // namespace

Fit is_http_request(Bytes stream) noexcept {
  // RFC 9112 section 2.2: servers skip an empty line before the request line.
  std::string_view text = as_text(stream);
  if (text.starts_with("\r\n")) text.remove_prefix(2);
  if (text == "\r") return Fit::More;
  const Line line = first_line(text.substr(0, kLongestRequestLine));
  const Fit fit = is_request_line(line);
  if (fit != Fit::More || text.size() < kLongestRequestLine) return fit;
  // So long without a second space can only be a method and a long target, or no HTTP at all.
  return line.text.find(" /") == std::string_view::npos ? Fit::No : Fit::Yes;
}

Fit is_http_response(Bytes stream) noexcept {
  const std::string_view text = as_text(stream);
  const Fit fit = is_status_line(first_line(text.substr(0, kLongestRequestLine)));
  return fit == Fit::More && text.size() >= kLongestRequestLine ? Fit::Yes : fit;
}

}  // namespace postern::classify
