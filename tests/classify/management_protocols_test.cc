// SPDX-License-Identifier: Apache-2.0
// What the decoders of management protocols recognise together, as the shipped catalogue joins them.
#include <gtest/gtest.h>

#include "classify/application_engine.h"
#include "policy_builder.h"
#include "tls_hello_builder.h"
#include "wire_bytes.h"

namespace postern::classify {
namespace {

Identification of(const std::string& payload, uint8_t protocol, Direction direction = Direction::ToServer,
                  uint16_t port = 9999) {
  static const auto snapshot = compiled(empty_policy());
  const ExactBytes exact(payload);
  return snapshot->engine().identify(
      {.protocol = protocol, .server_port = port, .direction = direction, .payload = exact},
      snapshot->scratch(0));
}

const std::string kDnsQuery =
    hex("1234 0100 0001 0000 0000 0000 03 777777 07 6578616d706c65 03 636f6d 00 0001 0001");
const std::string kSlpRequest = hex("0201 000024 2000 000000 0007 0002 656e 0000") +
                                bytes_of("\0\x09service:x") +
                                bytes_of(
                                    "\0\x01"
                                    "a\0\0\0\0");

struct Stream {
  std::string name, bytes;
  Direction direction;
  AppId application;
};

std::vector<Stream> tcp_streams() {
  return {
      {"tls", usual_hello(), Direction::ToServer, app::kTls},
      {"tls in small records", in_records(handshake(hello_body(server_name("a.example"))), 3),
       Direction::ToServer, app::kTls},
      {"tls answer", hex("16 0303 007a 02 000076 0303"), Direction::ToClient, app::kTls},
      {"http", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", Direction::ToServer, app::kHttp},
      {"http answer", "HTTP/1.1 408 Late\r\n\r\n", Direction::ToClient, app::kHttp},
      {"cim_xml", "POST /cimom HTTP/1.1\r\nCIMOperation: MethodCall\r\n\r\n", Direction::ToServer,
       app::kCimXml},
      {"ssh server", "SSH-2.0-OpenSSH_9.2p1\r\n", Direction::ToClient, app::kSsh},
      {"ssh client", "SSH-2.0-Go\r\n", Direction::ToServer, app::kSsh},
      {"old ssh", "SSH-1.99-Cisco-1.25\n", Direction::ToClient, app::kSsh},
      {"rfc913 server", bytes_of("+MIT-XX SFTP Service\0"), Direction::ToClient, app::kRfc913},
      {"rfc913 client", bytes_of("USER mrc\0"), Direction::ToServer, app::kRfc913},
      {"slp", kSlpRequest, Direction::ToServer, app::kSlp},
      {"dns", be16(kDnsQuery.size()) + kDnsQuery, Direction::ToServer, app::kDns},
  };
}

TEST(Identify, NamesEveryTcpApplicationOnAnyPort) {
  for (const Stream& s : tcp_streams())
    EXPECT_EQ(of(s.bytes, kTcp, s.direction).application, s.application) << s.name;
}

TEST(Identify, NeverTakesAPrefixForAnotherApplication) {
  for (const Stream& s : tcp_streams()) {
    for (size_t n = 0; n <= s.bytes.size(); ++n) {
      const Identification found = of(s.bytes.substr(0, n), kTcp, s.direction);
      if (found.application == s.application) continue;
      EXPECT_EQ(found.application, kApplicationPending) << s.name << " " << n;
      EXPECT_TRUE(found.more) << s.name << " " << n;
    }
  }
}

TEST(Identify, AnswersOnceItHasAnsweredStaySame) {
  for (const Stream& s : tcp_streams()) {
    bool known = false;
    for (size_t n = 0; n <= s.bytes.size(); ++n) {
      const bool now = of(s.bytes.substr(0, n), kTcp, s.direction).application == s.application;
      EXPECT_TRUE(now || !known) << s.name << " " << n;
      known = now;
    }
  }
}

TEST(Identify, TcpWithoutBytesNeedsMore) {
  EXPECT_EQ(of("", kTcp).application, kApplicationPending);
  EXPECT_TRUE(of("", kTcp).more);
}

TEST(Identify, TcpThatFitsNothingIsUnidentifiedSoon) {
  for (const std::string& stream :
       {std::string("EHLO mail.example\r\n"), hex("fffd18fffd20fffd23"), hex("0300 002f 2ae0 0000"),
        std::string(16, '\0'), std::string(16, '\xff'), std::string("RFB 003.008\n")}) {
    const Identification found = of(stream, kTcp);
    EXPECT_EQ(found.application, kApplicationUnidentified) << stream;
    EXPECT_FALSE(found.more);
  }
  EXPECT_EQ(of("220 mail.example ESMTP\r\n", kTcp, Direction::ToClient).application,
            kApplicationUnidentified);
}

TEST(Identify, AHelloWithABrokenInsideIsNotTls) {
  std::string bad = client_hello(server_name("a.example") + server_name("b.example"));
  EXPECT_EQ(of(bad, kTcp).application, kApplicationUnidentified);
}

TEST(Identify, NamesEveryUdpApplication) {
  EXPECT_EQ(of(kDnsQuery, kUdp).application, app::kDns);
  EXPECT_EQ(of(kSlpRequest, kUdp).application, app::kSlp);
  EXPECT_EQ(of(hex("06 00 ff 06 000011be 80 00 00 00"), kUdp).application, app::kAsf);
  EXPECT_EQ(of(hex("06 00 ff 07 06 12 00000000 00000000 1c00") + std::string(28, 'r'), kUdp).application,
            app::kIpmi20);
  EXPECT_EQ(of(hex("06 00 ff 07 00 00000000 00000000 09 2018c8 81 04 38 0e 04 31"), kUdp).application,
            app::kIpmi15);
}

TEST(Identify, IpmiDiscoveryWaitsForTheNextDatagram) {
  const Identification found = of(hex("06 00 ff 07 00 00000000 00000000 09 2018c8 81 04 38 8e 04 b1"), kUdp);
  EXPECT_EQ(found.application, kApplicationPending);
  EXPECT_TRUE(found.more);
}

TEST(Identify, UdpDatagramsCutShortAreUnidentified) {
  for (const std::string& whole : {kDnsQuery, kSlpRequest})
    for (size_t n = 0; n < whole.size(); ++n)
      EXPECT_EQ(of(whole.substr(0, n), kUdp).application, kApplicationUnidentified) << n;
}

TEST(Identify, MulticastDnsIsDnsInBothDirections) {
  const std::string announcement =
      hex("0000 8400 0000 0001 0000 0000 01 61 00 0001 8001 00000078 0004 0a030001");
  EXPECT_EQ(of(announcement, kUdp, Direction::ToServer, 5353).application, app::kDns);
  EXPECT_EQ(of(announcement, kUdp, Direction::ToServer, 53).application, kApplicationUnidentified);
}

TEST(Identify, TellsIcmpEchoFromOtherIcmp) {
  for (const char* echo : {"08 00 f7ff 0001 0001", "00 00 ffff 0001 0001 61626364"})
    EXPECT_EQ(of(hex(echo), kIcmp).application, app::kIcmpEcho) << echo;
  for (const char* echo : {"80 00 f7ff 0001 0001", "81 00 f7ff 0001 0001"})
    EXPECT_EQ(of(hex(echo), kIcmpV6).application, app::kIcmpEcho) << echo;
  for (const char* other :
       {"08 00 f7ff", "08 01 f7ff 0001 0001", "0d 00 0000 0001 0001 00000000", "80 00 f7ff 0001 0001", ""})
    EXPECT_EQ(of(hex(other), kIcmp).application, app::kIcmpOther) << other;
  EXPECT_EQ(of(hex("08 00 f7ff 0001 0001"), kIcmpV6).application, app::kIcmpOther);
}

TEST(Identify, OtherProtocolsAreUnidentified) {
  EXPECT_EQ(of("GET / HTTP/1.1\r\n\r\n", kSctp).application, kApplicationUnidentified);
  EXPECT_EQ(of("whatever", 50).application, kApplicationUnidentified);
}

TEST(IdentifiedApplications, RunOnlyOverTheirTransports) {
  const auto snapshot = compiled(empty_policy());
  const auto can_run_over = [&](AppId id, uint8_t protocol) { return snapshot->can_run_over(id, protocol); };
  EXPECT_TRUE(can_run_over(app::kTls, kTcp));
  EXPECT_FALSE(can_run_over(app::kTls, kUdp));
  EXPECT_TRUE(can_run_over(app::kDns, kUdp));
  EXPECT_FALSE(can_run_over(app::kDns, kIcmp));
  EXPECT_TRUE(can_run_over(app::kIcmpEcho, kIcmpV6));
  EXPECT_FALSE(can_run_over(app::kIpmi20, kTcp));
  EXPECT_FALSE(can_run_over(app::kSsh, 50));
}

}  // namespace
}  // namespace postern::classify
