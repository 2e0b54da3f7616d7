// SPDX-License-Identifier: Apache-2.0
// The registered numbers of TLS that more than one reader needs, and GREASE (RFC 8701). Any thread.
#pragma once

#include <cstdint>

namespace postern::classify::tls_number {

inline constexpr uint8_t kChangeCipherSpec = 20, kAlert = 21, kHandshake = 22, kApplicationData = 23;
inline constexpr uint8_t kClientHello = 1, kServerHello = 2, kNewSessionTicket = 4, kCertificate = 11,
                         kServerKeyExchange = 12, kCertificateRequest = 13, kServerHelloDone = 14,
                         kCertificateStatus = 22;
inline constexpr uint16_t kServerName = 0, kSupportedGroups = 10, kPointFormats = 11,
                          kSignatureAlgorithms = 13, kAlpn = 16, kPreSharedKey = 41, kEarlyData = 42,
                          kSupportedVersions = 43, kKeyShare = 51, kEncryptedClientHello = 0xfe0d;
inline constexpr uint16_t kTls12 = 0x0303, kTls13 = 0x0304;

// Values 0x0a0a, 0x1a1a ... 0xfafa mean nothing; clients strew them in at random, so fingerprints skip them.
constexpr bool is_grease(uint16_t value) noexcept {
  return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

}  // namespace postern::classify::tls_number
