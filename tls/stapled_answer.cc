// SPDX-License-Identifier: Apache-2.0
#include "tls/stapled_answer.h"

#include <openssl/err.h>

#include "tls/openssl_objects.h"

namespace postern::tls {
namespace {

constexpr time_t kSkew = 300;               // seconds; clocks of responders
constexpr time_t kMostAge = 7 * 24 * 3600;  // of an answer that does not say when the next one comes

OwnedOcspAnswers read_answers(Bytes der) noexcept {
  const unsigned char* at = der.data();
  const OwnedOcspResponse response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  if (response == nullptr || OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return nullptr;
  return OwnedOcspAnswers(OCSP_response_get1_basic(response.get()));
}

// Responders name certificates by the hash of their choice.
bool is_about(const OCSP_SINGLERESP* answer, const X509* leaf, const X509* issuer) noexcept {
  auto* subject = const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(answer));
  ASN1_OBJECT* hash = nullptr;
  if (OCSP_id_get0_info(nullptr, &hash, nullptr, nullptr, subject) != 1) return false;
  const EVP_MD* algorithm = EVP_get_digestbyobj(hash);
  if (algorithm == nullptr) return false;
  const OwnedOcspSubject expected(OCSP_cert_to_id(algorithm, leaf, issuer));
  return expected != nullptr && OCSP_id_cmp(expected.get(), subject) == 0;
}

bool is_current(const ASN1_GENERALIZEDTIME* made, const ASN1_GENERALIZEDTIME* next, time_t now) noexcept {
  constexpr int kUnreadable = -2;
  const int begun = made == nullptr ? kUnreadable : ASN1_TIME_cmp_time_t(made, now + kSkew);
  if (begun == kUnreadable || begun > 0) return false;
  if (next == nullptr) return ASN1_TIME_cmp_time_t(made, now - kMostAge) >= 0;
  return ASN1_TIME_cmp_time_t(next, now - kSkew) >= 0;
}

}  // namespace

CertificateFault judge_stapled_answer(Bytes der, stack_st_X509* chain, x509_store_st* trust,
                                      Timestamp now) noexcept {
  const OwnedOcspAnswers answers = read_answers(der);
  if (answers == nullptr) return CertificateFault::OcspInvalid;
  X509* leaf = sk_X509_value(chain, 0);
  X509* issuer = sk_X509_value(chain, sk_X509_num(chain) > 1 ? 1 : 0);
  if (leaf == nullptr || X509_check_issued(issuer, leaf) != X509_V_OK) return CertificateFault::None;
  if (OCSP_basic_verify(answers.get(), chain, trust, 0) <= 0) return CertificateFault::OcspInvalid;
  for (int i = 0; i < OCSP_resp_count(answers.get()); ++i) {
    OCSP_SINGLERESP* answer = OCSP_resp_get0(answers.get(), i);
    if (!is_about(answer, leaf, issuer)) continue;
    int why = 0;
    ASN1_GENERALIZEDTIME *revoked = nullptr, *made = nullptr, *next = nullptr;
    const int status = OCSP_single_get0_status(answer, &why, &revoked, &made, &next);
    // A revocation does not age.
    if (status == V_OCSP_CERTSTATUS_REVOKED) return CertificateFault::Revoked;
    if (!is_current(made, next, static_cast<time_t>(now / kSecond))) return CertificateFault::OcspStale;
    return status == V_OCSP_CERTSTATUS_GOOD ? CertificateFault::None : CertificateFault::OcspUnknown;
  }
  return CertificateFault::OcspInvalid;
}

}  // namespace postern::tls
