// SPDX-License-Identifier: Apache-2.0
// The texts that JA3, JA3S (salesforce/ja3) and JA4 (FoxIO, technical_details/JA4.md) are hashes of, without
// GREASE. Hashing is tls/digest.h's; whoever has both joins them. A hello whose text does not fit its buffer
// has no fingerprint: `whole` is false. Large: one per worker. Any thread.
#pragma once

#include <array>

#include "base/text.h"
#include "classify/tls_client_hello.h"
#include "classify/tls_server_flight.h"

namespace postern::classify {

using FingerprintText = FixedText<4096>;

// "771,4865-4866,0-10-11,29-23,0"; JA3 is its MD5.
struct Ja3Text {
  bool whole = false;
  FingerprintText text;
};
Ja3Text ja3_text(const TlsClientHelloView& hello) noexcept;

// "771,49199,65281-11"; JA3S is its MD5. Needs a hello in the flight.
Ja3Text ja3s_text(const TlsServerFlight& flight) noexcept;

enum class Transport : uint8_t { Tcp, Quic };

// JA4 is head_X_Y with the first 6 bytes of each text's SHA-256 in hex, or zeros where it is empty.
struct Ja4Texts {
  bool whole = false;
  FixedText<10> head;          // "t13d1516h2"
  FingerprintText ciphers;     // "002f,0035", ascending
  FingerprintText extensions;  // ascending, then '_' and the signature algorithms as sent
};
Ja4Texts ja4_texts(const TlsClientHelloView& hello, Transport transport) noexcept;

using Ja4 = FixedText<36>;
using Sha256 = std::array<uint8_t, 32>;
Ja4 join_ja4(const Ja4Texts& texts, const Sha256& ciphers, const Sha256& extensions) noexcept;

// "13", "12", "s3"; "00" for what JA4 has no name for.
std::string_view ja4_version(uint16_t version) noexcept;

}  // namespace postern::classify
