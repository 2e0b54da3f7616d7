// SPDX-License-Identifier: Apache-2.0
#include "classify/dns_message.h"

#include <gtest/gtest.h>

#include "wire_bytes.h"

namespace postern::classify {
namespace {

const std::string kQuestion =
    hex("03 777777 07 6578616d706c65 03 636f6d 00 0001 0001");  // www.example.com A IN
const std::string kEdns = hex("00 0029 04d0 00000000 0000");
const std::string kQuery = hex("1234 0100 0001 0000 0000 0000") + kQuestion;
const std::string kQueryWithEdns = hex("1234 0120 0001 0000 0000 0001") + kQuestion + kEdns;
const std::string kAnswer =
    hex("1234 8180 0001 0001 0000 0000") + kQuestion + hex("c00c 0001 0001 0000012c 0004 0a020035");

Fit datagram(const std::string& bytes, DnsRole role = DnsRole::Query) {
  return is_dns_datagram(ExactBytes(bytes), role);
}
Fit stream(const std::string& bytes, DnsRole role = DnsRole::Query) {
  return is_dns_stream(ExactBytes(bytes), role);
}
std::string framed(const std::string& message) { return be16(message.size()) + message; }

TEST(DnsDatagram, QueriesAndAnswersAreRecognised) {
  EXPECT_EQ(datagram(kQuery), Fit::Yes);
  EXPECT_EQ(datagram(kQueryWithEdns), Fit::Yes);
  EXPECT_EQ(datagram(kAnswer, DnsRole::Response), Fit::Yes);
  EXPECT_EQ(datagram(hex("1234 0100 0001 0000 0000 0000 00 0002 0001")), Fit::Yes);  // NS of the root
}

TEST(DnsDatagram, TruncatedAtAnyLengthIsNotDns) {
  for (const std::string& whole : {kQuery, kQueryWithEdns})
    for (size_t n = 0; n < whole.size(); ++n) EXPECT_EQ(datagram(whole.substr(0, n)), Fit::No) << n;
  for (size_t n = 0; n < kAnswer.size(); ++n)
    EXPECT_EQ(datagram(kAnswer.substr(0, n), DnsRole::Response), Fit::No);
}

TEST(DnsDatagram, WithBytesAfterItsEndIsNotDns) { EXPECT_EQ(datagram(kQuery + "x"), Fit::No); }

TEST(DnsDatagram, TheWrongDirectionIsNotDns) {
  EXPECT_EQ(datagram(kQuery, DnsRole::Response), Fit::No);
  EXPECT_EQ(datagram(kAnswer, DnsRole::Query), Fit::No);
}

TEST(DnsDatagram, HeadersNoClientSendsAreNotDns) {
  for (const char* header : {"1234 0140 0001 0000 0000 0000",   // reserved bit
                             "1234 0100 0000 0000 0000 0000",   // no question
                             "1234 0100 0002 0000 0000 0000",   // two
                             "1234 0103 0001 0000 0000 0000",   // a query with an error
                             "1234 7900 0001 0000 0000 0000",   // no such operation
                             "1234 0100 0001 0001 0000 0000"})  // an answer in a query
    EXPECT_EQ(datagram(hex(header) + kQuestion), Fit::No) << header;
}

TEST(DnsDatagram, BadQuestionsAreNotDns) {
  const std::string header = hex("1234 0100 0001 0000 0000 0000");
  EXPECT_EQ(datagram(header + hex("c00c 0001 0001")), Fit::No) << "compressed question";
  EXPECT_EQ(datagram(header + hex("40") + std::string(64, 'a') + hex("00 0001 0001")), Fit::No)
      << "label of 64";
  EXPECT_EQ(datagram(header + hex("00 0000 0001")), Fit::No) << "type 0";
  EXPECT_EQ(datagram(header + hex("00 0001 0007")), Fit::No) << "unknown class";
  std::string longest, too_long;
  for (int i = 0; i < 3; ++i) longest += hex("3f") + std::string(63, 'a');
  too_long = longest + hex("3e") + std::string(62, 'a');
  longest += hex("3d") + std::string(61, 'a');
  EXPECT_EQ(datagram(header + longest + hex("00 0001 0001")), Fit::Yes) << "name of 255";
  EXPECT_EQ(datagram(header + too_long + hex("00 0001 0001")), Fit::No) << "name of 256";
}

TEST(DnsDatagram, CompressionMustPointBack) {
  const std::string header = hex("1234 8180 0001 0001 0000 0000") + kQuestion;  // the record starts at 33
  EXPECT_EQ(datagram(header + hex("c021 0001 0001 0000012c 0000"), DnsRole::Response), Fit::No)
      << "to itself";
  EXPECT_EQ(datagram(header + hex("c02d 0001 0001 0000012c 0000"), DnsRole::Response), Fit::No) << "forward";
  EXPECT_EQ(datagram(header + hex("c000 0001 0001 0000012c 0000"), DnsRole::Response), Fit::No)
      << "into the header";
  EXPECT_EQ(datagram(header + hex("c010 0001 0001 0000012c 0000"), DnsRole::Response), Fit::Yes);
}

TEST(DnsDatagram, ATruncatedAnswerMayLackRecords) {
  const std::string question = hex("1234 8380 0001 0005 0000 0000") + kQuestion;
  EXPECT_EQ(datagram(question, DnsRole::Response), Fit::Yes);
  EXPECT_EQ(datagram(question + hex("c0"), DnsRole::Response), Fit::No);
}

TEST(DnsDatagram, MulticastAnnouncementsCountInBothDirections) {
  const std::string announcement =
      hex("0000 8400 0000 0001 0000 0000 04 686f7374 05 6c6f63616c 00 0001 8001 00000078 0004 0a030001");
  EXPECT_EQ(datagram(announcement, DnsRole::Either), Fit::Yes);
  EXPECT_EQ(datagram(announcement, DnsRole::Query), Fit::No);
  EXPECT_EQ(datagram(std::string(12, '\0'), DnsRole::Either), Fit::No);
}

TEST(DnsStream, IsRecognisedWhenTheQuestionIsComplete) {
  const std::string whole = framed(kQueryWithEdns);
  const size_t question_end = 2 + kQuery.size();
  for (size_t n = 0; n < question_end; ++n) EXPECT_EQ(stream(whole.substr(0, n)), Fit::More) << n;
  for (size_t n = question_end; n <= whole.size(); ++n) EXPECT_EQ(stream(whole.substr(0, n)), Fit::Yes) << n;
}

TEST(DnsStream, MayHoldAnotherMessageBehind) { EXPECT_EQ(stream(framed(kQuery) + framed(kQuery)), Fit::Yes); }

TEST(DnsStream, AnswersAreRecognised) { EXPECT_EQ(stream(framed(kAnswer), DnsRole::Response), Fit::Yes); }

TEST(DnsStream, TextAndOtherProtocolsAreNotDns) {
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n"), std::string("EHLO mail"), std::string("SSH-2.0-x"),
        hex("16 0301 0200 01 0001fc 0303"), hex("0005 1234"), std::string(32, '\xff')})
    EXPECT_EQ(stream(bytes), Fit::No);
}

TEST(DnsStream, ALengthThatDoesNotMatchTheMessageIsNotDns) {
  EXPECT_EQ(stream(be16(kQuery.size() + 1) + kQuery + "x"), Fit::No);
  EXPECT_EQ(stream(be16(kQuery.size() - 1) + kQuery), Fit::No);
}

}  // namespace
}  // namespace postern::classify
