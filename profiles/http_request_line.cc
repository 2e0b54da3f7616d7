// SPDX-License-Identifier: Apache-2.0
#include "profiles/http_request_line.h"

#include <algorithm>

namespace postern::profiles {
namespace {

bool is_method_byte(uint8_t c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// Browsers never send a fragment; a server that cuts it off and one that does not serve different things.
bool is_target_byte(uint8_t c) noexcept { return c > 0x20 && c != 0x7f && c != '#'; }

bool is_scheme_byte(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
         c == '.';
}

}  // namespace

void HttpRequestLine::clear() noexcept {
  target_length_ = 0;
  method_length_ = version_length_ = minor_ = 0;
  part_ = Part::Start;
  anomaly_ = HttpAnomaly::None;
  query_ = empty_line_ = http2_ = false;
}

std::string_view HttpRequestLine::target() const noexcept {
  return {target_.data(), std::min<size_t>(target_length_, kKeptTarget)};
}

HttpRequestLine::Taken HttpRequestLine::take(Bytes bytes) noexcept {
  for (size_t at = 0; at < bytes.size(); ++at) {
    if (part_ == Part::Target) at += take_target(bytes.subspan(at));
    if (at == bytes.size()) break;
    anomaly_ = step(bytes[at]);
    if (anomaly_ != HttpAnomaly::None) return {at, Outcome::Refused};
    if (version_length_ == 10) return {at + 1, http2_ ? Outcome::Http2 : Outcome::Done};
  }
  return {bytes.size(), Outcome::More};
}

// The ordinary bytes of a target while it fits its room, which is nearly all of a request line.
size_t HttpRequestLine::take_target(Bytes bytes) noexcept {
  const size_t most = target_length_ < kKeptTarget ? std::min(bytes.size(), kKeptTarget - target_length_) : 0;
  size_t taken = 0;
  bool query = query_;
  for (; taken < most && is_target_byte(bytes[taken]); ++taken) {
    query |= bytes[taken] == '?';
    target_[target_length_ + taken] = static_cast<char>(bytes[taken]);
  }
  query_ = query;
  target_length_ = static_cast<uint16_t>(target_length_ + taken);
  return taken;
}

HttpAnomaly HttpRequestLine::step(uint8_t byte) noexcept {
  if (byte == 0) return HttpAnomaly::Nul;
  switch (part_) {
    case Part::Start:
      return start(byte);
    case Part::EmptyLine:
      part_ = Part::Start;
      return byte == '\n' ? HttpAnomaly::None : HttpAnomaly::BareCr;
    case Part::Method:
      return method_byte(byte);
    case Part::Target:
      return target_byte(byte);
    case Part::Version:
      break;
  }
  return version_byte(byte);
}

HttpAnomaly HttpRequestLine::start(uint8_t byte) noexcept {
  if (byte == '\n') return HttpAnomaly::BareLf;
  if (byte != '\r') {
    part_ = Part::Method;
    return method_byte(byte);
  }
  if (empty_line_) return HttpAnomaly::BadRequestLine;
  empty_line_ = true;
  part_ = Part::EmptyLine;
  return HttpAnomaly::None;
}

HttpAnomaly HttpRequestLine::method_byte(uint8_t byte) noexcept {
  if (byte == ' ' && method_length_ > 0) {
    part_ = Part::Target;
    return HttpAnomaly::None;
  }
  if (byte == ' ' || byte == '\r' || byte == '\n') return HttpAnomaly::BadRequestLine;
  if (!is_method_byte(byte) || method_length_ == kLongestMethod) return HttpAnomaly::BadMethod;
  method_[method_length_++] = static_cast<char>(byte);
  return HttpAnomaly::None;
}

HttpAnomaly HttpRequestLine::target_byte(uint8_t byte) noexcept {
  if (is_target_byte(byte)) {
    if (target_length_ == kLongestTarget || (target_length_ >= kKeptTarget && !query_))
      return HttpAnomaly::RequestLineTooLong;
    if (target_length_ < kKeptTarget) target_[target_length_] = static_cast<char>(byte);
    ++target_length_;
    query_ = query_ || byte == '?';
    return HttpAnomaly::None;
  }
  if (byte == '\r' || byte == '\n')
    return target_length_ == 0 ? HttpAnomaly::BadRequestLine : HttpAnomaly::Http09;
  if (byte != ' ') return HttpAnomaly::BadTarget;
  if (target_length_ == 0) return HttpAnomaly::BadRequestLine;
  if (!is_target_form()) return HttpAnomaly::BadTarget;
  part_ = Part::Version;
  return HttpAnomaly::None;
}

// Section 3.2: origin-form, absolute-form, authority-form for CONNECT alone, asterisk-form.
bool HttpRequestLine::is_target_form() const noexcept {
  const std::string_view text = target();
  if (method() == "CONNECT") return text.front() != '/' && text != "*";
  if (text.front() == '/' || text == "*") return true;
  const size_t scheme = text.find("://");
  return scheme != std::string_view::npos && scheme > 0 && scheme + 3 < text.size() &&
         std::all_of(text.begin(), text.begin() + static_cast<ptrdiff_t>(scheme), is_scheme_byte);
}

HttpAnomaly HttpRequestLine::version_byte(uint8_t byte) noexcept {
  static constexpr std::string_view kShape = "HTTP/1.d\r\n";
  const size_t at = version_length_++;
  if (at == 0 && (byte == '\r' || byte == '\n')) return HttpAnomaly::Http09;
  if (at < 5 || at == 6)
    return byte == static_cast<uint8_t>(kShape[at]) ? HttpAnomaly::None
           : at < 5                                 ? HttpAnomaly::BadRequestLine
                                                    : HttpAnomaly::BadVersion;
  switch (at) {
    case 5:
      http2_ = byte == '2' && method() == "PRI" && target() == "*";
      return byte == '1' || http2_ ? HttpAnomaly::None : HttpAnomaly::BadVersion;
    case 7:
      minor_ = static_cast<uint8_t>(byte - '0');
      return byte == '0' || (byte == '1' && !http2_) ? HttpAnomaly::None : HttpAnomaly::BadVersion;
    case 8:
      if (byte == '\r') return HttpAnomaly::None;
      if (byte == '\n') return HttpAnomaly::BareLf;
      return byte == ' ' || byte == '\t' ? HttpAnomaly::BadRequestLine : HttpAnomaly::BadVersion;
    default:
      return byte == '\n' ? HttpAnomaly::None : HttpAnomaly::BareCr;
  }
}

}  // namespace postern::profiles
