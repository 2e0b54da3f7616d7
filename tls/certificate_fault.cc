// SPDX-License-Identifier: Apache-2.0
#include "tls/certificate_fault.h"

#include <openssl/x509_vfy.h>

#include <array>

namespace postern::tls {

std::string_view certificate_fault_name(CertificateFault fault) noexcept {
  constexpr std::array<std::string_view, kCertificateFaults> kNames = {"",
                                                                       "no_certificate",
                                                                       "malformed",
                                                                       "self_signed",
                                                                       "untrusted_root",
                                                                       "incomplete_chain",
                                                                       "bad_signature",
                                                                       "expired",
                                                                       "not_yet_valid",
                                                                       "wrong_name",
                                                                       "weak_key",
                                                                       "weak_signature",
                                                                       "wrong_purpose",
                                                                       "bad_ca",
                                                                       "path_length",
                                                                       "chain_too_long",
                                                                       "name_constraints",
                                                                       "unknown_extension",
                                                                       "revoked",
                                                                       "crl_stale",
                                                                       "crl_invalid",
                                                                       "ocsp_stale",
                                                                       "ocsp_invalid",
                                                                       "ocsp_unknown",
                                                                       "ocsp_missing",
                                                                       "unverifiable"};
  static_assert(!kNames.back().empty(), "one name per fault");
  return kNames[static_cast<size_t>(fault)];
}

CertificateFault fault_of_verification(int error) noexcept {
  switch (error) {
    case X509_V_OK:
      return CertificateFault::None;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return CertificateFault::SelfSigned;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
      return CertificateFault::UntrustedRoot;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return CertificateFault::IncompleteChain;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH:
    case X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY:
    case X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM:
      return CertificateFault::BadSignature;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return CertificateFault::Expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return CertificateFault::NotYetValid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return CertificateFault::WrongName;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:  // curves of the attacker's choice: CVE-2020-0601
      return CertificateFault::WeakKey;
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return CertificateFault::WeakSignature;
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE:
      return CertificateFault::WrongPurpose;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_INVALID_NON_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
    case X509_V_ERR_CA_BCONS_NOT_CRITICAL:
    case X509_V_ERR_CA_CERT_MISSING_KEY_USAGE:
    case X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN:
    case X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED:
      return CertificateFault::BadCa;
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
      return CertificateFault::PathLength;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_PATH_LOOP:
      return CertificateFault::ChainTooLong;
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
      return CertificateFault::NameConstraints;
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
      return CertificateFault::UnknownExtension;
    case X509_V_ERR_CERT_REVOKED:
      return CertificateFault::Revoked;
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
      return CertificateFault::CrlStale;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
      return CertificateFault::CrlInvalid;
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
    case X509_V_ERR_NO_ISSUER_PUBLIC_KEY:
    case X509_V_ERR_INVALID_EXTENSION:
    case X509_V_ERR_UNSUPPORTED_EXTENSION_FEATURE:
    case X509_V_ERR_SUBJECT_ISSUER_MISMATCH:
    case X509_V_ERR_AKID_SKID_MISMATCH:
    case X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
    case X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA:
    case X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA:
    case X509_V_ERR_ISSUER_NAME_EMPTY:
    case X509_V_ERR_SUBJECT_NAME_EMPTY:
    case X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER:
    case X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER:
    case X509_V_ERR_EMPTY_SUBJECT_ALT_NAME:
    case X509_V_ERR_EMPTY_SUBJECT_SAN_NOT_CRITICAL:
    case X509_V_ERR_AUTHORITY_KEY_IDENTIFIER_CRITICAL:
    case X509_V_ERR_SUBJECT_KEY_IDENTIFIER_CRITICAL:
    case X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3:
      return CertificateFault::Malformed;
    default:
      return CertificateFault::Unverifiable;
  }
}

}  // namespace postern::tls
