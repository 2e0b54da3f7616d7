// SPDX-License-Identifier: Apache-2.0
#include "tests/tls/certificate_maker.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <map>

namespace postern::tls {
namespace {

SharedKey owned(EVP_PKEY* key) {
  if (key == nullptr) std::abort();
  return {key, EVP_PKEY_free};
}

// As a peer reads it, `flip` being added to its last byte.
std::shared_ptr<X509> read_again(const X509* made, unsigned char flip = 0) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(made, &der);
  der[size - 1] ^= flip;
  const unsigned char* at = der;
  X509* read = d2i_X509(nullptr, &at, size);
  OPENSSL_free(der);
  if (read == nullptr) std::abort();
  return {read, X509_free};
}

void add_extension(X509* to, const X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), to, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) std::abort();
  X509_add_ext(to, extension, -1);
  X509_EXTENSION_free(extension);
}

void add_raw(X509* to, const Recipe::Raw& raw) {
  ASN1_OBJECT* oid = OBJ_txt2obj(raw.oid.c_str(), 1);
  ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(value, reinterpret_cast<const unsigned char*>(raw.value.data()),
                        static_cast<int>(raw.value.size()));
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, oid, raw.critical, value);
  X509_add_ext(to, extension, -1);
  X509_EXTENSION_free(extension);
  ASN1_OCTET_STRING_free(value);
  ASN1_OBJECT_free(oid);
}

void add_extensions(X509* to, const Recipe& recipe, const Issued* issuer) {
  const X509* by = issuer == nullptr ? to : issuer->get();
  add_extension(to, by, NID_subject_key_identifier, recipe.subject_key);
  if (issuer != nullptr) add_extension(to, by, NID_authority_key_identifier, recipe.authority_key);
  add_extension(to, by, NID_basic_constraints, recipe.constraints);
  add_extension(to, by, NID_key_usage, recipe.usage);
  add_extension(to, by, NID_ext_key_usage, recipe.purpose);
  add_extension(to, by, NID_subject_alt_name, recipe.names);
  for (const auto& [nid, value] : recipe.more) add_extension(to, by, nid, value);
  for (const Recipe::Raw& raw : recipe.raw) add_raw(to, raw);
}

Issued issue_by(const Recipe& recipe, const Issued* issuer) {
  static long next_serial = 1000;
  Issued made{recipe.key ? recipe.key : curve_key("P-256"), {X509_new(), X509_free}};
  X509* own = made.get();
  ASN1_INTEGER_set(X509_get_serialNumber(own), recipe.serial != 0 ? recipe.serial : next_serial++);
  X509_set_pubkey(own, made.key.get());
  ASN1_TIME_set(X509_getm_notBefore(own), recipe.begins);
  ASN1_TIME_set(X509_getm_notAfter(own), recipe.ends);
  if (!recipe.subject.empty())
    X509_NAME_add_entry_by_txt(X509_get_subject_name(own), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(recipe.subject.data()),
                               static_cast<int>(recipe.subject.size()), -1, 0);
  X509_set_issuer_name(own, X509_get_subject_name(issuer == nullptr ? own : issuer->get()));
  add_extensions(own, recipe, issuer);
  X509_set_version(own, recipe.version);
  EVP_PKEY* signer = issuer == nullptr ? made.key.get() : issuer->key.get();
  if (X509_sign(own, signer, recipe.digest) == 0) std::abort();
  return {made.key, read_again(own)};
}

}  // namespace

SharedKey rsa_key(unsigned bits) {
  static std::map<unsigned, SharedKey> keys;
  SharedKey& key = keys[bits];
  if (!key) key = owned(EVP_RSA_gen(bits));
  return key;
}

SharedKey curve_key(const char* curve) { return owned(EVP_EC_gen(curve)); }

SharedKey key_with_curve_of_its_own() {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY_keygen_init(context);
  EVP_PKEY_CTX_set_group_name(context, "P-256");
  EVP_PKEY_CTX_set_ec_param_enc(context, OPENSSL_EC_EXPLICIT_CURVE);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_generate(context, &key);
  EVP_PKEY_CTX_free(context);
  return owned(key);
}

Recipe authority(std::string name, std::string constraints) {
  return {.subject = std::move(name),
          .names = "",
          .constraints = std::move(constraints),
          .usage = "critical,keyCertSign,cRLSign",
          .purpose = ""};
}

Issued issue(const Recipe& recipe, const Issued& issuer) { return issue_by(recipe, &issuer); }
Issued issue_self_signed(const Recipe& recipe) { return issue_by(recipe, nullptr); }

Issued damaged(const Issued& issued) { return {issued.key, read_again(issued.get(), 1)}; }

std::shared_ptr<X509_CRL> list_revoked(const Issued& issuer, const CrlRecipe& recipe) {
  std::shared_ptr<X509_CRL> list(X509_CRL_new(), X509_CRL_free);
  X509_CRL* own = list.get();
  X509_CRL_set_version(own, 1);
  X509_CRL_set_issuer_name(own, X509_get_subject_name(issuer.get()));
  ASN1_TIME* time = ASN1_TIME_set(nullptr, recipe.begins);
  X509_CRL_set1_lastUpdate(own, time);
  ASN1_TIME_set(time, recipe.ends);
  X509_CRL_set1_nextUpdate(own, time);
  ASN1_TIME_set(time, kNow - kDay);
  for (const X509* revoked : recipe.revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, const_cast<ASN1_INTEGER*>(X509_get0_serialNumber(revoked)));
    X509_REVOKED_set_revocationDate(entry, time);
    X509_CRL_add0_revoked(own, entry);
  }
  ASN1_TIME_free(time);
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer.get(), nullptr, nullptr, own, 0);
  for (const auto& [nid, value] :
       {std::pair(NID_authority_key_identifier, "keyid:always"), std::pair(NID_crl_number, "7")}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
    X509_CRL_add_ext(own, extension, -1);
    X509_EXTENSION_free(extension);
  }
  if (X509_CRL_sign(own, issuer.key.get(), EVP_sha256()) == 0) std::abort();
  return list;
}

std::string staple(const Issued& about, const Issued& issuer, const Issued& signer,
                   const AnswerRecipe& recipe) {
  OCSP_BASICRESP* answers = OCSP_BASICRESP_new();
  OCSP_CERTID* subject = OCSP_cert_to_id(recipe.digest, about.get(), issuer.get());
  ASN1_TIME* made = ASN1_GENERALIZEDTIME_set(nullptr, recipe.begins);
  ASN1_TIME* next = recipe.ends == 0 ? nullptr : ASN1_GENERALIZEDTIME_set(nullptr, recipe.ends);
  ASN1_TIME* revoked = recipe.status == V_OCSP_CERTSTATUS_REVOKED ? made : nullptr;
  OCSP_basic_add1_status(answers, subject, recipe.status, OCSP_REVOKED_STATUS_KEYCOMPROMISE, revoked, made,
                         next);
  if (OCSP_basic_sign(answers, signer.get(), signer.key.get(), EVP_sha256(), nullptr, 0) != 1) std::abort();
  OCSP_RESPONSE* response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, answers);
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response, &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  OCSP_RESPONSE_free(response);
  ASN1_TIME_free(made);
  ASN1_TIME_free(next);
  OCSP_CERTID_free(subject);
  OCSP_BASICRESP_free(answers);
  return text;
}

std::string dns_names_der(const std::vector<std::string>& names) {
  std::string inside;
  for (const std::string& name : names) {
    inside += '\x82';
    inside += static_cast<char>(name.size());
    inside += name;
  }
  return std::string{'\x30', static_cast<char>(inside.size())} + inside;
}

}  // namespace postern::tls
