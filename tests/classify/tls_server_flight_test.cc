// SPDX-License-Identifier: Apache-2.0
#include "classify/tls_server_flight.h"

#include <gtest/gtest.h>

#include "tls_hello_builder.h"

namespace postern::classify {
namespace {

using State = TlsServerFlight::Certificate;

// What a view may point to lives as long as this.
struct Parsed {
  explicit Parsed(const std::string& stream)
      : bytes(stream), flight(parse_tls_server_flight(bytes, storage)) {}
  TlsHandshakeStorage storage;
  ExactBytes bytes;
  TlsServerFlight flight;
};

std::string message(char type, const std::string& body) { return type + be24(body.size()) + body; }
std::string server_hello(const std::string& extensions, const std::string& random = std::string(32, 'r')) {
  return message(2, hex("0303") + random + hex("00 c02f 00") +
                        (extensions.empty() ? "" : be16(extensions.size()) + extensions));
}
std::string certificates(const std::vector<std::string>& ders) {
  std::string list;
  for (const std::string& der : ders) list += be24(der.size()) + der;
  return message(11, be24(list.size()) + list);
}
std::string alert(const char* level_and_description) {
  return hex("15 0303 0002") + hex(level_and_description);
}

const std::string kDone = message(14, "");
const std::string kChange = hex("14 0303 0001 01");
const std::string kTls13 = extension(43, hex("0304"));
const std::string kRetryRandom = hex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");
const std::string kApplicationData = hex("17 0303 0004 01020304");
const std::string kFull = server_hello(extension(16, hex("0003 02 6832"))) + certificates({"leaf", "root"}) +
                          message(12, "key") + message(13, "request") + kDone;

TEST(TlsServerFlight, OfTls12ShowsEverything) {
  const Parsed parsed(record(kFull));
  const TlsServerFlight& flight = parsed.flight;
  ASSERT_EQ(flight.fit, Fit::Yes);
  EXPECT_TRUE(flight.complete);
  EXPECT_EQ(flight.version, 0x0303);
  EXPECT_EQ(flight.cipher_suite, 0xc02f);
  EXPECT_EQ(as_text(flight.alpn), "h2");
  EXPECT_EQ(flight.certificate, State::Clear);
  EXPECT_EQ(as_text(flight.leaf), "leaf");
  EXPECT_EQ(flight.chain_length, 2);
  EXPECT_TRUE(flight.mutual_auth);
  EXPECT_FALSE(flight.resumed);
  EXPECT_FALSE(flight.alert);
}

TEST(TlsServerFlight, MayBeSpreadOverRecordsOfAnySize) {
  for (size_t size = 1; size <= kFull.size(); ++size) {
    const Parsed parsed(in_records(kFull, size));
    ASSERT_EQ(parsed.flight.fit, Fit::Yes) << size;
    EXPECT_TRUE(parsed.flight.complete) << size;
    EXPECT_EQ(as_text(parsed.flight.leaf), "leaf") << size;
    EXPECT_EQ(as_text(parsed.flight.alpn), "h2") << size;
    EXPECT_TRUE(parsed.flight.mutual_auth) << size;
  }
}

TEST(TlsServerFlight, SaysMoreUntilTheHelloIsThereAndIsCompleteAtTheEndOnly) {
  const std::string stream = record(kFull);
  const size_t hello_end = 5 + server_hello(extension(16, hex("0003 02 6832"))).size();
  for (size_t n = 0; n < stream.size(); ++n) {
    const Parsed parsed(stream.substr(0, n));
    EXPECT_EQ(parsed.flight.fit, n < hello_end ? Fit::More : Fit::Yes) << n;
    EXPECT_FALSE(parsed.flight.complete) << n;
  }
}

TEST(TlsServerFlight, OfTls13HidesTheCertificate) {
  const Parsed parsed(record(server_hello(kTls13)) + kChange + kApplicationData);
  EXPECT_EQ(parsed.flight.fit, Fit::Yes);
  EXPECT_TRUE(parsed.flight.complete);
  EXPECT_EQ(parsed.flight.legacy_version, 0x0303);
  EXPECT_EQ(parsed.flight.version, 0x0304);
  EXPECT_EQ(parsed.flight.certificate, State::Encrypted);
  EXPECT_FALSE(parsed.flight.resumed);
}

TEST(TlsServerFlight, OfTls13TellsResumptionByTheChosenKey) {
  EXPECT_TRUE(Parsed(record(server_hello(kTls13 + extension(41, hex("0000"))))).flight.resumed);
}

TEST(TlsServerFlight, OfTls13EndsItsRecordWithTheHello) {
  EXPECT_EQ(Parsed(record(server_hello(kTls13) + certificates({"leaf"}))).flight.fit, Fit::No);
}

TEST(TlsServerFlight, OfTls12TellsResumptionByTheMissingCertificate) {
  for (const std::string& ticket : {std::string(), message(4, "ticket")}) {
    const Parsed parsed(record(server_hello("") + ticket) + kChange);
    EXPECT_TRUE(parsed.flight.complete);
    EXPECT_TRUE(parsed.flight.resumed);
    EXPECT_EQ(parsed.flight.certificate, State::Absent);
  }
}

TEST(TlsServerFlight, WithoutCertificateIsNotResumedWhenKeysAreExchanged) {
  const Parsed parsed(record(server_hello("") + message(12, "anonymous") + kDone));
  EXPECT_TRUE(parsed.flight.complete);
  EXPECT_FALSE(parsed.flight.resumed);
  EXPECT_EQ(parsed.flight.certificate, State::Absent);
}

TEST(TlsServerFlight, AfterARetryShowsTheSecondHello) {
  const std::string retry = record(server_hello(kTls13, kRetryRandom));
  for (const std::string& between : {std::string(), kChange}) {
    const Parsed alone(retry + between);
    EXPECT_EQ(alone.flight.fit, Fit::Yes);
    EXPECT_TRUE(alone.flight.hello_retry);
    EXPECT_FALSE(alone.flight.complete);
    const Parsed both(retry + between + record(server_hello(kTls13 + extension(41, hex("0000")))));
    EXPECT_EQ(both.flight.fit, Fit::Yes);
    EXPECT_TRUE(both.flight.hello_retry);
    EXPECT_TRUE(both.flight.resumed);
    EXPECT_TRUE(both.flight.complete);
    EXPECT_EQ(Parsed(retry + between + retry).flight.hello_retry, true);
  }
}

TEST(TlsServerFlight, MayBeAnAlertInsteadOfAHello) {
  const Parsed parsed(alert("02 28"));
  EXPECT_EQ(parsed.flight.fit, Fit::Yes);
  EXPECT_TRUE(parsed.flight.complete);
  EXPECT_FALSE(parsed.flight.hello);
  EXPECT_TRUE(parsed.flight.alert);
  EXPECT_EQ(parsed.flight.alert_level, 2);
  EXPECT_EQ(parsed.flight.alert_description, 40);
  EXPECT_EQ(Parsed(alert("02 28").substr(0, 6)).flight.fit, Fit::More);
}

TEST(TlsServerFlight, GoesOnAfterAWarning) {
  const Parsed parsed(alert("01 70") + record(kFull));
  EXPECT_TRUE(parsed.flight.hello);
  EXPECT_TRUE(parsed.flight.alert);
  EXPECT_EQ(parsed.flight.alert_description, 112);
  EXPECT_EQ(as_text(parsed.flight.leaf), "leaf");
}

TEST(TlsServerFlight, MayBreakOffWithAnAlert) {
  const Parsed parsed(record(server_hello("")) + alert("02 50"));
  EXPECT_TRUE(parsed.flight.hello);
  EXPECT_TRUE(parsed.flight.alert);
  EXPECT_TRUE(parsed.flight.complete);
  EXPECT_FALSE(parsed.flight.resumed);
}

TEST(TlsServerFlight, ShowsTheLeafOfAChainBeyondTheStorage) {
  const std::string leaf(4000, 'l');
  const Parsed parsed(
      in_records(server_hello("") + certificates({leaf, std::string(15000, 'x')}) + kDone, 9000));
  EXPECT_EQ(parsed.flight.fit, Fit::Yes);
  EXPECT_TRUE(parsed.flight.complete);
  EXPECT_EQ(as_text(parsed.flight.leaf), leaf);
  EXPECT_EQ(parsed.flight.chain_length, 1);
}

TEST(TlsServerFlight, AnEmptyChainHasNoLeaf) {
  const Parsed parsed(record(server_hello("") + certificates({}) + kDone));
  EXPECT_EQ(parsed.flight.fit, Fit::Yes);
  EXPECT_TRUE(parsed.flight.leaf.empty());
  EXPECT_EQ(parsed.flight.chain_length, 0);
}

TEST(TlsServerFlight, OfAnythingElseIsNone) {
  for (const std::string& stream :
       {std::string("HTTP/1.1 400"), record(hex("01 000002 0303")), kChange, kApplicationData,
        record(server_hello("") + server_hello("")), record(server_hello("") + message(1, "")),
        record(message(2, hex("0303") + std::string(32, 'r') + hex("21"))),
        record(server_hello(extension(16, hex("0003 03 6832")))), record(server_hello(hex("0010 0009 00"))),
        record(certificates({"leaf"})), alert("07 28"),
        record(server_hello("") + message(11, hex("000009 0000"))),
        record(server_hello("") + kDone.substr(0, 2)) + kChange})
    EXPECT_EQ(Parsed(stream).flight.fit, Fit::No) << ::testing::PrintToString(stream);
}

}  // namespace
}  // namespace postern::classify
