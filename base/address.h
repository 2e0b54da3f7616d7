// SPDX-License-Identifier: Apache-2.0
// IP addresses and prefixes. An IPv4 address is held as its IPv4-mapped IPv6 form (RFC 4291 section 2.5.5.2),
// so one table and one comparison serve both. Bytes are in network order. Any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

struct IpAddress {
  std::array<uint8_t, 16> bytes{};

  static IpAddress from_v4(const uint8_t* four_bytes) noexcept {
    IpAddress a;
    a.bytes[10] = a.bytes[11] = 0xff;
    std::memcpy(&a.bytes[12], four_bytes, 4);
    return a;
  }
  static IpAddress from_v6(const uint8_t* sixteen_bytes) noexcept {
    IpAddress a;
    std::memcpy(a.bytes.data(), sixteen_bytes, 16);
    return a;
  }
  // Text forms of RFC 4291 section 2.2 and dotted quads; nothing else ("1.2.3" and "01.2.3.4" are refused).
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const noexcept {
    static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::memcmp(bytes.data(), kMapped, 12) == 0;
  }
  bool is_multicast() const noexcept { return is_v4() ? (bytes[12] & 0xf0) == 0xe0 : bytes[0] == 0xff; }
  std::string text() const;  // dotted quad, or RFC 5952

  auto operator<=>(const IpAddress&) const = default;
};

struct Prefix {
  IpAddress address;   // bits below the length are zero
  uint8_t length = 0;  // 0..128 on the mapped form: an IPv4 /24 is 120

  // "10.0.0.0/8", "fd00::/8", or a plain address; std::nullopt for anything else, set host bits included.
  static std::optional<Prefix> parse(std::string_view text);
  static Prefix any_v4() noexcept;
  bool contains(const IpAddress& a) const noexcept {
    const unsigned whole = length / 8, bits = length % 8;
    if (std::memcmp(a.bytes.data(), address.bytes.data(), whole) != 0) return false;
    return bits == 0 || ((a.bytes[whole] ^ address.bytes[whole]) >> (8 - bits)) == 0;
  }
  std::string text() const;

  auto operator<=>(const Prefix&) const = default;
};

}  // namespace postern
