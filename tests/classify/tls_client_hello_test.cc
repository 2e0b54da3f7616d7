// SPDX-License-Identifier: Apache-2.0
#include "classify/tls_client_hello.h"

#include <gtest/gtest.h>

#include "tls_chrome_hello.h"
#include "tls_hello_builder.h"

namespace postern::classify {
namespace {

TlsClientHello parse(const std::string& stream) { return parse_tls_client_hello(ExactBytes(stream)); }

TEST(TlsClientHello, YieldsServerNameAlpnAndVersions) {
  const TlsClientHello hello = parse(usual_hello());
  ASSERT_EQ(hello.fit, Fit::Yes);
  EXPECT_EQ(hello.server_name(), "bmc7.example.net");
  EXPECT_EQ(hello.alpn(0), "h2");
  EXPECT_EQ(hello.alpn(1), "http/1.1");
  EXPECT_EQ(hello.alpn(2), std::nullopt);
  EXPECT_EQ(hello.legacy_version, 0x0303);
  EXPECT_EQ(hello.version_count, 3);
  EXPECT_EQ(hello.highest_version(), 0x0304);
  EXPECT_EQ(hello.ech.kind, Ech::None);
  EXPECT_FALSE(hello.early_data);
}

TEST(TlsClientHello, WithoutExtensionsHasOnlyTheLegacyVersion) {
  const TlsClientHello hello = parse(client_hello(""));
  ASSERT_EQ(hello.fit, Fit::Yes);
  EXPECT_EQ(hello.server_name(), "");
  EXPECT_EQ(hello.highest_version(), 0x0303);
}

TEST(TlsClientHello, TellsEncryptedHelloAndEarlyData) {
  const TlsClientHello hello = parse(client_hello(extension(0xfe0d, "whatever") + extension(42, "")));
  ASSERT_EQ(hello.fit, Fit::Yes);
  EXPECT_EQ(hello.ech.kind, Ech::Broken);
  EXPECT_TRUE(hello.early_data);
}

TEST(TlsClientHello, NeedsMoreAtEveryShorterLength) {
  const std::string whole = usual_hello();
  for (size_t n = 0; n < whole.size(); ++n) EXPECT_EQ(parse(whole.substr(0, n)).fit, Fit::More) << n;
}

TEST(TlsClientHello, MayBeSpreadOverRecordsOfAnySize) {
  const std::string message = handshake(hello_body(server_name("bmc7.example.net") + kAlpnH2Http11));
  for (size_t size = 1; size <= message.size(); ++size) {
    const TlsClientHello hello = parse(in_records(message, size));
    ASSERT_EQ(hello.fit, Fit::Yes) << size;
    EXPECT_EQ(hello.server_name(), "bmc7.example.net") << size;
  }
}

TEST(TlsClientHello, MayBeFollowedByAnotherRecord) {
  EXPECT_EQ(parse(usual_hello() + hex("14 0303 0001 01")).fit, Fit::Yes);
  EXPECT_EQ(parse(usual_hello() + hex("16 0303 0005 10 000001 00")).fit, Fit::Yes);
}

TEST(TlsClientHello, IsNotFollowedByBytesInItsRecord) {
  EXPECT_EQ(parse(record(handshake(hello_body("")) + "x")).fit, Fit::No);
}

TEST(TlsClientHello, LongerThanAnyClientSendsIsRefused) {
  const std::string message = handshake(hello_body(extension(21, std::string(16400, '\0'))));
  EXPECT_EQ(parse(in_records(message, 4096)).fit, Fit::No);
}

TEST(TlsClientHello, OtherRecordsAndVersionsAreNotTls) {
  for (const char* start : {"15 0301 0002 01 00", "16 0201 0040 01", "16 0305 0040 01", "16 0301 4001 01",
                            "16 0301 0000 01", "16 0301 0040 02", "80 2e 01 03 01"})
    EXPECT_EQ(parse(hex(start) + std::string(64, 'x')).fit, Fit::No) << start;
}

TEST(TlsClientHello, InconsistentLengthsAreNotTls) {
  const std::string name = server_name("a.example");
  for (const std::string& extensions :
       {extension(0, hex("0005 00 0009 61")),             // name longer than the extension
        extension(0, hex("0000")),                        // empty list
        extension(0, hex("0003 00 0000")),                // empty name
        extension(0, hex("0004 00 0001 61 ff")),          // bytes after the list
        name + name,                                      // twice
        extension(0, hex("0008 00 0001 61 00 0001 62")),  // two host names
        extension(16, hex("0003 05 6832")),               // protocol longer than the list
        extension(16, hex("0002 00 00")),                 // empty protocol
        extension(43, hex("03 0304 03")),                 // odd
        hex("0000 00ff 00")})                             // extension longer than the hello
    EXPECT_EQ(parse(client_hello(extensions)).fit, Fit::No);
}

TEST(TlsClientHello, InconsistentBodiesAreNotTls) {
  const std::string random(32, 'r');
  for (const std::string& body : {hex("0203") + random + hex("00 0002 1301 01 00"),  // version 2
                                  hex("0303") + random + hex("21"),                  // session id of 33
                                  hex("0303") + random + hex("00 0001 13 01 00"),    // odd cipher suites
                                  hex("0303") + random + hex("00 0000 01 00"),       // none
                                  hex("0303") + random + hex("00 0002 1301 00"),     // no compression method
                                  hex("0303") + random + hex("00 0002 1301 01 00 00"),  // half a length
                                  hex("0303") + random + hex("00 0002 1301 01 00 0000 00")})
    EXPECT_EQ(parse(record(handshake(body + (body.size() < 36 ? std::string(40, 'x') : "")))).fit, Fit::No);
}

TEST(TlsClientHello, KeepsWhatFitsOfALongAlpnList) {
  std::string list;
  for (int i = 0; i < 30; ++i) list += hex("0a") + "protocol" + std::to_string(10 + i);
  const TlsClientHello hello = parse(client_hello(extension(16, be16(list.size()) + list)));
  ASSERT_EQ(hello.fit, Fit::Yes);
  EXPECT_EQ(hello.alpn(0), "protocol10");
  EXPECT_EQ(hello.alpn(22), "protocol32");
  EXPECT_EQ(hello.alpn(23), std::nullopt);
}

Ech ech_of(const std::string& offer) { return parse(client_hello(offer)).ech.kind; }

TEST(TlsClientHello, TellsWhatCannotBeARealEchOffer) {
  EXPECT_EQ(ech_of(ech_outer(1, 1, 32, 176)), Ech::Offer);
  EXPECT_EQ(ech_of(ech_outer(1, 3, 65, 300)), Ech::Offer);
  EXPECT_EQ(ech_of(ech_outer(1, 1, 0, 300)), Ech::Offer);         // after a HelloRetryRequest
  EXPECT_EQ(ech_of(ech_outer(0x4a4a, 1, 32, 176)), Ech::Grease);  // no such KDF
  EXPECT_EQ(ech_of(ech_outer(1, 9, 32, 176)), Ech::Grease);       // no such AEAD
  EXPECT_EQ(ech_of(ech_outer(1, 1, 31, 176)), Ech::Grease);       // no KEM has such keys
  EXPECT_EQ(ech_of(ech_outer(1, 1, 32, 60)), Ech::Grease);        // no room for a hello
  EXPECT_EQ(ech_of(extension(0xfe0d, hex("01"))), Ech::Inner);
  EXPECT_EQ(ech_of(extension(0xfe0d, hex("01 00"))), Ech::Broken);
  EXPECT_EQ(ech_of(extension(0xfe0d, hex("00 0001 0001 5c 0020"))), Ech::Broken);
  EXPECT_EQ(ech_of(""), Ech::None);
}

TEST(TlsClientHello, KeepsWhatAnEchOfferShows) {
  const TlsClientHello hello = parse(client_hello(ech_outer(1, 3, 32, 208)));
  EXPECT_EQ(hello.ech.config_id, 0x5c);
  EXPECT_EQ(hello.ech.kdf, 1);
  EXPECT_EQ(hello.ech.aead, 3);
  EXPECT_EQ(hello.ech.key_length, 32);
  EXPECT_EQ(hello.ech.payload_length, 208);
}

TEST(TlsClientHello, OfABrowserWithPostQuantumKeysIsRead) {
  const std::string message = handshake(chrome_body("a.example"));
  const TlsClientHello hello = parse(in_records(message, 1000));
  ASSERT_EQ(hello.fit, Fit::Yes);
  EXPECT_EQ(hello.server_name(), "a.example");
  EXPECT_EQ(hello.highest_version(), 0x0304);
  EXPECT_EQ(hello.ech.kind, Ech::Offer);
}

TEST(TlsClientHello, ViewShowsTheListsAsSent) {
  const std::string body = chrome_body("a.example");
  const TlsClientHelloView view = view_tls_client_hello(ExactBytes(body));
  EXPECT_EQ(view.fit, Fit::Yes);
  EXPECT_EQ(view.cipher_suites.size(), 32u);
  EXPECT_EQ(view.groups.size(), 10u);
  EXPECT_EQ(view.point_formats.size(), 1u);
  EXPECT_EQ(view.signature_algorithms.size(), 16u);
  EXPECT_TRUE(view.has_server_name);
  EXPECT_FALSE(view.pre_shared_key);
}

TEST(TlsClientHello, BrokenListsThatAServerMayOverlookAreEmpty) {
  const std::string body = hello_body(extension(10, hex("0003 001d 00")) + extension(11, hex("02 00")) +
                                      extension(13, hex("0002 0403 00")) + extension(41, "any"));
  const TlsClientHelloView view = view_tls_client_hello(as_bytes(body));
  EXPECT_EQ(view.fit, Fit::Yes);
  EXPECT_TRUE(view.groups.empty());
  EXPECT_TRUE(view.point_formats.empty());
  EXPECT_TRUE(view.signature_algorithms.empty());
  EXPECT_TRUE(view.pre_shared_key);
}

TEST(TlsClientHello, StartIsKnownAfterSixBytes) {
  const std::string whole = usual_hello();
  for (size_t n = 0; n < 6; ++n)
    EXPECT_EQ(starts_tls_client_hello(ExactBytes(whole.substr(0, n))), Fit::More) << n;
  EXPECT_EQ(starts_tls_client_hello(ExactBytes(whole.substr(0, 6))), Fit::Yes);
}

TEST(TlsClientHello, AnswersAreServerHellosAndAlerts) {
  EXPECT_EQ(starts_tls_answer(ExactBytes(hex("16 0303 007a 02"))), Fit::Yes);
  EXPECT_EQ(starts_tls_answer(ExactBytes(hex("15 0303 0002 02 28"))), Fit::Yes);
  EXPECT_EQ(starts_tls_answer(ExactBytes(hex("15 0303"))), Fit::More);
  EXPECT_EQ(starts_tls_answer(ExactBytes(hex("16 0303 007a 01"))), Fit::No);
}

}  // namespace
}  // namespace postern::classify
