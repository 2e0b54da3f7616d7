// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/transforms.h"

#include <algorithm>

#include "base/ascii.h"
#include "profiles/ips/base64.h"

namespace postern::profiles::ips {
namespace {

bool is_space(uint8_t c) noexcept { return c == ' ' || (c >= 9 && c <= 13); }
uint8_t lower(uint8_t c) noexcept { return static_cast<uint8_t>(ascii_lower(static_cast<char>(c))); }
uint8_t upper(uint8_t c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<uint8_t>(c - 32) : c; }
int hex_of(uint8_t c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const uint8_t l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

size_t compress_whitespace(std::span<uint8_t> text) noexcept {
  size_t out = 0;
  for (size_t i = 0; i < text.size(); ++i)
    if (!is_space(text[i]) || i == 0 || !is_space(text[i - 1]))
      text[out++] = is_space(text[i]) ? ' ' : text[i];
  return out;
}

size_t url_decode(std::span<uint8_t> text) noexcept {
  size_t out = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_of(text[i + 1]) >= 0 && hex_of(text[i + 2]) >= 0;
    if (escape) {
      text[out++] = static_cast<uint8_t>(hex_of(text[i + 1]) << 4 | hex_of(text[i + 2]));
      i += 2;
    } else {
      text[out++] = text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// Names of header fields, which end at the first colon of a line.
size_t header_lowercase(std::span<uint8_t> text) noexcept {
  bool name = true;
  for (uint8_t& c : text) {
    if (c == '\n')
      name = true;
    else if (c == ':')
      name = false;
    else if (name)
      c = lower(c);
  }
  return text.size();
}

// Lines that begin with a colon: the pseudo headers of HTTP/2 (RFC 9113 section 8.3).
size_t strip_pseudo_headers(std::span<uint8_t> text) noexcept {
  size_t out = 0;
  bool begins = true, keeps = true;
  for (const uint8_t c : text) {
    if (begins) keeps = c != ':';
    begins = c == '\n';
    if (keeps) text[out++] = c;
  }
  return out;
}

}  // namespace

size_t transform(const TransformStep& step, std::span<uint8_t> room, size_t size) noexcept {
  const std::span<uint8_t> text = room.first(size);
  switch (step.what) {
    case Transform::ToLowercase:
      std::transform(text.begin(), text.end(), text.begin(), lower);
      return size;
    case Transform::ToUppercase:
      std::transform(text.begin(), text.end(), text.begin(), upper);
      return size;
    case Transform::StripWhitespace:
      return static_cast<size_t>(std::remove_if(text.begin(), text.end(), is_space) - text.begin());
    case Transform::CompressWhitespace:
      return compress_whitespace(text);
    case Transform::DotPrefix:
      if (size == room.size()) return size;
      std::copy_backward(text.begin(), text.end(), room.begin() + static_cast<ptrdiff_t>(size) + 1);
      room[0] = '.';
      return size + 1;
    case Transform::UrlDecode:
      return url_decode(text);
    case Transform::Xor:
      for (size_t i = 0; i < size; ++i) text[i] ^= static_cast<uint8_t>(step.key[i % step.key.size()]);
      return size;
    case Transform::HeaderLowercase:
      return header_lowercase(text);
    case Transform::StripPseudoHeaders:
      return strip_pseudo_headers(text);
    case Transform::FromBase64:
      return decode_base64(text, text);
  }
  return size;
}

}  // namespace postern::profiles::ips
