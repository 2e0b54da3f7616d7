// SPDX-License-Identifier: Apache-2.0
#include "profiles/http_head_lines.h"

#include <algorithm>
#include <array>

namespace postern::profiles {
namespace {

// Where the first CR or LF is, or the end.
size_t find_line_mark(Bytes bytes) noexcept {
  const std::string_view text = as_text(bytes);
  const size_t line_feed = std::min(text.find('\n'), text.size());
  return std::min(text.substr(0, line_feed).find('\r'), line_feed);
}

// RFC 9110 section 5.6.2.
constexpr auto kToken = [] {
  std::array<bool, 256> token{};
  for (const char c :
       std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    token[static_cast<uint8_t>(c)] = true;
  return token;
}();

HttpAnomaly name_anomaly(uint8_t byte) noexcept {
  if (byte == 0) return HttpAnomaly::Nul;
  return byte == ' ' || byte == '\t' ? HttpAnomaly::SpaceBeforeColon : HttpAnomaly::BadHeaderName;
}

}  // namespace

void HttpHeadLines::clear() noexcept {
  seen_ = 0;
  place_ = Place::Start;
}

HttpHeadLines::Taken HttpHeadLines::take(Bytes bytes) noexcept {
  const size_t left = kLongest - seen_;
  Taken taken = walk(bytes.first(std::min(bytes.size(), left)));
  seen_ += static_cast<uint32_t>(taken.bytes);
  if (seen_ == kLongest && !taken.ended && taken.anomaly == HttpAnomaly::None)
    taken.anomaly = HttpAnomaly::HeadTooLong;
  return taken;
}

// The first byte of a line; a name's is not consumed.
HttpAnomaly HttpHeadLines::start(uint8_t byte) noexcept {
  if (byte == ' ' || byte == '\t') return HttpAnomaly::ObsFold;
  if (byte == '\n') return HttpAnomaly::BareLf;
  if (byte == ':') return HttpAnomaly::BadHeaderName;
  place_ = byte == '\r' ? Place::AfterEmptyCr : Place::Name;
  return HttpAnomaly::None;
}

HttpHeadLines::Taken HttpHeadLines::walk(Bytes bytes) noexcept {
  size_t at = 0;
  while (at < bytes.size()) {
    switch (place_) {
      case Place::Start:
        if (const HttpAnomaly anomaly = start(bytes[at]); anomaly != HttpAnomaly::None)
          return {at, anomaly, false};
        if (place_ == Place::AfterEmptyCr) ++at;
        break;
      case Place::Name:
        while (at < bytes.size() && kToken[bytes[at]]) ++at;
        if (at == bytes.size()) break;
        if (bytes[at] != ':') return {at, name_anomaly(bytes[at]), false};
        place_ = Place::Value;
        ++at;
        break;
      case Place::Value:
        at += find_line_mark(bytes.subspan(at));
        if (at == bytes.size()) break;
        if (bytes[at] == '\n') return {at, HttpAnomaly::BareLf, false};
        place_ = Place::AfterCr;
        ++at;
        break;
      case Place::AfterCr:
      case Place::AfterEmptyCr: {
        if (bytes[at] != '\n') return {at, HttpAnomaly::BareCr, false};
        const bool ended = place_ == Place::AfterEmptyCr;
        place_ = Place::Start;
        ++at;
        if (ended) return {at, HttpAnomaly::None, true};
        break;
      }
    }
  }
  return {at, HttpAnomaly::None, false};
}

}  // namespace postern::profiles
