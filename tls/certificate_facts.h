// SPDX-License-Identifier: Apache-2.0
// What a log says of a certificate (RFC 5280), read from its DER by a reader that allocates nothing and takes
// only the strict form. It verifies nothing: these are claims of whoever sent it. Any thread.
#pragma once

#include <array>

#include "base/text.h"
#include "tls/certificate_name.h"
#include "tls/digest.h"

namespace postern::tls {

struct CertificateFacts {
  static constexpr size_t kLongestDer = 16384;

  bool readable = false;  // false: only the hashes mean something
  NameText subject, issuer;
  FixedText<62> serial;                 // "0A:1B", the integer's own bytes as Suricata shows them
  FixedText<20> not_before, not_after;  // "2026-01-31T00:00:00", UTC; compare as text
  FixedText<112> names;     // DNS names of subjectAltName, a comma between them, cut at a whole name
  uint16_t name_count = 0;  // of DNS names, shown or not
  std::array<uint8_t, 20> sha1{};
  std::array<uint8_t, 32> sha256{};
};

CertificateFacts read_certificate(Bytes der, Digests& digests) noexcept;

}  // namespace postern::tls
