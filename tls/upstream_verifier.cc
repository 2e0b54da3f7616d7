// SPDX-License-Identifier: Apache-2.0
#include "tls/upstream_verifier.h"

#include <openssl/err.h>

#include "tls/openssl_objects.h"
#include "tls/plain_names.h"
#include "tls/stapled_answer.h"

namespace postern::tls {
namespace {

constexpr int kAuthLevel = 2;      // 112 bits: RSA 2048, SHA-224
constexpr int kMostIssuers = 8;    // between leaf and root
constexpr int kMostShown = 32;     // certificates a server may send to choose from
constexpr int kStapleFeature = 5;  // status_request, RFC 7633 section 4.1

bool has_crl_of_issuer(X509_STORE_CTX* verification) noexcept {
  const X509* current = X509_STORE_CTX_get_current_cert(verification);
  if (current == nullptr) return true;
  STACK_OF(X509_CRL)* crls = X509_STORE_CTX_get1_crls(verification, X509_get_issuer_name(current));
  const bool any = sk_X509_CRL_num(crls) > 0;
  sk_X509_CRL_pop_free(crls, X509_CRL_free);
  return any;
}

CertificateFault current_fault(X509_STORE_CTX* verification) noexcept {
  const int error = X509_STORE_CTX_get_error(verification);
  X509* current = X509_STORE_CTX_get_current_cert(verification);
  // OpenSSL has no number of its own for extensions that it cannot read.
  if (error == X509_V_ERR_UNSPECIFIED && current != nullptr &&
      (X509_get_extension_flags(current) & EXFLAG_INVALID) != 0)
    return CertificateFault::Malformed;
  return fault_of_verification(error);
}

// Goes on after a fault when there is a list to note it in: OCSP verifies without, and stops.
int note(int good, X509_STORE_CTX* verification) noexcept {
  if (good == 1) return 1;
  // Operators have lists of their own CAs, not of every public one.
  if (X509_STORE_CTX_get_error(verification) == X509_V_ERR_UNABLE_TO_GET_CRL &&
      !has_crl_of_issuer(verification)) {
    X509_STORE_CTX_set_error(verification, X509_V_OK);
    return 1;
  }
  auto* faults = static_cast<CertificateFaults*>(X509_STORE_CTX_get_app_data(verification));
  if (faults == nullptr) return 0;
  faults->add(current_fault(verification));
  // Or OpenSSL reports this one again where it would have reported that nobody trusts the root.
  X509_STORE_CTX_set_error(verification, X509_V_OK);
  return 1;
}

bool expect_name(X509_VERIFY_PARAM* how, const UpstreamVerifier::Shown& shown) noexcept {
  const std::optional<IpAddress> literal = IpAddress::parse(shown.name);
  if (!shown.name.empty() && !literal)
    return X509_VERIFY_PARAM_set1_host(how, shown.name.data(), shown.name.size()) == 1;
  const IpAddress& address = literal ? *literal : shown.address;
  const Bytes bytes = address.is_v4() ? Bytes(address.bytes).subspan(12) : Bytes(address.bytes);
  return X509_VERIFY_PARAM_set1_ip(how, bytes.data(), bytes.size()) == 1;
}

// Null: no memory. Notes what it finds in `faults`, which outlive it.
OwnedVerification prepare(X509_STORE* store, const UpstreamVerifier::Shown& shown,
                          CertificateFaults& faults) noexcept {
  OwnedVerification verification(X509_STORE_CTX_new());
  X509_STORE_CTX* context = verification.get();
  if (context == nullptr || X509_STORE_CTX_init(context, store, shown.leaf, shown.chain) != 1) return nullptr;
  X509_VERIFY_PARAM* how = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(how,
                                  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool ready = X509_VERIFY_PARAM_set_purpose(how, X509_PURPOSE_SSL_SERVER) == 1 &&
                     X509_VERIFY_PARAM_set_trust(how, X509_TRUST_SSL_SERVER) == 1 &&
                     expect_name(how, shown) && X509_STORE_CTX_set_app_data(context, &faults) == 1;
  return ready ? std::move(verification) : nullptr;
}

bool is_well_formed(X509* leaf) noexcept {
  return (X509_get_extension_flags(leaf) & EXFLAG_INVALID) == 0 && has_plain_names(leaf);
}

bool promises_staple(const X509* leaf) noexcept {
  auto* features = static_cast<TLS_FEATURE*>(X509_get_ext_d2i(leaf, NID_tlsfeature, nullptr, nullptr));
  bool promised = false;
  for (int i = 0; i < sk_ASN1_INTEGER_num(features); ++i)
    promised = promised || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == kStapleFeature;
  TLS_FEATURE_free(features);
  return promised;
}

}  // namespace

void UpstreamVerifier::Free::operator()(x509_store_st* store) const noexcept { X509_STORE_free(store); }

UpstreamVerifier::~UpstreamVerifier() = default;

Result<std::unique_ptr<UpstreamVerifier>> UpstreamVerifier::make(std::shared_ptr<const TrustStore> trust) {
  std::unique_ptr<UpstreamVerifier> verifier(new UpstreamVerifier);
  verifier->store_.reset(X509_STORE_new());
  X509_STORE* store = verifier->store_.get();
  bool ok = store != nullptr;
  for (size_t i = 0; ok && i < trust->certificates(); ++i)
    ok = X509_STORE_add_cert(store, trust->certificate(i)) == 1;
  for (size_t i = 0; ok && i < trust->crls(); ++i) ok = X509_STORE_add_crl(store, trust->crl(i)) == 1;
  ERR_clear_error();
  if (!ok) return Error{"OpenSSL has no memory for the trust store"};
  X509_VERIFY_PARAM* how = X509_STORE_get0_param(store);
  X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_X509_STRICT | X509_V_FLAG_TRUSTED_FIRST);
  if (trust->crls() > 0) X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  X509_VERIFY_PARAM_set_auth_level(how, kAuthLevel);
  X509_VERIFY_PARAM_set_depth(how, kMostIssuers);
  X509_STORE_set_verify_cb(store, note);
  verifier->trust_ = std::move(trust);
  return verifier;
}

CertificateFaults UpstreamVerifier::verify(const Shown& shown) noexcept {
  CertificateFaults faults;
  if (shown.leaf == nullptr) {
    faults.add(CertificateFault::NoCertificate);
  } else if (sk_X509_num(shown.chain) > kMostShown) {
    faults.add(CertificateFault::ChainTooLong);
  } else {
    if (!is_well_formed(shown.leaf)) faults.add(CertificateFault::Malformed);
    // No host is called so; OpenSSL would take any host of the domain.
    if (shown.name.starts_with('.')) faults.add(CertificateFault::WrongName);
    verify_chain(shown, faults);
  }
  ERR_clear_error();
  return faults;
}

void UpstreamVerifier::verify_chain(const Shown& shown, CertificateFaults& faults) noexcept {
  // Of the store, so that the signers of OCSP answers are judged by the same clock.
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store_.get()), static_cast<time_t>(shown.now / kSecond));
  const OwnedVerification verification = prepare(store_.get(), shown, faults);
  // Stopped in spite of `note`: what was noted may not be all.
  if (verification == nullptr || X509_verify_cert(verification.get()) != 1)
    faults.add(CertificateFault::Unverifiable);
  if (verification == nullptr) return;
  if (shown.ocsp.empty()) {
    if (promises_staple(shown.leaf)) faults.add(CertificateFault::OcspMissing);
    return;
  }
  const CertificateFault told = judge_stapled_answer(
      shown.ocsp, X509_STORE_CTX_get0_chain(verification.get()), store_.get(), shown.now);
  if (told != CertificateFault::None) faults.add(told);
}

}  // namespace postern::tls
