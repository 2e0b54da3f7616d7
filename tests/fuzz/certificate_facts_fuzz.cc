// SPDX-License-Identifier: Apache-2.0
// What is read of a certificate is printable, and what OpenSSL reads of the same certificate too.
// needs: base tls
#include <openssl/x509.h>

#include <cstdint>
#include <string>

#include "tls/certificate_facts.h"

using namespace postern;
using namespace postern::tls;

namespace {

void expect(bool good) {
  if (!good) __builtin_trap();
}

void expect_line(std::string_view text) {
  for (const char c : text) expect((c & 0x80) != 0 || (c >= 0x20 && c < 0x7f));
}

// Empty where OpenSSL cannot print it.
std::string by_openssl(const X509_NAME* name) {
  BIO* out = BIO_new(BIO_s_mem());
  const int printed =
      X509_NAME_print_ex(out, name, 0,
                         ASN1_STRFLGS_ESC_2253 | ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_UTF8_CONVERT |
                             XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string text(data, printed < 0 ? 0 : static_cast<size_t>(size));
  BIO_free(out);
  return text;
}

// OpenSSL prints types of string alike; others it dumps. Bytes of C1 controls and such are escaped here only.
bool comparable(const X509_NAME* name, std::string_view ours) {
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const int type = ASN1_STRING_type(X509_NAME_ENTRY_get_data(entry));
    if (type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING && type != V_ASN1_IA5STRING &&
        type != V_ASN1_T61STRING && type != V_ASN1_BMPSTRING)
      return false;
    const ASN1_OBJECT* object = X509_NAME_ENTRY_get_object(entry);
    const std::string_view oid(reinterpret_cast<const char*>(OBJ_get0_data(object)), OBJ_length(object));
    // Of the attributes with a name of OpenSSL's own only some have one here.
    if (oid != std::string_view("\x55\x04\x03", 3) && oid != std::string_view("\x55\x04\x0a", 3))
      return false;
  }
  for (size_t at = ours.find('\\'); at != ours.npos && at + 1 < ours.size(); at = ours.find('\\', at + 2))
    if (std::string_view("89ABCDEF").find(ours[at + 1]) != std::string_view::npos) return false;
  return true;
}

void compare(const X509* certificate, const CertificateFacts& facts) {
  const std::pair<const X509_NAME*, const NameText*> names[] = {
      {X509_get_subject_name(certificate), &facts.subject},
      {X509_get_issuer_name(certificate), &facts.issuer}};
  for (const auto& [name, ours] : names) {
    const std::string theirs = by_openssl(name);
    if (!theirs.empty() && !ours->cut() && comparable(name, ours->view())) expect(theirs == ours->view());
  }
  const std::pair<const ASN1_TIME*, std::string_view> times[] = {
      {X509_get0_notBefore(certificate), facts.not_before.view()},
      {X509_get0_notAfter(certificate), facts.not_after.view()}};
  for (const auto& [time, ours] : times) {
    tm broken{};
    if (ASN1_TIME_to_tm(time, &broken) != 1) continue;
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &broken);
    // strftime writes years below 1000 with fewer digits.
    if (broken.tm_year + 1900 >= 1000) expect(ours == text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Result<Digests> digests = Digests::make();
  const CertificateFacts facts = read_certificate({data, size}, *digests);
  if (!facts.readable) return 0;
  expect_line(facts.subject.view());
  expect_line(facts.issuer.view());
  expect_line(facts.names.view());
  expect(facts.not_before.size() == 19 && facts.not_after.size() == 19);
  const uint8_t* at = data;
  if (X509* certificate = d2i_X509(nullptr, &at, static_cast<long>(size))) {
    compare(certificate, facts);
    X509_free(certificate);
  }
  return 0;
}
