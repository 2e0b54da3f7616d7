// SPDX-License-Identifier: Apache-2.0
// Whom the operator trusts to vouch for servers, and the lists of what they have revoked. Immutable; read by
// the control thread, used by any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct x509_st;
struct X509_crl_st;

namespace postern::tls {

// What Debian's ca-certificates trusts. Its folder holds more, a machine's own snake oil for one.
inline constexpr const char* kSystemTrust = "/etc/ssl/certs/ca-certificates.crt";

class TrustStore {
 public:
  struct Files {
    std::string certificates = kSystemTrust;  // PEM, or a folder of such files
    std::vector<std::string> crls;            // PEM or DER
  };
  // The error names the file and what was expected of it. A certificate that is there twice counts once.
  static Result<TrustStore> load(const Files& files);
  TrustStore(TrustStore&&) noexcept;
  TrustStore& operator=(TrustStore&&) noexcept;
  ~TrustStore();

  size_t certificates() const noexcept { return certificates_.size(); }
  x509_st* certificate(size_t i) const noexcept { return certificates_[i].get(); }
  size_t crls() const noexcept { return crls_.size(); }
  X509_crl_st* crl(size_t i) const noexcept { return crls_[i].get(); }

 private:
  struct Free {
    void operator()(x509_st* certificate) const noexcept;
    void operator()(X509_crl_st* crl) const noexcept;
  };
  TrustStore() = default;
  Status read_certificates(const std::string& path);
  Status read_file(const std::string& file);
  Status read_crls(const std::string& file);

  std::vector<std::unique_ptr<x509_st, Free>> certificates_;
  std::vector<std::unique_ptr<X509_crl_st, Free>> crls_;
};

}  // namespace postern::tls
