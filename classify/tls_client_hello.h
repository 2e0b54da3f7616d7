// SPDX-License-Identifier: Apache-2.0
// What a TLS client asks for, read from the first bytes of a TCP stream (RFC 8446 section 4.1.2, RFC 5246,
// RFC 6066), which may still lack their end. Texts are the client's own bytes, unchecked beyond their
// lengths. Any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "classify/fit.h"

namespace postern::classify {

struct TlsClientHello {
  static constexpr size_t kLongest = 16384;    // body; a longer hello is refused, no browser comes near
  static constexpr size_t kMostVersions = 16;  // further ones are not kept
  static constexpr size_t kLongestAlpn = 256;  // bytes of the list; protocols beyond it are not kept

  Fit fit = Fit::No;  // the rest is empty unless Yes
  uint16_t legacy_version = 0;
  std::array<uint16_t, kMostVersions> versions{};  // supported_versions, in the client's order
  uint8_t version_count = 0;
  bool encrypted_client_hello = false;  // an ECH extension: server_name is the outer one
  bool early_data = false;

  std::string_view server_name() const noexcept { return {server_name_bytes.data(), server_name_length}; }
  // The i-th protocol of the ALPN list; nothing past its end.
  std::optional<std::string_view> alpn(size_t i) const noexcept;
  uint16_t highest_version() const noexcept;  // of supported_versions without GREASE, else legacy_version

  std::array<char, 255> server_name_bytes{};
  uint8_t server_name_length = 0;
  std::array<uint8_t, kLongestAlpn> alpn_list{};  // as on the wire: length, name, length, name ...
  uint16_t alpn_length = 0;
};

// Looks at the record and handshake headers only: Yes after 6 bytes that can start a ClientHello.
Fit starts_tls_client_hello(Bytes stream) noexcept;

// Record and handshake headers of a server's first answer, or an alert.
Fit starts_tls_answer(Bytes stream) noexcept;

// No: this is no ClientHello a server would take. More: the hello has not arrived in full.
TlsClientHello parse_tls_client_hello(Bytes stream) noexcept;

}  // namespace postern::classify
