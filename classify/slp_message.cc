// SPDX-License-Identifier: Apache-2.0
#include "classify/slp_message.h"

#include <algorithm>

namespace postern::classify {
namespace {

constexpr size_t kHeaderV1 = 12, kHeaderV2 = 14;
constexpr size_t kShortestTag = 2, kLongestTag = 35;  // RFC 5646 section 4.4.1
constexpr size_t kLongestMessage = 65535;             // of a stream; the field would allow 16 MiB

bool is_letter(uint8_t c) noexcept { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_tag_byte(uint8_t c) noexcept { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; }

struct Header {
  Fit fit = Fit::No;
  size_t length = 0;  // of the whole message
  uint8_t function = 0;
  Bytes body;  // what is here of it
};

Header read_v2(Bytes bytes) noexcept {
  if (bytes.size() >= 2 && (bytes[1] < 1 || bytes[1] > 11)) return {};
  if (bytes.size() >= 7 && ((bytes[5] & 0x1f) != 0 || bytes[6] != 0)) return {};  // reserved flags
  ByteReader reader(bytes);
  reader.skip(1);
  const uint8_t function = reader.u8();
  const size_t length = reader.be24();
  if (reader.ok() && (length < kHeaderV2 + kShortestTag || length > kLongestMessage)) return {};
  reader.skip(2);
  const size_t extension = reader.be24();
  if (reader.ok() && extension != 0 && (extension < kHeaderV2 || extension >= length)) return {};
  reader.skip(2);  // transaction
  const size_t tag_length = reader.be16();
  if (!reader.ok()) return {Fit::More, 0, 0, {}};
  if (tag_length < kShortestTag || tag_length > kLongestTag || kHeaderV2 + tag_length > length) return {};
  const Bytes tag = reader.rest().first(std::min(tag_length, reader.remaining()));
  for (size_t i = 0; i < tag.size(); ++i)
    if (i < kShortestTag ? !is_letter(tag[i]) : !is_tag_byte(tag[i])) return {};
  reader.skip(tag_length);
  if (!reader.ok()) return {Fit::More, 0, 0, {}};
  const size_t end = extension != 0 ? extension : length;
  const size_t used = kHeaderV2 + tag_length;
  if (end < used) return {};
  return {Fit::Yes, length, function, reader.rest().first(std::min(end - used, reader.remaining()))};
}

Header read_v1(Bytes bytes) noexcept {
  if (bytes.size() >= 2 && (bytes[1] < 1 || bytes[1] > 10)) return {};
  if (bytes.size() >= 5 && (bytes[4] & 0x07) != 0) return {};  // reserved flags
  if (bytes.size() >= 6 && bytes[5] != 0) return {};           // dialect
  ByteReader reader(bytes);
  reader.skip(1);
  const uint8_t function = reader.u8();
  const size_t length = reader.be16();
  if (reader.ok() && length < kHeaderV1) return {};
  reader.skip(2);
  const Bytes language = reader.bytes(2);
  if (reader.ok() && (!is_letter(language[0]) || !is_letter(language[1]))) return {};
  const uint16_t encoding = reader.be16();
  if (reader.ok() && encoding == 0) return {};
  reader.skip(2);  // transaction
  if (!reader.ok()) return {Fit::More, 0, 0, {}};
  return {Fit::Yes, length, function, {}};
}

// The length-prefixed texts a query consists of; other messages carry counts and URLs besides.
size_t text_count(uint8_t function) noexcept {
  constexpr uint8_t kServiceRequest = 1, kAttributeRequest = 6;
  return function == kServiceRequest || function == kAttributeRequest ? 5 : 0;
}

bool texts_fill(Bytes body, size_t count) noexcept {
  if (count == 0) return true;
  ByteReader reader(body);
  for (size_t i = 0; i < count; ++i) reader.skip(reader.be16());
  return reader.ok() && reader.remaining() == 0;
}

Header read_header(Bytes bytes) noexcept {
  if (bytes.empty()) return {Fit::More, 0, 0, {}};
  if (bytes[0] == 2) return read_v2(bytes);
  if (bytes[0] == 1) return read_v1(bytes);
  return {};
}

}  // namespace

Fit is_slp_datagram(Bytes datagram) noexcept {
  const Header header = read_header(datagram);
  if (header.fit != Fit::Yes || header.length != datagram.size()) return Fit::No;
  if (datagram[0] == 2 && !texts_fill(header.body, text_count(header.function))) return Fit::No;
  return Fit::Yes;
}

Fit is_slp_stream(Bytes stream) noexcept { return read_header(stream).fit; }

}  // namespace postern::classify
