// SPDX-License-Identifier: Apache-2.0
// Reads BER elements (X.690) of definite length and one-byte tags, which is all that SNMP and Kerberos use.
// Like ByteReader, a reader that met something else stays failed and reads empty elements. Any thread.
#pragma once

#include "base/bytes.h"

namespace postern::classify::decoders {

inline constexpr uint8_t kBerInteger = 0x02, kBerOctetString = 0x04, kBerObjectId = 0x06, kBerSequence = 0x30;

struct BerElement {
  uint8_t tag = 0;
  Bytes content;
};

class BerReader {
 public:
  explicit BerReader(Bytes bytes) noexcept : in_(bytes) {}

  bool ok() const noexcept { return ok_ && in_.ok(); }
  bool done() const noexcept { return ok() && in_.remaining() == 0; }
  // 0 at the end; no element used here has that tag.
  uint8_t next_tag() const noexcept { return ok() && in_.remaining() != 0 ? in_.rest()[0] : 0; }

  BerElement next() noexcept {
    const uint8_t tag = in_.u8();
    if ((tag & 0x1f) == 0x1f) ok_ = false;  // a tag of several bytes
    const Bytes content = in_.bytes(length());
    return ok() ? BerElement{tag, content} : BerElement{};
  }

  Bytes expect(uint8_t tag) noexcept {
    const BerElement element = next();
    if (element.tag != tag) ok_ = false;
    return ok() ? element.content : Bytes{};
  }

  // Up to four bytes and a sign, or five when the first is only there for the sign.
  int64_t integer() noexcept {
    const Bytes content = expect(kBerInteger);
    if (content.empty() || content.size() > 5 || (content.size() == 5 && content[0] != 0)) ok_ = false;
    if (!ok()) return 0;
    uint64_t value = content[0] & 0x80 ? ~uint64_t{0} : 0;
    for (const uint8_t byte : content) value = value << 8 | byte;
    return static_cast<int64_t>(value);
  }

 private:
  size_t length() noexcept {
    const uint8_t first = in_.u8();
    if (first < 0x80) return first;
    const size_t count = first & 0x7f;
    if (count == 0 || count > 4) ok_ = false;  // indefinite, or longer than any datagram
    size_t length = 0;
    for (size_t i = 0; ok() && i < count; ++i) length = length << 8 | in_.u8();
    return length;
  }

  ByteReader in_;
  bool ok_ = true;
};

}  // namespace postern::classify::decoders
