// SPDX-License-Identifier: Apache-2.0
#include "profiles/http_fields.h"

#include <algorithm>
#include <cstring>

namespace postern::profiles {
namespace {

struct Name {
  std::string_view name;
  HttpField field;
};

constexpr Name kFraming[] = {
    {"content-length", HttpField::ContentLength},
    {"transfer-encoding", HttpField::TransferEncoding},
    {"expect", HttpField::Expect},
};
constexpr Name kSynonyms[] = {
    {"x-http-method", HttpField::MethodOverride},
    {"x-method-override", HttpField::MethodOverride},
};

constexpr auto kOffsets = [] {
  std::array<uint16_t, kKeptFields> offsets{};
  for (size_t i = 1; i < kKeptFields; ++i)
    offsets[i] = static_cast<uint16_t>(offsets[i - 1] + kFieldPlaces[i - 1].room);
  return offsets;
}();

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// What servers that hand headers to CGI variables read as the same name.
bool equals_but_underscores(std::string_view name, std::string_view real) noexcept {
  return name.size() == real.size() && std::equal(name.begin(), name.end(), real.begin(),
                                                  [](char x, char y) { return (x == '_' ? '-' : x) == y; });
}

bool is_cim(HttpField field) noexcept {
  return field == HttpField::CimOperation || field == HttpField::CimExport || field == HttpField::CimMethod;
}

}  // namespace

HttpField http_field(std::string_view name) noexcept {
  for (size_t i = 0; i < kKeptFields; ++i)
    if (name == kFieldPlaces[i].name) return static_cast<HttpField>(i);
  for (const Name& framing : kFraming) {
    if (name == framing.name) return framing.field;
    if (equals_but_underscores(name, framing.name)) return HttpField::FramingLookalike;
  }
  for (const Name& synonym : kSynonyms)
    if (name == synonym.name) return synonym.field;
  // M-POST numbers its mandatory headers (RFC 2774 section 3, DMTF DSP0200 section 6.3).
  if (name.size() > 3 && is_digit(name[0]) && is_digit(name[1]) && name[2] == '-' && !is_digit(name[3])) {
    const HttpField field = http_field(name.substr(3));
    if (is_cim(field)) return field;
  }
  return HttpField::Other;
}

void HttpFields::clear() noexcept {
  length_.fill(0);
  present_ = 0;
  open_ = HttpField::Other;
  cut_ = false;
}

void HttpFields::begin(HttpField field) noexcept {
  open_ = field;
  const bool again = has(field);
  present_ |= 1u << static_cast<unsigned>(field);
  const auto index = static_cast<size_t>(field);
  if (index >= kKeptFields) return;
  if (again) append(", ");
  from_ = length_[index];
}

void HttpFields::append(std::string_view piece) noexcept {
  const auto index = static_cast<size_t>(open_);
  if (index >= kKeptFields) return;
  const size_t fits = std::min<size_t>(piece.size(), kFieldPlaces[index].room - length_[index]);
  if (fits < piece.size() && open_ != HttpField::UserAgent) cut_ = true;
  std::memcpy(room_.data() + kOffsets[index] + length_[index], piece.data(), fits);
  length_[index] = static_cast<uint16_t>(length_[index] + fits);
}

void HttpFields::end() noexcept {
  const auto index = static_cast<size_t>(open_);
  open_ = HttpField::Other;
  if (index >= kKeptFields) return;
  const char* text = room_.data() + kOffsets[index];
  while (length_[index] > from_ && (text[length_[index] - 1] == ' ' || text[length_[index] - 1] == '\t'))
    --length_[index];
}

std::string_view HttpFields::value(HttpField field) const noexcept {
  const auto index = static_cast<size_t>(field);
  return {room_.data() + kOffsets[index], length_[index]};
}

}  // namespace postern::profiles
