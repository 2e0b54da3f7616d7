// SPDX-License-Identifier: Apache-2.0
// Owners of OpenSSL's objects, for the files of tls alone.
#pragma once

#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace postern::tls {

template <auto Release>
struct ReleaseWith {
  template <typename T>
  void operator()(T* object) const noexcept {
    Release(object);
  }
};
struct ReleaseAllocated {
  void operator()(void* memory) const noexcept { OPENSSL_free(memory); }
};

using OwnedKey = std::unique_ptr<EVP_PKEY, ReleaseWith<EVP_PKEY_free>>;
using OwnedCertificate = std::unique_ptr<X509, ReleaseWith<X509_free>>;
using OwnedCrl = std::unique_ptr<X509_CRL, ReleaseWith<X509_CRL_free>>;
using OwnedExtension = std::unique_ptr<X509_EXTENSION, ReleaseWith<X509_EXTENSION_free>>;
using OwnedNames = std::unique_ptr<GENERAL_NAMES, ReleaseWith<GENERAL_NAMES_free>>;
using OwnedStore = std::unique_ptr<X509_STORE, ReleaseWith<X509_STORE_free>>;
using OwnedVerification = std::unique_ptr<X509_STORE_CTX, ReleaseWith<X509_STORE_CTX_free>>;
using OwnedOcspResponse = std::unique_ptr<OCSP_RESPONSE, ReleaseWith<OCSP_RESPONSE_free>>;
using OwnedOcspAnswers = std::unique_ptr<OCSP_BASICRESP, ReleaseWith<OCSP_BASICRESP_free>>;
using OwnedOcspSubject = std::unique_ptr<OCSP_CERTID, ReleaseWith<OCSP_CERTID_free>>;
using OwnedText = std::unique_ptr<unsigned char, ReleaseAllocated>;
using OwnedBytes = std::unique_ptr<BIO, ReleaseWith<BIO_free>>;

}  // namespace postern::tls
