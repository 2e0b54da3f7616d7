// SPDX-License-Identifier: Apache-2.0
// Certificates, revocation lists and OCSP answers made to order, good ones unless the recipe says otherwise.
// All are judged at kNow.
#pragma once

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace postern::tls {

inline constexpr int64_t kNow = 1'780'315'200;  // 2026-06-01, noon, in seconds
inline constexpr int64_t kDay = 86'400;

using SharedKey = std::shared_ptr<EVP_PKEY>;
SharedKey rsa_key(unsigned bits);        // one per size in a run: they are slow to make
SharedKey curve_key(const char* curve);  // a new one
SharedKey key_with_curve_of_its_own();   // explicit parameters

struct Recipe {
  std::string subject = "bmc.lab";  // common name; empty: no name at all
  std::string names = "DNS:bmc.lab";
  std::string constraints = "critical,CA:FALSE";
  std::string usage = "critical,digitalSignature,keyEncipherment";
  std::string purpose = "serverAuth";
  std::string subject_key = "hash", authority_key = "keyid:always";
  std::vector<std::pair<int, std::string>> more;  // in words of OpenSSL's configuration
  struct Raw {
    std::string oid;
    int critical = 0;
    std::string value;
  };
  std::vector<Raw> raw;
  int64_t begins = kNow - 30 * kDay, ends = kNow + 300 * kDay;
  const EVP_MD* digest = EVP_sha256();
  SharedKey key;  // null: a new one on P-256
  long version = 2;
  long serial = 0;  // 0: the next one
};
Recipe authority(std::string name, std::string constraints = "critical,CA:TRUE");

struct Issued {
  SharedKey key;
  std::shared_ptr<X509> certificate;

  X509* get() const { return certificate.get(); }
};
Issued issue(const Recipe& recipe, const Issued& issuer);
Issued issue_self_signed(const Recipe& recipe);
Issued damaged(const Issued& issued);  // last byte of the signature

struct CrlRecipe {
  std::vector<const X509*> revoked;
  int64_t begins = kNow - kDay, ends = kNow + kDay;
};
std::shared_ptr<X509_CRL> list_revoked(const Issued& issuer, const CrlRecipe& recipe);

struct AnswerRecipe {
  int status = V_OCSP_CERTSTATUS_GOOD;
  int64_t begins = kNow - kDay, ends = kNow + kDay;
  const EVP_MD* digest = EVP_sha1();
};
// DER, about `about`, which `issuer` has issued, signed by `signer`.
std::string staple(const Issued& about, const Issued& issuer, const Issued& signer,
                   const AnswerRecipe& recipe);

std::string dns_names_der(const std::vector<std::string>& names);  // of bytes that no configuration can say

}  // namespace postern::tls
