// SPDX-License-Identifier: Apache-2.0
#include "tls/certificate_facts.h"

#include <gtest/gtest.h>

#include "handshake_pair.h"
#include "tests/classify/wire_bytes.h"

namespace postern::tls {
namespace {

using classify::ExactBytes;
using classify::hex;

class CertificateFactsTest : public ::testing::Test {
 protected:
  CertificateFactsTest()
      : digests_(Digests::make()), key_(new_key()), certificate_(new_certificate(key_.get())) {}

  X509_NAME* subject() { return X509_get_subject_name(certificate_.get()); }
  X509_NAME* issuer() { return X509_get_issuer_name(certificate_.get()); }
  std::string der() {
    X509_sign(certificate_.get(), key_.get(), EVP_sha256());
    return der_of(certificate_.get());
  }
  CertificateFacts read(const std::string& der) { return read_certificate(ExactBytes(der), *digests_); }

  // As `openssl x509 -nameopt esc_2253,esc_ctrl,utf8,sep_comma_plus_space,sname` prints it.
  static std::string by_openssl(X509_NAME* name) {
    BIO* out = BIO_new(BIO_s_mem());
    X509_NAME_print_ex(out, name, 0,
                       ASN1_STRFLGS_ESC_2253 | ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_UTF8_CONVERT |
                           XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string text(data, static_cast<size_t>(size));
    BIO_free(out);
    return text;
  }

  Result<Digests> digests_;
  Key key_;
  Certificate certificate_;
};

TEST_F(CertificateFactsTest, HaveTheFormOfTheLog) {
  add_name(subject(), "C", "DE");
  add_name(subject(), "O", "OpenBMC");
  add_name(subject(), "CN", "bmc7.example.net");
  add_name(issuer(), "CN", "Example CA");
  add_extension(certificate_.get(), NID_subject_alt_name,
                "DNS:bmc7.example.net,IP:10.0.0.7,DNS:*.lab.example");
  const std::string bytes = der();
  const CertificateFacts facts = read(bytes);
  ASSERT_TRUE(facts.readable);
  EXPECT_EQ(facts.subject.view(), "C=DE, O=OpenBMC, CN=bmc7.example.net");
  EXPECT_EQ(facts.issuer.view(), "CN=Example CA");
  EXPECT_EQ(facts.serial.view(), "12:34");
  EXPECT_EQ(facts.not_before.view(), "2026-01-02T03:04:05");
  EXPECT_EQ(facts.not_after.view(), "2056-01-02T03:04:05");
  EXPECT_EQ(facts.names.view(), "bmc7.example.net,*.lab.example");
  EXPECT_EQ(facts.name_count, 2);
  EXPECT_EQ(facts.sha256, digests_->sha256(as_bytes(bytes)));
  EXPECT_EQ(facts.sha1, digests_->sha1(as_bytes(bytes)));
}

TEST_F(CertificateFactsTest, NamesAreEscapedAsOpensslDoes) {
  const std::string odd[] = {"plain",
                             "a, CN=b + O=c",
                             "quote\" back\\ <less> ;",
                             " blanks ",
                             "#hash",
                             std::string("nul\0line\nend\x7f", 13),
                             "M\xc3\xbcnchen \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x94\x92"};
  for (const char* attribute : {"C",
                                "CN",
                                "O",
                                "OU",
                                "L",
                                "ST",
                                "serialNumber",
                                "emailAddress",
                                "DC",
                                "UID",
                                "title",
                                "GN",
                                "SN",
                                "street",
                                "postalCode",
                                "businessCategory",
                                "organizationIdentifier",
                                "1.2.840.113549.1.9.2",
                                "1.3.6.1.4.1.99999.1",
                                "2.999.3"}) {
    for (const std::string& value : odd) {
      certificate_ = new_certificate(key_.get());
      add_name(subject(), attribute, value, V_ASN1_UTF8STRING);
      add_name(subject(), "CN", "second", V_ASN1_PRINTABLESTRING);
      add_name(issuer(), "O", "M\xfcnchen, x", V_ASN1_T61STRING);
      add_name(issuer(), "UID", "multi", V_ASN1_IA5STRING, -1);
      const std::string bytes = der();
      const CertificateFacts facts = read(bytes);
      ASSERT_TRUE(facts.readable) << attribute << '=' << value;
      const uint8_t* at = as_bytes(bytes).data();  // DER sorts the parts of a name: OpenSSL reads them again
      certificate_.reset(d2i_X509(nullptr, &at, static_cast<long>(bytes.size())));
      EXPECT_EQ(facts.subject.view(), by_openssl(subject()));
      EXPECT_EQ(facts.issuer.view(), by_openssl(issuer()));
    }
  }
}

TEST_F(CertificateFactsTest, WideStringsBecomeUtf8) {
  add_name(subject(), "O", std::string("\0M\0\xfc\x65\xe5", 6), V_ASN1_BMPSTRING);
  add_name(issuer(), "O", std::string("\0\1\xf5\x12", 4), V_ASN1_UNIVERSALSTRING);
  const CertificateFacts facts = read(der());
  EXPECT_EQ(facts.subject.view(), "O=M\xc3\xbc\xe6\x97\xa5");
  EXPECT_EQ(facts.issuer.view(), "O=\xf0\x9f\x94\x92");
}

// OpenSSL refuses to make such names, so they are written byte by byte.
std::string utf8_name(const std::string& value) {
  const auto wrap = [](int tag, const std::string& content) {
    return std::string(1, static_cast<char>(tag)) + static_cast<char>(content.size()) + content;
  };
  return wrap(0x31, wrap(0x30, hex("06 03 55 04 03") + wrap(0x0c, value)));
}

TEST(NameLine, ShowsWhatIsNoTextByteByByte) {
  EXPECT_EQ(name_line(as_bytes(utf8_name("a\xff\xc3"))).text.view(), "CN=a\\FF\\C3");
  EXPECT_EQ(name_line(as_bytes(utf8_name("\xc0\xaf"))).text.view(), "CN=\\C0\\AF");          // overlong
  EXPECT_EQ(name_line(as_bytes(utf8_name("\xed\xa0\x80"))).text.view(), "CN=\\ED\\A0\\80");  // surrogate
  EXPECT_EQ(name_line(as_bytes(utf8_name("\xf4\x90\x80\x80"))).text.view(), "CN=\\F4\\90\\80\\80");  // beyond
  EXPECT_EQ(name_line(as_bytes(utf8_name("x\xe2\x80\xaey"))).text.view(),
            "CN=x\\E2\\80\\AEy");                                                    // right to left
  EXPECT_EQ(name_line(as_bytes(utf8_name("\xc2\x85"))).text.view(), "CN=\\C2\\85");  // next line
}

TEST(NameLine, IsCutAtAWholeCharacter) {
  const std::string many =
      utf8_name(std::string(100, 'a')) + utf8_name(std::string(80, 'b') + "\xc3\xbc\xc3\xbc\xc3\xbc");
  const NameLine cut = name_line(as_bytes(many));
  EXPECT_TRUE(cut.well_formed);
  EXPECT_TRUE(cut.text.cut());
  EXPECT_EQ(cut.text.view(),
            "CN=" + std::string(100, 'a') + ", CN=" + std::string(80, 'b') + "\xc3\xbc\xc3\xbc");
}

TEST_F(CertificateFactsTest, NamesBeyondTheRoomAreCounted) {
  std::string list = "DNS:first.example";
  for (int i = 0; i < 20; ++i) list += ",DNS:host" + std::to_string(i) + ".example";
  add_extension(certificate_.get(), NID_subject_alt_name, list.c_str());
  const CertificateFacts facts = read(der());
  EXPECT_EQ(facts.name_count, 21);
  EXPECT_TRUE(facts.names.view().starts_with("first.example,host0.example"));
  EXPECT_TRUE(facts.names.view().ends_with(".example"));
}

TEST_F(CertificateFactsTest, DatesOfBothFormsAreRead) {
  ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate_.get()), "19991231235959Z");
  ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate_.get()), "99991231235959Z");
  const CertificateFacts facts = read(der());
  EXPECT_EQ(facts.not_before.view(), "1999-12-31T23:59:59");
  EXPECT_EQ(facts.not_after.view(), "9999-12-31T23:59:59");
}

TEST_F(CertificateFactsTest, OfNoCertificateAreOnlyHashes) {
  const std::string whole = der();
  std::string longer_length = whole;
  longer_length[3] = static_cast<char>(longer_length[3] + 1);
  for (const std::string& bytes :
       {std::string(), whole.substr(0, whole.size() - 1), whole + "x", longer_length,
        std::string("\x30\x80\0\0", 4), hex("30 b1") + std::string(80, 'x'), std::string(20000, 'x')}) {
    const CertificateFacts facts = read(bytes);
    EXPECT_FALSE(facts.readable);
    EXPECT_TRUE(facts.subject.empty());
    EXPECT_EQ(facts.sha256, digests_->sha256(as_bytes(bytes)));
  }
}

TEST_F(CertificateFactsTest, OfADamagedCertificateAreSafeToRead) {
  add_name(subject(), "CN", "bmc7.example.net");
  add_extension(certificate_.get(), NID_subject_alt_name, "DNS:bmc7.example.net");
  const std::string whole = der();
  size_t readable = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x81);
    readable += read(damaged).readable ? 1 : 0;
  }
  EXPECT_GT(readable, 0u);
  EXPECT_LT(readable, whole.size());
}

}  // namespace
}  // namespace postern::tls
