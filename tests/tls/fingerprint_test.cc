// SPDX-License-Identifier: Apache-2.0
// Fingerprints as the data path joins them: texts of classify, hashes of tls; against published values and
// tshark.
#include <gtest/gtest.h>

#include "classify/tls_fingerprint.h"
#include "handshake_pair.h"
#include "real_hellos.h"
#include "tests/classify/tls_chrome_hello.h"
#include "tls/digest.h"
#include "tshark.h"

namespace postern::tls {
namespace {

using classify::hex;

class Fingerprint : public ::testing::Test {
 protected:
  Fingerprint() : digests_(Digests::make()) {}

  std::string md5(std::string_view text) {
    FixedText<32> out;
    out.append_hex(Bytes(digests_->md5(as_bytes(text))));
    return std::string(out.view());
  }
  classify::TlsClientHelloView view(const std::string& stream) {
    const classify::TlsHelloBody found = classify::find_tls_client_hello(as_bytes(stream), storage_);
    return classify::view_tls_client_hello(found.body);
  }
  std::string ja4(const classify::TlsClientHelloView& hello) {
    const auto texts = classify::ja4_texts(hello, classify::Transport::Tcp);
    return std::string(classify::join_ja4(texts, digests_->sha256(as_bytes(texts.ciphers.view())),
                                          digests_->sha256(as_bytes(texts.extensions.view())))
                           .view());
  }

  Result<Digests> digests_;
  classify::TlsHandshakeStorage storage_;
};

TEST_F(Fingerprint, Ja3IsThePublishedHash) {
  EXPECT_EQ(md5("769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0"),
            "ada70206e40642a3e4461f35503241d5");
  EXPECT_EQ(md5("769,4-5-10-9-100-98-3-6-19-18-99,,,"), "de350869b8c85de67a350c8d186f11e6");
}

// The example of JA4.md: Chrome on Windows; the order of extensions does not matter.
TEST_F(Fingerprint, Ja4IsThePublishedOne) {
  using classify::extension;
  const std::string extensions =
      extension(0x5a5a, "") + extension(27, hex("02 0002")) + classify::server_name("a.example") +
      extension(51, "") + classify::kAlpnH2Http11 + extension(0x4469, "") + extension(23, "") +
      extension(35, "") + extension(13, hex("0010 0403 0804 0401 0503 0805 0501 0806 0601")) +
      extension(5, "") + extension(18, "") + extension(0xff01, "") + extension(45, "") +
      extension(11, hex("01 00")) + extension(10, hex("0004 001d 0017")) + classify::kVersions13And12 +
      extension(21, "") + extension(0x7a7a, "");
  const std::string body =
      hex("0303") + std::string(32, 'r') + hex("00 0020 3a3a 1301 1302 1303 c02b c02f c02c c030") +
      hex("cca9 cca8 c013 c014 009c 009d 002f 0035 01 00") + classify::be16(extensions.size()) + extensions;
  EXPECT_EQ(ja4(classify::view_tls_client_hello(as_bytes(body))), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

TEST_F(Fingerprint, Ja3IsThatOfTshark) {
  if (!has_tshark()) GTEST_SKIP() << "no tshark";
  for (const std::string& stream :
       {hex(kCurlHello), hex(kOpensslHello), hex(kOpensslTls12Hello),
        classify::record(classify::handshake(classify::chrome_body("a.example"))), classify::usual_hello()}) {
    const auto fields = tshark_fields(
        stream, Way::ToServer,
        {"tls.handshake.ja3_full", "tls.handshake.ja3", "tls.handshake.extensions_server_name"});
    ASSERT_TRUE(fields);
    const auto hello = view(stream);
    ASSERT_EQ(hello.fit, classify::Fit::Yes);
    const auto text = classify::ja3_text(hello);
    EXPECT_EQ(text.text.view(), (*fields)[0]);
    EXPECT_EQ(md5(text.text.view()), (*fields)[1]);
    EXPECT_EQ(as_text(hello.server_name), (*fields)[2]);
  }
}

TEST_F(Fingerprint, Ja3sIsThatOfTshark) {
  if (!has_tshark()) GTEST_SKIP() << "no tshark";
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    HandshakePair pair;
    SSL_CTX_set_max_proto_version(pair.server_settings.get(), version);
    pair.run();
    const auto fields =
        tshark_fields(pair.to_client, Way::ToClient,
                      {"tls.handshake.ja3s_full", "tls.handshake.ja3s", "tls.handshake.ciphersuite"});
    ASSERT_TRUE(fields);
    const auto flight = classify::parse_tls_server_flight(as_bytes(pair.to_client), storage_);
    const auto text = classify::ja3s_text(flight);
    EXPECT_EQ(text.text.view(), (*fields)[0]);
    EXPECT_EQ(md5(text.text.view()), (*fields)[1]);
    FixedText<6> suite;
    suite.append("0x");
    suite.append_hex(flight.cipher_suite);
    EXPECT_EQ(suite.view(), (*fields)[2]);
  }
}

}  // namespace
}  // namespace postern::tls
