// SPDX-License-Identifier: Apache-2.0
// What a server's leaf says, noted for signatures and the log. Whoever has seen the certificate: a worker, or
// a TLS core.
#pragma once

#include "classify/tls_facts.h"
#include "tls/certificate_facts.h"
#include "tls/digest.h"

namespace postern::dataplane {

inline void note_certificate(classify::TlsFacts& facts, Bytes der, tls::Digests& digests) noexcept {
  const tls::CertificateFacts leaf = tls::read_certificate(der, digests);
  facts.certificate_read = true;
  facts.subject = leaf.subject;
  facts.issuer = leaf.issuer;
  facts.serial = leaf.serial;
  facts.not_before = leaf.not_before;
  facts.not_after = leaf.not_after;
  facts.names = leaf.names;
  facts.sha1 = leaf.sha1;
  facts.sha256 = leaf.sha256;
}

}  // namespace postern::dataplane
