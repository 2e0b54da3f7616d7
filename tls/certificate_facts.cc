// SPDX-License-Identifier: Apache-2.0
#include "tls/certificate_facts.h"

#include <algorithm>

#include "tls/der_reader.h"

namespace postern::tls {
namespace {

using TimeText = FixedText<20>;
constexpr uint8_t kVersion = 0xa0, kIssuerUid = 0x81, kSubjectUid = 0x82, kExtensions = 0xa3, kDnsName = 0x82;
constexpr std::string_view kSubjectAltName("\x55\x1d\x11", 3);

// YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, the only forms RFC 5280 section 4.1.2.5 allows; empty for others.
TimeText time_text(const DerReader::Value& time) noexcept {
  const size_t year_digits = time.tag == der::kUtcTime ? 2 : 4;
  const std::string_view digits = as_text(time.content);
  const bool right_tag = time.tag == der::kUtcTime || time.tag == der::kGeneralizedTime;
  if (!right_tag || digits.size() != year_digits + 11 || digits.back() != 'Z') return {};
  if (!std::all_of(digits.begin(), digits.end() - 1, [](char c) { return c >= '0' && c <= '9'; })) return {};
  const auto pair = [&](size_t at) { return (digits[at] - '0') * 10 + digits[at + 1] - '0'; };
  const size_t at = year_digits;
  constexpr int kDays[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int month = pair(at), day = pair(at + 2);
  if (month < 1 || month > 12 || day < 1 || day > kDays[month - 1]) return {};
  if (pair(at + 4) > 23 || pair(at + 6) > 59 || pair(at + 8) > 59) return {};
  TimeText text;
  if (year_digits == 2) text.append(digits[0] < '5' ? "20" : "19");
  text.append(digits.substr(0, year_digits));
  constexpr std::string_view kBefore = "--T::";
  for (size_t i = 0; i < kBefore.size(); ++i) {
    text.append(kBefore[i]);
    text.append(digits.substr(at + 2 * i, 2));
  }
  return text;
}

FixedText<62> serial_text(Bytes serial) noexcept {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  FixedText<62> text;
  for (size_t i = 0; i < serial.size(); ++i) {
    const char piece[] = {':', kDigits[serial[i] >> 4], kDigits[serial[i] & 15]};
    text.append(std::string_view(piece, 3).substr(i == 0 ? 1 : 0));
  }
  return text;
}

class CertificateReader {
 public:
  CertificateFacts facts;

  bool read(Bytes der) noexcept {
    DerReader outer(der);
    DerReader certificate(outer.expect(der::kSequence));
    DerReader body(certificate.expect(der::kSequence));
    if (!outer.at_end() || !body.ok()) return false;
    body.optional(kVersion);
    const Bytes serial = body.expect(der::kInteger);
    body.expect(der::kSequence);  // algorithm of the signature
    const NameLine issuer = name_line(body.expect(der::kSequence));
    DerReader validity(body.expect(der::kSequence));
    const NameLine subject = name_line(body.expect(der::kSequence));
    body.expect(der::kSequence);  // public key
    if (!body.ok() || serial.empty() || !issuer.well_formed || !subject.well_formed) return false;
    facts.not_before = time_text(validity.any());
    facts.not_after = time_text(validity.any());
    facts.serial = serial_text(serial);
    facts.issuer = issuer.text;
    facts.subject = subject.text;
    return validity.at_end() && !facts.not_before.empty() && !facts.not_after.empty() && read_rest(body);
  }

 private:
  bool read_rest(DerReader& body) noexcept {
    body.optional(kIssuerUid);
    body.optional(kSubjectUid);
    const std::optional<Bytes> wrapped = body.optional(kExtensions);
    if (!body.at_end()) return false;
    if (!wrapped) return true;
    DerReader wrapper(*wrapped);
    DerReader extensions(wrapper.expect(der::kSequence));
    if (!wrapper.at_end()) return false;
    while (!extensions.at_end()) {
      DerReader extension(extensions.expect(der::kSequence));
      const Bytes oid = extension.expect(der::kObjectId);
      extension.optional(der::kBoolean);
      const Bytes value = extension.expect(der::kOctetString);
      if (!extensions.ok() || !extension.at_end()) return false;
      if (as_text(oid) == kSubjectAltName && !read_names(value)) return false;
    }
    return true;
  }

  bool read_names(Bytes value) noexcept {
    DerReader outer(value);
    DerReader names(outer.expect(der::kSequence));
    if (!outer.at_end()) return false;
    while (!names.at_end()) {
      const DerReader::Value name = names.any();
      if (!names.ok()) return false;
      if (name.tag != kDnsName) continue;
      ++facts.name_count;
      decltype(facts.names) piece;
      if (!facts.names.empty()) piece.append(',');
      append_dns_name(piece, name.content);
      // A piece that was cut is longer than what is left, so nothing of it goes in, nor of what follows.
      if (piece.cut() || names_full_) {
        names_full_ = true;
        continue;
      }
      facts.names.append(piece.view());
    }
    return true;
  }

  bool names_full_ = false;
};

}  // namespace

CertificateFacts read_certificate(Bytes der, Digests& digests) noexcept {
  CertificateReader reader;
  const bool readable = der.size() <= CertificateFacts::kLongestDer && reader.read(der);
  CertificateFacts facts = readable ? reader.facts : CertificateFacts{};
  facts.readable = readable;
  facts.sha1 = digests.sha1(der);
  facts.sha256 = digests.sha256(der);
  return facts;
}

}  // namespace postern::tls
