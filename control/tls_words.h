// SPDX-License-Identifier: Apache-2.0
// The words that logs use for numbers of TLS; empty for a number without one. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "classify/tls_client_hello.h"

namespace postern::control {

std::string_view tls_version_word(uint16_t version);   // as Suricata writes it: "TLS 1.3", but "TLSv1"
std::string_view tls_cipher_word(uint16_t suite);      // IANA's name, of the suites that are met in practice
std::string_view tls_alert_word(uint8_t description);  // RFC 8446 section 6
std::string_view ech_word(classify::Ech kind);

}  // namespace postern::control
