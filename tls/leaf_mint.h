// SPDX-License-Identifier: Apache-2.0
// Makes the certificates that clients of a forward proxy see: what the server's own says about it, vouched
// for by the site, for a key of ours on P-256. A minted leaf never says more than the original: no name, no
// day and no purpose more. The key is made anew with every mint and stays in memory. One TLS core.
#pragma once

#include <memory>

#include "base/result.h"
#include "tls/signing_ca.h"

struct evp_pkey_st;
struct x509_st;

namespace postern::tls {

class LeafMint {
 public:
  // The error says what OpenSSL lacks.
  static Result<LeafMint> make();
  LeafMint(LeafMint&&) noexcept;
  LeafMint& operator=(LeafMint&&) noexcept;
  ~LeafMint();

  struct Free {
    void operator()(evp_pkey_st* key) const noexcept;
    void operator()(x509_st* certificate) const noexcept;
  };
  using Certificate = std::unique_ptr<x509_st, Free>;
  // nullptr: the original hides something in its names, cannot be read, or was never valid while the CA is.
  Certificate mint(x509_st* original, const SigningCa& ca) const noexcept;
  evp_pkey_st* key() const noexcept { return key_.get(); }

 private:
  LeafMint() = default;

  std::unique_ptr<evp_pkey_st, Free> key_;
};

}  // namespace postern::tls
