// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "classify/decoders/decoders.h"
#include "classify/port_range.h"
#include "stream_samples.h"
#include "wire_bytes.h"

namespace postern::classify {
namespace {

using decoders::NamedDecoder;

std::vector<NamedDecoder> all_decoders() {
  std::vector<NamedDecoder> all(decoders::streams().begin(), decoders::streams().end());
  all.insert(all.end(), decoders::databases().begin(), decoders::databases().end());
  return all;
}

Decoder decoder_named(std::string_view name) {
  for (const NamedDecoder& decoder : all_decoders())
    if (decoder.name == name) return decoder.decode;
  return nullptr;
}

Fit judge(Decoder decode, const StreamSample& sample, std::string_view bytes) {
  const ExactBytes exact(bytes);
  return decode({.protocol = sample.protocol, .direction = sample.direction, .payload = exact});
}

Fit tcp(std::string_view decoder, Direction direction, const std::string& bytes) {
  return judge(decoder_named(decoder), {"", kTcp, direction, "", 0}, bytes);
}
Fit client(std::string_view decoder, const std::string& bytes) {
  return tcp(decoder, Direction::ToServer, bytes);
}
Fit server(std::string_view decoder, const std::string& bytes) {
  return tcp(decoder, Direction::ToClient, bytes);
}

// Decoders that rightly say Yes to the bytes of others, because those bytes alone do not tell.
const std::map<std::string_view, std::set<std::string>> kFamilies = {
    {"user_command", {"ftp", "pop3", "irc"}},  // all have USER
    {"redis", {"pop3"}},                       // "+OK"
    {"socks5", {"dce_rpc"}},                   // version 5, then a zero
};

// What random bytes may well be; the catalogue believes these on their ports alone, or while nothing
// stronger fits.
const std::set<std::string_view> kWeak = {"socks5", "socks4", "modbus", "redis", "memcached", "mqtt"};

TEST(StreamDecoders, SayYesToTheirProtocol) {
  for (const StreamSample& sample : stream_samples()) {
    if (const Decoder decode = decoder_named(sample.decoder)) {
      EXPECT_EQ(judge(decode, sample, sample.bytes), Fit::Yes)
          << sample.decoder << " in line " << sample.line;
    }
  }
}

TEST(StreamDecoders, HaveASampleEach) {
  std::set<std::string> seen;
  for (const StreamSample& sample : stream_samples()) seen.insert(sample.decoder);
  for (const NamedDecoder& decoder : all_decoders())
    EXPECT_TRUE(seen.contains(std::string(decoder.name))) << decoder.name;
}

TEST(StreamDecoders, NeedMoreUntilTheySayYesAndKeepSayingIt) {
  for (const StreamSample& sample : stream_samples()) {
    const Decoder decode = decoder_named(sample.decoder);
    if (decode == nullptr || sample.protocol == kUdp) continue;
    EXPECT_EQ(judge(decode, sample, ""), Fit::More) << sample.decoder;
    Fit before = Fit::More;
    for (size_t n = 1; n <= sample.bytes.size(); ++n) {
      const Fit fit = judge(decode, sample, sample.bytes.substr(0, n));
      EXPECT_GE(fit, before) << sample.decoder << " in line " << sample.line << " after " << n << " bytes";
      before = fit;
    }
  }
}

TEST(StreamDecoders, NeverWantMoreOfADatagram) {
  for (const StreamSample& sample : stream_samples()) {
    const Decoder decode = decoder_named(sample.decoder);
    if (decode == nullptr || sample.protocol != kUdp) continue;
    for (size_t n = 0; n < sample.bytes.size(); ++n)
      EXPECT_NE(judge(decode, sample, sample.bytes.substr(0, n)), Fit::More) << sample.decoder << " " << n;
  }
}

TEST(StreamDecoders, NeverSayYesToTheBytesOfAnotherProtocol) {
  for (const StreamSample& sample : stream_samples()) {
    for (const NamedDecoder& decoder : all_decoders()) {
      if (decoder.name == sample.decoder) continue;
      const auto family = kFamilies.find(decoder.name);
      if (family != kFamilies.end() && family->second.contains(sample.decoder)) continue;
      EXPECT_NE(judge(decoder.decode, sample, sample.bytes), Fit::Yes)
          << decoder.name << " takes " << sample.decoder << " in line " << sample.line;
    }
  }
}

TEST(StreamDecoders, NeverSayYesToRandomBytes) {
  std::mt19937 random(20250106);
  for (size_t i = 0; i < 10000; ++i) {
    std::string bytes(1 + random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    for (const NamedDecoder& decoder : all_decoders()) {
      if (kWeak.contains(decoder.name)) continue;
      EXPECT_NE(client(decoder.name, bytes), Fit::Yes) << decoder.name;
      EXPECT_NE(server(decoder.name, bytes), Fit::Yes) << decoder.name;
    }
  }
}

TEST(StreamDecoders, GiveUpAtTheFirstWrongByte) {
  EXPECT_EQ(client("nfs", hex("00")), Fit::No);  // no last fragment
  EXPECT_EQ(client("nfs", hex("8000002811223344 01")), Fit::No);
  EXPECT_EQ(client("ldap", hex("31")), Fit::No);
  EXPECT_EQ(client("kafka", hex("01")), Fit::No);
  EXPECT_EQ(client("mongodb", hex("3a000000 01000000 01")), Fit::More);
  EXPECT_EQ(client("mongodb", hex("3a000000 01000000 01000000")), Fit::No);
  EXPECT_EQ(server("mysql", hex("4a0000 01")), Fit::No);
  EXPECT_EQ(server("vnc", "RFB 2"), Fit::No);
  EXPECT_EQ(client("redis", "*0\r\n"), Fit::No);
}

TEST(StreamDecoders, RefuseLengthsThatDoNotFit) {
  EXPECT_EQ(client("postgres", hex("0000000904d2162f")), Fit::No);
  EXPECT_EQ(client("postgres", bytes_of("\0\0\0\x12\0\3\0\0user\0u\0\0\0\0")),
            Fit::No);  // ends before its length
  EXPECT_EQ(client("postgres", bytes_of("\0\0\0\x0f\0\3\0\0host\0u\0\0")), Fit::No);  // no user
  EXPECT_EQ(client("mqtt", hex("1004 0004 4d515454 04 02 003c 0002")), Fit::No);
  EXPECT_EQ(client("ldap", hex("300c02010160080201030400 8000")), Fit::No);  // the operation is too long
  EXPECT_EQ(client("rdp", hex("0300001312e00000000000 0100080003000000")), Fit::No);
  EXPECT_EQ(client("modbus", hex("000100000007010300000005")), Fit::No);
  EXPECT_EQ(client("git", bytes_of("0020git-upload-pack /a-long-name.git\0")), Fit::No);
  EXPECT_EQ(client("dce_rpc", hex("05000b0310000000 1c000000 01000000 d016d016 00000000 01000000")), Fit::No);
}

TEST(FtpGreeting, ThatCouldBeSmtpIsLeftOpenUntilTheNextReply) {
  const std::string open = "220 gate.example.net ready\r\n";
  EXPECT_EQ(server("ftp", open), Fit::More);
  EXPECT_EQ(server("smtp", open), Fit::More);
  EXPECT_EQ(server("ftp", open + "331 Password\r\n"), Fit::Yes);
  EXPECT_EQ(server("smtp", open + "331 Password\r\n"), Fit::No);
  EXPECT_EQ(server("smtp", open + "250 gate.example.net\r\n"), Fit::Yes);
  EXPECT_EQ(server("ftp", open + "250 gate.example.net\r\n"), Fit::No);
  EXPECT_EQ(server("ftp", open + "502 What?\r\n"), Fit::More);
  EXPECT_EQ(server("ftp", open + "999 What?\r\n"), Fit::No);
}

TEST(FtpGreeting, IsNotToldByTheNameOfTheHost) {
  EXPECT_EQ(server("smtp", "220 ftp.example.net ESMTP\r\n"), Fit::Yes);
  EXPECT_EQ(server("ftp", "220 smtp.example.net FTP server\r\n"), Fit::Yes);
  EXPECT_EQ(server("ftp", "220 ftp.example.net\r\n"), Fit::More);
}

TEST(UserCommand, AloneIsNeitherFtpNorPop3) {
  const std::string user = "USER admin\r\nPASS secret\r\n";
  EXPECT_EQ(client("user_command", user), Fit::Yes);
  EXPECT_EQ(client("ftp", user), Fit::More);
  EXPECT_EQ(client("pop3", user), Fit::More);
  EXPECT_EQ(client("ftp", user + "PASV\r\n"), Fit::Yes);
  EXPECT_EQ(client("pop3", user + "PASV\r\n"), Fit::No);
  EXPECT_EQ(client("pop3", user + "UIDL\r\n"), Fit::Yes);
  EXPECT_EQ(client("ftp", user + "UIDL\r\n"), Fit::No);
}

TEST(UserCommand, ThatEndsInNulIsRfc913s) {
  for (const char* decoder : {"ftp", "pop3", "irc", "user_command"})
    EXPECT_EQ(client(decoder, bytes_of("USER MRC\0")), Fit::No) << decoder;
}

TEST(Pop3Greeting, NeedsALineEndWhereRfc913HasNul) {
  EXPECT_EQ(server("pop3", bytes_of("+OK Simple File Transfer\0")), Fit::No);
  EXPECT_EQ(server("pop3", "+OK ready"), Fit::More);
  EXPECT_EQ(server("pop3", "-ERR busy\r\n"), Fit::No);
}

TEST(Telnet, IsNotClaimedByOneCommandOrPlainText) {
  EXPECT_EQ(client("telnet", hex("fffc18")), Fit::More);
  EXPECT_EQ(client("telnet", "root\r\n"), Fit::No);
  EXPECT_EQ(server("telnet", hex("fffb01") + bytes_of("\0\0")), Fit::No);
  EXPECT_EQ(server("telnet", hex("fffb80")), Fit::No);
}

TEST(PostgresServer, IsNotToldByItsAnswerToTheQuestionForEncryption) {
  EXPECT_EQ(server("postgres", "S"), Fit::More);
  EXPECT_EQ(server("postgres", "N"), Fit::More);
  EXPECT_EQ(server("postgres", "SSH-2.0-x\r\n"), Fit::No);
  EXPECT_EQ(server("postgres", "NOTICE AUTH :x\r\n"), Fit::No);
}

TEST(SunRpc, NamesTheProgramsThatHaveAnApplicationOfTheirOwn) {
  const auto call = [](uint32_t program) {
    return hex("80000028 11223344 00000000 00000002") + be16(program >> 16) + be16(program & 0xffff) +
           hex("00000003 00000001 00000000 00000000 00000000 00000000");
  };
  EXPECT_EQ(client("nfs", call(100003)), Fit::Yes);
  EXPECT_EQ(client("portmap", call(100003)), Fit::No);
  EXPECT_EQ(client("sunrpc", call(100003)), Fit::No);
  EXPECT_EQ(client("sunrpc", call(100227)), Fit::Yes);
  EXPECT_EQ(client("sunrpc", call(7)), Fit::No);
}

}  // namespace
}  // namespace postern::classify
