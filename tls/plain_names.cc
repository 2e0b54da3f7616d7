// SPDX-License-Identifier: Apache-2.0
#include "tls/plain_names.h"

#include <openssl/err.h>

#include <algorithm>

#include "tls/openssl_objects.h"

namespace postern::tls {
namespace {

bool is_plain(const GENERAL_NAME* name) noexcept {
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(name, &type);
  if (type != GEN_DNS && type != GEN_EMAIL && type != GEN_URI) return true;
  const auto* text = static_cast<const ASN1_STRING*>(value);
  const unsigned char* bytes = ASN1_STRING_get0_data(text);
  // IA5 without blanks: names with other letters are written in ASCII (RFC 5280 section 7).
  return std::all_of(bytes, bytes + ASN1_STRING_length(text),
                     [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

bool is_plain(const X509_NAME_ENTRY* entry) noexcept {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
  const OwnedText owned(text);
  if (size < 0) return false;
  return std::all_of(text, text + size, [](unsigned char c) { return c >= ' ' && c != 0x7f; });
}

bool has_plain_subject(const X509* certificate) noexcept {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i)
    if (!is_plain(X509_NAME_get_entry(subject, i))) return false;
  return true;
}

bool has_plain_alternatives(const X509* certificate) noexcept {
  int found = 0;
  const OwnedNames names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, &found, nullptr)));
  constexpr int kAbsent = -1;
  if (names == nullptr) return found == kAbsent;  // otherwise twice or unreadable
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i)
    if (!is_plain(sk_GENERAL_NAME_value(names.get(), i))) return false;
  return true;
}

}  // namespace

bool has_plain_names(const x509_st* certificate) noexcept {
  const bool plain = has_plain_subject(certificate) && has_plain_alternatives(certificate);
  ERR_clear_error();
  return plain;
}

}  // namespace postern::tls
