// SPDX-License-Identifier: Apache-2.0
// Owners of OpenSSL's objects, for the files of tls alone.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace postern::tls {

template <auto Release>
struct ReleaseWith {
  template <typename T>
  void operator()(T* object) const noexcept {
    Release(object);
  }
};

using OwnedKey = std::unique_ptr<EVP_PKEY, ReleaseWith<EVP_PKEY_free>>;
using OwnedCertificate = std::unique_ptr<X509, ReleaseWith<X509_free>>;
using OwnedBytes = std::unique_ptr<BIO, ReleaseWith<BIO_free>>;

}  // namespace postern::tls
