// SPDX-License-Identifier: Apache-2.0
// What a TLS client asks for, read from the first bytes of a TCP stream or from the CRYPTO frames of QUIC
// (RFC 8446 section 4.1.2, RFC 5246, RFC 6066), which may still lack their end. One walker reads the bytes:
// its view serves fingerprints while the bytes are there, its copy stays with the flow. Texts are the
// client's own bytes, unchecked beyond their lengths. Any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "classify/fit.h"
#include "classify/tls_records.h"

namespace postern::classify {

// An encrypted_client_hello extension (RFC 9849). A GREASE offer is made to look like a real one, so bytes
// can only disprove: an HPKE suite or a key length nobody registered, or a payload in which no inner hello
// has room, hides nothing. Whether an Offer is real is known to the holder of the key alone; hints beyond the
// bytes are a config_id that the server's HTTPS record (RFC 9460) publishes, and a server_name that is a
// known public_name. A real Offer makes server_name the outer one, which need not be where the flow goes.
enum class Ech : uint8_t {
  None,
  Inner,   // sent on by a client-facing server: server_name is the true one
  Offer,   // real or GREASE
  Grease,  // surely not real
  Broken,  // a server would refuse it
};

struct EchOffer {
  Ech kind = Ech::None;
  uint8_t config_id = 0;
  uint16_t kdf = 0, aead = 0;                   // HPKE's numbers (RFC 9180)
  uint16_t key_length = 0, payload_length = 0;  // bytes
};

// The parts of a hello where they lie. Lists are without their own length; those that break their rules and
// that a server may overlook (groups, point formats, signature algorithms) are empty.
struct TlsClientHelloView {
  Fit fit = Fit::No;  // the rest is empty unless Yes
  uint16_t legacy_version = 0;
  Bytes random, session_id;
  Bytes cipher_suites;         // 2 bytes each
  Bytes extensions;            // all of them, for for_each_extension
  Bytes versions;              // supported_versions, 2 bytes each
  Bytes groups;                // supported_groups, 2 bytes each
  Bytes point_formats;         // 1 byte each
  Bytes signature_algorithms;  // 2 bytes each
  Bytes alpn;                  // length, name, length, name ...
  Bytes server_name;           // its first host_name
  bool has_server_name = false;
  bool early_data = false;
  bool pre_shared_key = false;
  EchOffer ech;

  uint16_t highest_version() const noexcept;  // of supported_versions without GREASE, else legacy_version
};

struct TlsClientHello {
  static constexpr size_t kLongest = 16384;    // body; a longer hello is refused, no browser comes near
  static constexpr size_t kMostVersions = 16;  // further ones are not kept
  static constexpr size_t kLongestAlpn = 256;  // bytes of the list; protocols beyond it are not kept

  Fit fit = Fit::No;  // the rest is empty unless Yes
  uint16_t legacy_version = 0;
  std::array<uint16_t, kMostVersions> versions{};  // supported_versions, in the client's order
  uint8_t version_count = 0;
  bool early_data = false;
  bool pre_shared_key = false;  // TLS 1.3: wants to resume
  EchOffer ech;

  std::string_view server_name() const noexcept { return {server_name_bytes.data(), server_name_length}; }
  // The i-th protocol of the ALPN list; nothing past its end.
  std::optional<std::string_view> alpn(size_t i) const noexcept;
  uint16_t highest_version() const noexcept;  // of all that were offered, kept or not

  std::array<char, 255> server_name_bytes{};
  uint8_t server_name_length = 0;
  std::array<uint8_t, kLongestAlpn> alpn_list{};  // as on the wire: length, name, length, name ...
  uint16_t alpn_length = 0;
  uint16_t highest = 0;
};

// Looks at the record and handshake headers only: Yes after 6 bytes that can start a ClientHello.
Fit starts_tls_client_hello(Bytes stream) noexcept;

// Record and handshake headers of a server's first answer, or an alert.
Fit starts_tls_answer(Bytes stream) noexcept;

// A hello's body, taken out of its records; valid as long as stream and storage are.
struct TlsHelloBody {
  Fit fit = Fit::No;  // More: it has not arrived in full
  Bytes body;
};
TlsHelloBody find_tls_client_hello(Bytes stream, TlsHandshakeStorage& storage) noexcept;

// Never More: the body is whole. Also the entry for QUIC, which has no records.
TlsClientHelloView view_tls_client_hello(Bytes body) noexcept;

TlsClientHello keep(const TlsClientHelloView& view) noexcept;

// No: this is no ClientHello a server would take. More: the hello has not arrived in full.
TlsClientHello parse_tls_client_hello(Bytes stream) noexcept;

// Calls visit(type, content) in order; false when a length runs past the end.
template <typename Visit>
bool for_each_extension(Bytes extensions, Visit visit) noexcept {
  ByteReader reader(extensions);
  while (reader.remaining() > 0) {
    const uint16_t type = reader.be16();
    const Bytes content = reader.bytes(reader.be16());
    if (!reader.ok()) return false;
    visit(type, content);
  }
  return true;
}

// Calls visit(value) for each two bytes of a list.
template <typename Visit>
void for_each_number(Bytes list, Visit visit) noexcept {
  for (; list.size() >= 2; list = list.subspan(2)) visit(load_be16(list.data()));
}

// Calls visit(name) for each protocol of an ALPN list.
template <typename Visit>
void for_each_protocol(Bytes list, Visit visit) noexcept {
  ByteReader reader(list);
  while (reader.remaining() > 0) {
    const Bytes name = reader.bytes(reader.u8());
    if (reader.ok()) visit(as_text(name));
  }
}

}  // namespace postern::classify
