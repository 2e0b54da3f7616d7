// SPDX-License-Identifier: Apache-2.0
#include "tls/signing_ca.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/pem_file.h"

namespace postern::tls {
namespace {

// What a strict client minds: RFC 5280 sections 4.2.1.2, 4.2.1.3 and 4.2.1.9.
const char* missing(X509* certificate) {
  constexpr int kRealCa = 1;
  if (X509_check_ca(certificate) != kRealCa) return "basic constraints with CA:TRUE";
  const bool has_usage = (X509_get_extension_flags(certificate) & EXFLAG_KUSAGE) != 0;
  if (!has_usage || (X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) == 0)
    return "key usage with keyCertSign";
  if (X509_get0_subject_key_id(certificate) == nullptr) return "a subject key identifier";
  if (X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0) return "a subject";
  return nullptr;
}

}  // namespace

void SigningCa::Free::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }
void SigningCa::Free::operator()(x509_st* certificate) const noexcept { X509_free(certificate); }

SigningCa::SigningCa(SigningCa&&) noexcept = default;
SigningCa& SigningCa::operator=(SigningCa&&) noexcept = default;
SigningCa::~SigningCa() = default;

Result<SigningCa> SigningCa::load(const Files& files) {
  Result<Certificates> found = read_certificates(files.certificate);
  if (!found) return found.error();
  if (found->empty())
    return Error{"found no certificate, expected that of a certificate authority in PEM", files.certificate};
  SigningCa ca;
  for (OwnedCertificate& next : *found) ca.certificates_.emplace_back(next.release());
  const char* lacks = missing(ca.certificate());
  ERR_clear_error();
  if (lacks != nullptr)
    return Error{
        std::string("found a certificate that clients take for none of an authority, expected ") + lacks,
        files.certificate};
  Result<OwnedKey> key = read_private_key(files.key, files.passphrase_file);
  if (!key) return key.error();
  ca.key_.reset(key->release());
  const bool fits = X509_check_private_key(ca.certificate(), ca.key()) == 1;
  const bool strong = EVP_PKEY_get_security_bits(ca.key()) >= 112;
  ERR_clear_error();
  if (!fits)
    return Error{"found another key than that of " + files.certificate + ", expected its own", files.key};
  if (!strong)
    return Error{"found a weak key, expected RSA of 2048 bits or a curve of 224 and more", files.key};
  return ca;
}

bool SigningCa::has_key_of(const SigningCa& other) const noexcept {
  const bool same = EVP_PKEY_eq(key(), other.key()) == 1;
  ERR_clear_error();
  return same;
}

std::vector<x509_st*> SigningCa::chain() const {
  std::vector<x509_st*> shown;
  for (const auto& next : certificates_)
    if ((X509_get_extension_flags(next.get()) & EXFLAG_SS) == 0) shown.push_back(next.get());
  return shown;
}

}  // namespace postern::tls
