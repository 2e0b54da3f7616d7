// SPDX-License-Identifier: Apache-2.0
#include "classify/cim_xml_message.h"

#include <algorithm>
#include <string_view>

#include "base/ascii.h"
#include "classify/http_request.h"

namespace postern::classify {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool is_cim_header(std::string_view line) noexcept {
  std::string_view name = line.substr(0, std::min(line.find(':'), line.size()));
  if (name.size() == line.size()) return false;
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  // The extension framework of RFC 2774 puts a number of two digits before the name.
  if (name.size() > 3 && is_digit(name[0]) && is_digit(name[1]) && name[2] == '-') name.remove_prefix(3);
  return equals_ignoring_case(name, "cimoperation") || equals_ignoring_case(name, "cimexport");
}

// `text`: a message whose first line is there.
Fit search_headers(std::string_view text) noexcept {
  const bool searched = text.size() >= kCimHeaderSearch;
  text = text.substr(0, kCimHeaderSearch);
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    text.remove_prefix(end + 1);
    const size_t length = std::min(text.find('\n'), text.size());
    if (length == text.size()) break;
    std::string_view line = text.substr(0, length);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) return Fit::No;
    if (is_cim_header(line)) return Fit::Yes;
  }
  return searched ? Fit::No : Fit::More;
}

}  // namespace

Fit is_cim_xml_request(Bytes stream) noexcept {
  std::string_view text = as_text(stream);
  if (text.starts_with("\r\n")) text.remove_prefix(2);
  const Fit fit = is_http_request(stream);
  if (fit != Fit::Yes) return fit;
  return text.starts_with("M-POST ") ? Fit::Yes : search_headers(text);
}

Fit is_cim_xml_response(Bytes stream) noexcept {
  const Fit fit = is_http_response(stream);
  return fit == Fit::Yes ? search_headers(as_text(stream)) : fit;
}

}  // namespace postern::classify
