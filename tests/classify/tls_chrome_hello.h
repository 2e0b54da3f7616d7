// SPDX-License-Identifier: Apache-2.0
// A ClientHello such as Chromium builds: GREASE everywhere, ECH (GREASE in size and look), ML-KEM, permuted
// extensions.
#pragma once

#include "tls_hello_builder.h"

namespace postern::classify {

inline std::string ech_outer(size_t kdf, size_t aead, size_t key_length, size_t payload_length) {
  return extension(0xfe0d, hex("00") + be16(kdf) + be16(aead) + hex("5c") + be16(key_length) +
                               std::string(key_length, 'k') + be16(payload_length) +
                               std::string(payload_length, 'p'));
}

inline std::string chrome_body(const std::string& name) {
  const std::string shares = hex("8a8a 0001 00") + hex("11ec") + be16(1216) + std::string(1216, 'm') +
                             hex("001d 0020") + std::string(32, 'x');
  const std::string extensions =
      extension(0x1a1a, "") + server_name(name) + extension(23, "") + ech_outer(1, 1, 32, 176) +
      extension(10, hex("000a 8a8a 11ec 001d 0017 0018")) + extension(51, be16(shares.size()) + shares) +
      extension(11, hex("01 00")) + extension(35, "") + kAlpnH2Http11 + extension(5, hex("01 0000 0000")) +
      extension(13, hex("0010 0403 0804 0401 0503 0805 0501 0806 0601")) + extension(18, "") +
      extension(45, hex("01 01")) + extension(43, hex("06 4a4a 0304 0303")) + extension(27, hex("02 0002")) +
      extension(0x44cd, hex("0003 02 6832")) + extension(0xff01, hex("00")) + extension(0xfafa, hex("00"));
  const std::string suites =
      hex("0020 3a3a 1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035");
  return hex("0303") + std::string(32, 'r') + hex("20") + std::string(32, 's') + suites + hex("01 00") +
         be16(extensions.size()) + extensions;
}

}  // namespace postern::classify
