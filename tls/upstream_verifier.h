// SPDX-License-Identifier: Apache-2.0
// Judges the certificates that a server shows, by OpenSSL's strict reading of RFC 5280: chain to a trusted
// root, purpose, keys and signatures of today's strength, constraints, dates, revocation by the operator's
// CRLs and the server's stapled OCSP answer, name or address by SAN alone. One per TLS core.
#pragma once

#include <memory>
#include <string>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "tls/certificate_fault.h"
#include "tls/trust_store.h"

struct stack_st_X509;
struct x509_store_st;

namespace postern::tls {

class UpstreamVerifier {
 public:
  // The error says that OpenSSL has no memory. A store of its own: sharing one between threads costs locks.
  static Result<std::unique_ptr<UpstreamVerifier>> make(std::shared_ptr<const TrustStore> trust);
  ~UpstreamVerifier();

  // What one server has shown to whom.
  struct Shown {
    x509_st* leaf = nullptr;
    stack_st_X509* chain = nullptr;  // as it came, may hold the leaf; may be null
    Bytes ocsp;                      // stapled answer, DER; empty: none
    std::string name;  // that the client asked for; empty: the address must be in the certificate
    IpAddress address;
    Timestamp now = 0;
  };
  // All that is wrong, not only what OpenSSL would stop at: whoever tolerates a self-signed certificate has
  // not said that it may be expired.
  CertificateFaults verify(const Shown& shown) noexcept;

 private:
  struct Free {
    void operator()(x509_store_st* store) const noexcept;
  };
  UpstreamVerifier() = default;
  void verify_chain(const Shown& shown, CertificateFaults& faults) noexcept;

  std::shared_ptr<const TrustStore> trust_;
  std::unique_ptr<x509_store_st, Free> store_;
};

}  // namespace postern::tls
