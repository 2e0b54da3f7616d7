// SPDX-License-Identifier: Apache-2.0
#include "classify/tls_fingerprint.h"

#include <gtest/gtest.h>

#include "tls_chrome_hello.h"

namespace postern::classify {
namespace {

// A hello with these parts; lists as hex.
std::string body_with(const std::string& version, const std::string& suites, const std::string& extensions) {
  const std::string list = hex(suites);
  return hex(version) + std::string(32, 'r') + hex("00") + be16(list.size()) + list + hex("01 00") +
         (extensions.empty() ? "" : be16(extensions.size()) + extensions);
}
std::string ja3(const std::string& body) {
  const Ja3Text ja3 = ja3_text(view_tls_client_hello(as_bytes(body)));
  return ja3.whole ? std::string(ja3.text.view()) : "cut";
}
Ja4Texts ja4(const std::string& body) {
  return ja4_texts(view_tls_client_hello(as_bytes(body)), Transport::Tcp);
}
std::string alpn_extension(const std::string& name) {
  return extension(16, be16(name.size() + 1) + static_cast<char>(name.size()) + name);
}

TEST(TlsFingerprint, Ja3IsThatOfItsAuthors) {
  const std::string extensions =
      server_name("a") + extension(10, hex("0006 0017 0018 0019")) + extension(11, hex("01 00"));
  EXPECT_EQ(ja3(body_with("0301", "002f 0035 0005 000a c009 c00a c013 c014 0032 0038 0013 0004", extensions)),
            "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
  EXPECT_EQ(ja3(body_with("0301", "0004 0005 000a 0009 0064 0062 0003 0006 0013 0012 0063", "")),
            "769,4-5-10-9-100-98-3-6-19-18-99,,,");
}

TEST(TlsFingerprint, Ja3LeavesGreaseOut) {
  EXPECT_EQ(ja3(chrome_body("a.example")),
            "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
            "0-23-65037-10-51-11-35-16-5-13-18-45-43-27-17613-65281,4588-29-23-24,0");
}

TEST(TlsFingerprint, Ja4CountsAndSortsWithoutGrease) {
  const Ja4Texts texts = ja4(chrome_body("a.example"));
  EXPECT_TRUE(texts.whole);
  EXPECT_EQ(texts.head.view(), "t13d1516h2");
  EXPECT_EQ(texts.ciphers.view(),
            "002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9");
  EXPECT_EQ(texts.extensions.view(),
            "0005,000a,000b,000d,0012,0017,001b,0023,002b,002d,0033,44cd,fe0d,ff01_"
            "0403,0804,0401,0503,0805,0501,0806,0601");
}

TEST(TlsFingerprint, Ja4HeadTellsTransportNameAndVersion) {
  EXPECT_EQ(ja4(body_with("0302", "0035", "")).head.view(), "t11i010000");
  EXPECT_EQ(ja4(body_with("0303", "0035", extension(43, hex("04 0a0a 0304")))).head.view(), "t13i010100");
  EXPECT_EQ(ja4_texts(view_tls_client_hello(as_bytes(chrome_body("a"))), Transport::Quic).head.view(),
            "q13d1516h2");
}

TEST(TlsFingerprint, Ja4AlpnFallsBackToHexDigits) {
  const std::pair<const char*, const char*> cases[] = {
      {"68", "hh"},   {"683220", "60"},   {"ab", "ab"},       {"abcd", "ad"},
      {"30ab", "3b"}, {"3031abcd", "3d"}, {"30abcd31", "01"}, {"682d33", "h3"}};
  for (const auto& [name, expected] : cases)
    EXPECT_EQ(ja4(body_with("0303", "0035", alpn_extension(hex(name)))).head.view().substr(8), expected)
        << name;
}

TEST(TlsFingerprint, Ja4CountsStopAt99) {
  std::string suites;
  for (int i = 0; i < 120; ++i) suites += "0035";
  const Ja4Texts texts = ja4(body_with("0303", suites, ""));
  EXPECT_EQ(texts.head.view(), "t12i990000");
  EXPECT_EQ(texts.ciphers.size(), 120 * 5 - 1);
}

TEST(TlsFingerprint, AHelloTooLongHasNone) {
  std::string suites;
  for (int i = 0; i < 600; ++i) suites += "0035";
  const std::string body = body_with("0303", suites, "");
  EXPECT_EQ(ja3(body), "cut");
  EXPECT_FALSE(ja4(body).whole);
  EXPECT_TRUE(join_ja4(ja4(body), {}, {}).empty());
}

TEST(TlsFingerprint, EmptyPartsHaveAHashOfZeros) {
  EXPECT_EQ(join_ja4(ja4(body_with("0303", "0a0a", "")), {1}, {2}).view(),
            "t12i000000_000000000000_000000000000");
  EXPECT_EQ(join_ja4(ja4(body_with("0303", "0035", "")), {1}, {2}).view(),
            "t12i010000_010000000000_000000000000");
}

TEST(TlsFingerprint, Ja3sHasVersionSuiteAndExtensions) {
  const std::string extensions = extension(0xff01, hex("00")) + extension(11, hex("01 00"));
  TlsServerFlight flight;
  flight.legacy_version = 0x0303;
  flight.cipher_suite = 0xc02f;
  flight.extensions = as_bytes(extensions);
  EXPECT_EQ(ja3s_text(flight).text.view(), "771,49199,65281-11");
}

}  // namespace
}  // namespace postern::classify
