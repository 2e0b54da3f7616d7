// SPDX-License-Identifier: Apache-2.0
#include "tls/leaf_mint.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include <array>
#include <string_view>

#include "tls/openssl_objects.h"
#include "tls/plain_names.h"

namespace postern::tls {
namespace {

// 159 bits by chance: positive, in 20 bytes (RFC 5280 section 4.1.2.2), and nobody's guess.
bool set_serial(X509* leaf) noexcept {
  std::array<uint8_t, 20> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes[0] &= 0x7f;
  BIGNUM* number = BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr);
  const bool ok = number != nullptr && !BN_is_zero(number) &&
                  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(leaf)) != nullptr;
  BN_free(number);
  return ok;
}

// -1 before, 1 after or the same; 0: one is no time.
int order(const ASN1_TIME* a, const ASN1_TIME* b) noexcept {
  constexpr int kNoTime = -2;
  const int order = ASN1_TIME_compare(a, b);
  if (order == kNoTime) return 0;
  return order < 0 ? -1 : 1;
}

// The days that the original and the CA have in common.
bool set_validity(X509* leaf, const X509* original, const X509* ca) noexcept {
  const ASN1_TIME *begin = X509_get0_notBefore(original), *end = X509_get0_notAfter(original);
  const ASN1_TIME *ca_begin = X509_get0_notBefore(ca), *ca_end = X509_get0_notAfter(ca);
  const int begins = order(begin, ca_begin), ends = order(end, ca_end);
  if (begins == 0 || ends == 0) return false;
  if (begins < 0) begin = ca_begin;
  if (ends > 0) end = ca_end;
  return order(begin, end) < 0 && X509_set1_notBefore(leaf, begin) == 1 && X509_set1_notAfter(leaf, end) == 1;
}

bool add(X509* leaf, int nid, const char* words, X509* issuer) noexcept {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, leaf, nullptr, nullptr, 0);
  const OwnedExtension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, words));
  return extension != nullptr && X509_add_ext(leaf, extension.get(), -1) == 1;
}

// Byte for byte. An extension that is there twice is not one that can be copied.
bool copy(X509* leaf, const X509* original, int nid) noexcept {
  const int at = X509_get_ext_by_NID(original, nid, -1);
  if (at < 0) return true;
  if (X509_get_ext_by_NID(original, nid, at) >= 0) return false;
  return X509_add_ext(leaf, X509_get_ext(original, at), -1) == 1;
}

// The original's key may have been for RSA's own key exchange, ours signs. What was for neither stays so.
bool add_usage(X509* leaf, X509* original, X509* issuer) noexcept {
  const uint32_t usage = X509_get_key_usage(original);  // all bits where nothing is said
  constexpr uint32_t kForServers = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT;
  if ((usage & kForServers) == 0) return copy(leaf, original, NID_key_usage);
  return add(leaf, NID_key_usage, "critical,digitalSignature", issuer);
}

bool add_purpose(X509* leaf, const X509* original, X509* issuer) noexcept {
  if (X509_get_ext_by_NID(original, NID_ext_key_usage, -1) < 0)
    return add(leaf, NID_ext_key_usage, "serverAuth", issuer);
  return copy(leaf, original, NID_ext_key_usage);
}

// Nothing of the original's issuer: neither pointers to its lists and responders nor its policies.
bool add_extensions(X509* leaf, X509* original, X509* issuer) noexcept {
  return add(leaf, NID_basic_constraints, "critical,CA:FALSE", issuer) && add_usage(leaf, original, issuer) &&
         add_purpose(leaf, original, issuer) && copy(leaf, original, NID_subject_alt_name) &&
         add(leaf, NID_subject_key_identifier, "hash", issuer) &&
         add(leaf, NID_authority_key_identifier, "keyid:always", issuer);
}

const EVP_MD* digest_for(EVP_PKEY* key) noexcept {
  char name[32] = "";
  const int is = EVP_PKEY_get_default_digest_name(key, name, sizeof name);
  constexpr int kMandatory = 2;
  if (is == kMandatory && std::string_view(name) == "UNDEF") return nullptr;  // Ed25519 hashes by itself
  return EVP_PKEY_get_security_bits(key) > 128 ? EVP_sha384() : EVP_sha256();
}

bool is_readable(X509* original) noexcept {
  return (X509_get_extension_flags(original) & EXFLAG_INVALID) == 0 && has_plain_names(original);
}

}  // namespace

void LeafMint::Free::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }
void LeafMint::Free::operator()(x509_st* certificate) const noexcept { X509_free(certificate); }

LeafMint::LeafMint(LeafMint&&) noexcept = default;
LeafMint& LeafMint::operator=(LeafMint&&) noexcept = default;
LeafMint::~LeafMint() = default;

Result<LeafMint> LeafMint::make() {
  LeafMint mint;
  mint.key_.reset(EVP_EC_gen("P-256"));
  ERR_clear_error();
  if (mint.key_ == nullptr) return Error{"OpenSSL makes no key on P-256"};
  return mint;
}

LeafMint::Certificate LeafMint::mint(x509_st* original, const SigningCa& ca) const noexcept {
  constexpr long kVersion3 = 2;
  X509* issuer = ca.certificate();
  Certificate minted(X509_new());
  X509* leaf = minted.get();
  const bool ok = leaf != nullptr && is_readable(original) && X509_set_version(leaf, kVersion3) == 1 &&
                  set_serial(leaf) && set_validity(leaf, original, issuer) &&
                  X509_set_subject_name(leaf, X509_get_subject_name(original)) == 1 &&
                  X509_set_issuer_name(leaf, X509_get_subject_name(issuer)) == 1 &&
                  X509_set_pubkey(leaf, key()) == 1 && add_extensions(leaf, original, issuer) &&
                  X509_sign(leaf, ca.key(), digest_for(ca.key())) > 0;
  ERR_clear_error();
  return ok ? std::move(minted) : nullptr;
}

}  // namespace postern::tls
