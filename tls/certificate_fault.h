// SPDX-License-Identifier: Apache-2.0
// What is wrong with the certificates that a server shows, one word per cause, and the set of all that is
// wrong with one server. An operator answers each cause differently (FaultActions), and the log names the one
// that decided. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::tls {

enum class CertificateFault : uint8_t {
  None,
  NoCertificate,     // nothing shown
  Malformed,         // against RFC 5280, or names that hide something (NUL bytes)
  SelfSigned,        // shown alone, vouches for itself
  UntrustedRoot,     // the shown chain ends in a root that is not trusted
  IncompleteChain,   // an issuer is neither shown nor trusted
  BadSignature,      // not made by the issuer's key
  Expired,           // any certificate of the chain
  NotYetValid,       // any certificate of the chain
  WrongName,         // neither the name nor the address that the client asked for is among the SANs
  WeakKey,           // RSA below 2048 bits, curves below 224, curves of one's own
  WeakSignature,     // SHA-1, MD5 and weaker
  WrongPurpose,      // key usage or extended key usage not that of a TLS server
  BadCa,             // an issuer that may not issue
  PathLength,        // more intermediates than an issuer allows
  ChainTooLong,      // more certificates than we follow
  NameConstraints,   // a name that an issuer may not vouch for
  UnknownExtension,  // critical, and not understood
  Revoked,           // by CRL or stapled OCSP
  CrlStale,          // a CRL of the operator for this issuer is out of date
  CrlInvalid,        // a CRL of the operator for this issuer cannot be used
  OcspStale,         // stapled answer out of date
  OcspInvalid,       // stapled answer unreadable, badly signed, or about another certificate
  OcspUnknown,       // stapled answer: the responder does not know the certificate
  OcspMissing,       // the certificate promises a stapled answer (RFC 7633), none came
  Unverifiable,      // anything else, memory that ran out included
  Count,
};
inline constexpr size_t kCertificateFaults = static_cast<size_t>(CertificateFault::Count);

std::string_view certificate_fault_name(CertificateFault fault) noexcept;  // empty for None

class CertificateFaults {
 public:
  void add(CertificateFault fault) noexcept {
    if (none()) first_ = fault;
    bits_ |= bit(fault);
  }
  bool none() const noexcept { return bits_ == 0; }
  bool has(CertificateFault fault) const noexcept { return (bits_ & bit(fault)) != 0; }
  CertificateFault first() const noexcept { return first_; }  // where a verification would have stopped

 private:
  static uint32_t bit(CertificateFault fault) noexcept { return uint32_t{1} << static_cast<unsigned>(fault); }

  CertificateFault first_{};
  uint32_t bits_ = 0;
};
static_assert(kCertificateFaults <= 32);

// By X509_V_ERR_..., OpenSSL's number for it.
CertificateFault fault_of_verification(int error) noexcept;

}  // namespace postern::tls
