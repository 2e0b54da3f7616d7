// SPDX-License-Identifier: Apache-2.0
// A certificate authority of the site: its certificate, the chain above it and its private key. Immutable;
// read by the control thread, used by any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct evp_pkey_st;
struct x509_st;

namespace postern::tls {

class SigningCa {
 public:
  struct Files {
    std::string certificate;      // PEM, its own first, then the chain above it
    std::string key;              // PEM, readable by its owner alone
    std::string passphrase_file;  // of an encrypted key, readable by its owner alone; empty: not encrypted
  };
  // The error names the file and what was expected of it.
  static Result<SigningCa> load(const Files& files);
  SigningCa(SigningCa&&) noexcept;
  SigningCa& operator=(SigningCa&&) noexcept;
  ~SigningCa();

  x509_st* certificate() const noexcept { return certificates_.front().get(); }
  evp_pkey_st* key() const noexcept { return key_.get(); }
  bool has_key_of(const SigningCa& other) const noexcept;
  // What clients must be shown besides a leaf: intermediates, not the root that they have.
  std::vector<x509_st*> chain() const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const noexcept;
    void operator()(x509_st* certificate) const noexcept;
  };
  SigningCa() = default;

  std::vector<std::unique_ptr<x509_st, Free>> certificates_;
  std::unique_ptr<evp_pkey_st, Free> key_;
};

}  // namespace postern::tls
