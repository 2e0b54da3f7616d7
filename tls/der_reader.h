// SPDX-License-Identifier: Apache-2.0
// Reads ASN.1 values in the strict DER form (X.690 section 10): definite lengths in their shortest form, tags
// of one byte. A reader that met anything else stays failed and reads empty values. Views only. Any thread.
#pragma once

#include <optional>

#include "base/bytes.h"

namespace postern::tls {

namespace der {
inline constexpr uint8_t kInteger = 0x02, kOctetString = 0x04, kObjectId = 0x06, kUtf8String = 0x0c,
                         kUtcTime = 0x17, kGeneralizedTime = 0x18, kBmpString = 0x1e, kUniversalString = 0x1c,
                         kBoolean = 0x01, kSequence = 0x30, kSet = 0x31;
}

class DerReader {
 public:
  struct Value {
    uint8_t tag = 0;
    Bytes content;
  };

  explicit DerReader(Bytes bytes) noexcept : rest_(bytes) {}

  bool ok() const noexcept { return ok_; }
  bool at_end() const noexcept { return ok_ && rest_.empty(); }
  uint8_t next_tag() const noexcept { return ok_ && !rest_.empty() ? rest_[0] : 0; }

  Value any() noexcept {
    ByteReader reader(rest_);
    const uint8_t tag = reader.u8();
    const size_t length = read_length(reader);
    const Bytes content = reader.bytes(length);
    if (!ok_ || !reader.ok() || (tag & 0x1f) == 0x1f) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    rest_ = reader.rest();
    return {tag, content};
  }

  Bytes expect(uint8_t tag) noexcept {
    const Value value = any();
    if (ok_ && value.tag == tag) return value.content;
    ok_ = false;
    rest_ = {};
    return {};
  }

  // Nothing, and nothing read, when the next value has another tag.
  std::optional<Bytes> optional(uint8_t tag) noexcept {
    if (next_tag() != tag) return std::nullopt;
    return expect(tag);
  }

 private:
  size_t read_length(ByteReader& reader) noexcept {
    const uint8_t first = reader.u8();
    if (first < 0x80) return first;
    const size_t count = first & 0x7f;
    // No certificate of a handshake is longer than three bytes can say.
    if (count == 0 || count > 3) {
      ok_ = false;
      return 0;
    }
    size_t length = 0;
    for (size_t i = 0; i < count; ++i) length = length << 8 | reader.u8();
    const bool shortest = length >= 0x80 && length >> (8 * (count - 1)) != 0;
    if (!shortest) ok_ = false;
    return length;
  }

  Bytes rest_;
  bool ok_ = true;
};

}  // namespace postern::tls
