// SPDX-License-Identifier: Apache-2.0
// Views on bytes and the one way to read numbers from them: lengths are checked before bytes are read, and
// byte order is in the name. A ByteReader that ran out stays failed and reads zeros. Views never outlive the
// call that received them. Any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace postern {

using Bytes = std::span<const uint8_t>;

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline uint16_t load_be16(const uint8_t* p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }
inline uint32_t load_be32(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}
inline void store_be16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}
inline void store_be32(uint8_t* p, uint32_t v) {
  store_be16(p, static_cast<uint16_t>(v >> 16));
  store_be16(p + 2, static_cast<uint16_t>(v));
}

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) noexcept : rest_(bytes) {}

  bool ok() const noexcept { return ok_; }
  size_t remaining() const noexcept { return rest_.size(); }
  Bytes rest() const noexcept { return rest_; }

  uint8_t u8() noexcept { return need(1) ? take(1)[0] : 0; }
  uint16_t be16() noexcept { return need(2) ? load_be16(take(2).data()) : 0; }
  uint32_t be24() noexcept {
    if (!need(3)) return 0;
    const uint8_t* p = take(3).data();
    return uint32_t{p[0]} << 16 | uint32_t{p[1]} << 8 | p[2];
  }
  uint32_t be32() noexcept { return need(4) ? load_be32(take(4).data()) : 0; }
  Bytes bytes(size_t count) noexcept { return need(count) ? take(count) : Bytes{}; }
  void skip(size_t count) noexcept {
    if (need(count)) take(count);
  }

 private:
  bool need(size_t count) noexcept {
    if (ok_ && rest_.size() >= count) return true;
    ok_ = false;
    rest_ = {};
    return false;
  }
  Bytes take(size_t count) noexcept {
    Bytes head = rest_.first(count);
    rest_ = rest_.subspan(count);
    return head;
  }

  Bytes rest_;
  bool ok_ = true;
};

}  // namespace postern
