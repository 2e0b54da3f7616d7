// SPDX-License-Identifier: Apache-2.0
// What a stapled OCSP answer (RFC 6960, RFC 6066 section 8) says about a server's certificate. One TLS core.
#pragma once

#include "base/bytes.h"
#include "base/time.h"
#include "tls/certificate_fault.h"

struct stack_st_X509;
struct x509_store_st;

namespace postern::tls {

// `chain`: as it was verified, the server's own first. None: the certificate is good, or its issuer is not
// there to ask, which is a fault of its own.
CertificateFault judge_stapled_answer(Bytes der, stack_st_X509* chain, x509_store_st* trust,
                                      Timestamp now) noexcept;

}  // namespace postern::tls
