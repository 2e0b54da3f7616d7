// SPDX-License-Identifier: Apache-2.0
#include "control/tls_words.h"

#include <algorithm>
#include <array>

namespace postern::control {
namespace {

template <typename Number>
struct Word {
  Number number;
  std::string_view text;
};

// In ascending order, which the compiler checks below.
constexpr std::array kCiphers = {
    Word<uint16_t>{0x0004, "TLS_RSA_WITH_RC4_128_MD5"},
    Word<uint16_t>{0x0005, "TLS_RSA_WITH_RC4_128_SHA"},
    Word<uint16_t>{0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
    Word<uint16_t>{0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"},
    Word<uint16_t>{0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"},
    Word<uint16_t>{0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"},
    Word<uint16_t>{0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"},
    Word<uint16_t>{0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"},
    Word<uint16_t>{0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"},
    Word<uint16_t>{0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
    Word<uint16_t>{0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"},
    Word<uint16_t>{0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"},
    Word<uint16_t>{0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    Word<uint16_t>{0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
    Word<uint16_t>{0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
    Word<uint16_t>{0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
    Word<uint16_t>{0x00a8, "TLS_PSK_WITH_AES_128_GCM_SHA256"},
    Word<uint16_t>{0x00a9, "TLS_PSK_WITH_AES_256_GCM_SHA384"},
    Word<uint16_t>{0x1301, "TLS_AES_128_GCM_SHA256"},
    Word<uint16_t>{0x1302, "TLS_AES_256_GCM_SHA384"},
    Word<uint16_t>{0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
    Word<uint16_t>{0x1304, "TLS_AES_128_CCM_SHA256"},
    Word<uint16_t>{0x1305, "TLS_AES_128_CCM_8_SHA256"},
    Word<uint16_t>{0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"},
    Word<uint16_t>{0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"},
    Word<uint16_t>{0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
    Word<uint16_t>{0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
    Word<uint16_t>{0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"},
    Word<uint16_t>{0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"},
    Word<uint16_t>{0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
    Word<uint16_t>{0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
    Word<uint16_t>{0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
    Word<uint16_t>{0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
    Word<uint16_t>{0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
    Word<uint16_t>{0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"},
    Word<uint16_t>{0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    Word<uint16_t>{0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    Word<uint16_t>{0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    Word<uint16_t>{0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    Word<uint16_t>{0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"},
    Word<uint16_t>{0xc0ad, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM"},
    Word<uint16_t>{0xc0ae, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"},
    Word<uint16_t>{0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    Word<uint16_t>{0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    Word<uint16_t>{0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
};

constexpr std::array kAlerts = {
    Word<uint8_t>{0, "close_notify"},
    Word<uint8_t>{10, "unexpected_message"},
    Word<uint8_t>{20, "bad_record_mac"},
    Word<uint8_t>{22, "record_overflow"},
    Word<uint8_t>{30, "decompression_failure"},
    Word<uint8_t>{40, "handshake_failure"},
    Word<uint8_t>{41, "no_certificate"},
    Word<uint8_t>{42, "bad_certificate"},
    Word<uint8_t>{43, "unsupported_certificate"},
    Word<uint8_t>{44, "certificate_revoked"},
    Word<uint8_t>{45, "certificate_expired"},
    Word<uint8_t>{46, "certificate_unknown"},
    Word<uint8_t>{47, "illegal_parameter"},
    Word<uint8_t>{48, "unknown_ca"},
    Word<uint8_t>{49, "access_denied"},
    Word<uint8_t>{50, "decode_error"},
    Word<uint8_t>{51, "decrypt_error"},
    Word<uint8_t>{60, "export_restriction"},
    Word<uint8_t>{70, "protocol_version"},
    Word<uint8_t>{71, "insufficient_security"},
    Word<uint8_t>{80, "internal_error"},
    Word<uint8_t>{86, "inappropriate_fallback"},
    Word<uint8_t>{90, "user_canceled"},
    Word<uint8_t>{100, "no_renegotiation"},
    Word<uint8_t>{109, "missing_extension"},
    Word<uint8_t>{110, "unsupported_extension"},
    Word<uint8_t>{111, "certificate_unobtainable"},
    Word<uint8_t>{112, "unrecognized_name"},
    Word<uint8_t>{113, "bad_certificate_status_response"},
    Word<uint8_t>{114, "bad_certificate_hash_value"},
    Word<uint8_t>{115, "unknown_psk_identity"},
    Word<uint8_t>{116, "certificate_required"},
    Word<uint8_t>{120, "no_application_protocol"},
    Word<uint8_t>{121, "ech_required"},
};

constexpr auto before = [](const auto& a, const auto& b) { return a.number < b.number; };
static_assert(std::is_sorted(kCiphers.begin(), kCiphers.end(), before));
static_assert(std::is_sorted(kAlerts.begin(), kAlerts.end(), before));

template <typename Words, typename Number>
std::string_view find(const Words& words, Number number) {
  const auto found = std::lower_bound(words.begin(), words.end(), Word<Number>{number, {}}, before);
  return found != words.end() && found->number == number ? found->text : std::string_view();
}

}  // namespace

std::string_view tls_version_word(uint16_t version) {
  switch (version) {
    case 0x0304:
      return "TLS 1.3";
    case 0x0303:
      return "TLS 1.2";
    case 0x0302:
      return "TLS 1.1";
    case 0x0301:
      return "TLSv1";
    case 0x0300:
      return "SSLv3";
    default:
      return "";
  }
}

std::string_view tls_cipher_word(uint16_t suite) { return find(kCiphers, suite); }

std::string_view tls_alert_word(uint8_t description) { return find(kAlerts, description); }

std::string_view ech_word(classify::Ech kind) {
  switch (kind) {
    case classify::Ech::None:
      return "";
    case classify::Ech::Inner:
      return "inner";
    case classify::Ech::Offer:
      return "offer";
    case classify::Ech::Grease:
      return "grease";
    case classify::Ech::Broken:
      return "broken";
  }
  return "";
}

}  // namespace postern::control
