// SPDX-License-Identifier: Apache-2.0
#include "classify/slp_message.h"

#include <gtest/gtest.h>

#include "wire_bytes.h"

namespace postern::classify {
namespace {

std::string text(const std::string& t) { return be16(t.size()) + t; }

// Version 2 header with language "en" around a body.
std::string v2(uint8_t function, const std::string& body, const std::string& flags = hex("2000")) {
  return hex("02") + static_cast<char>(function) + be24(16 + body.size()) + flags + hex("000000 0007") +
         text("en") + body;
}
std::string v1(uint8_t function, const std::string& body) {
  return hex("01") + static_cast<char>(function) + be16(12 + body.size()) + hex("00 00") + "en" +
         hex("0003 0007") + body;
}

const std::string kRequest = v2(1, text("") + text("service:management-hardware.IBM:management-module") +
                                       text("default") + text("") + text(""));

Fit datagram(const std::string& bytes) { return is_slp_datagram(ExactBytes(bytes)); }
Fit stream(const std::string& bytes) { return is_slp_stream(ExactBytes(bytes)); }

TEST(SlpDatagram, MessagesOfBothVersionsAreRecognised) {
  EXPECT_EQ(datagram(kRequest), Fit::Yes);
  EXPECT_EQ(datagram(v2(2, hex("0000 0000"), hex("0000"))), Fit::Yes);  // reply without URLs
  EXPECT_EQ(datagram(v2(11, hex("0000") + "x", hex("0000"))), Fit::Yes);
  EXPECT_EQ(datagram(v1(1, text("") + text("service:x"))), Fit::Yes);
}

TEST(SlpDatagram, TruncatedAtAnyLengthIsNotSlp) {
  for (size_t n = 0; n < kRequest.size(); ++n) EXPECT_EQ(datagram(kRequest.substr(0, n)), Fit::No) << n;
  EXPECT_EQ(datagram(kRequest + "x"), Fit::No);
}

TEST(SlpDatagram, FieldsOutsideTheirRangeAreNotSlp) {
  EXPECT_EQ(datagram(v2(0, "")), Fit::No) << "function";
  EXPECT_EQ(datagram(v2(12, "")), Fit::No) << "function";
  EXPECT_EQ(datagram(v2(2, hex("0000 0000"), hex("0100"))), Fit::No) << "reserved flags";
  EXPECT_EQ(datagram(v2(2, hex("0000 0000"), hex("0001"))), Fit::No) << "reserved flags";
  std::string bad = kRequest;
  bad[14] = '1';
  EXPECT_EQ(datagram(bad), Fit::No) << "language";
  bad = kRequest;
  bad[9] = '\x7f';
  EXPECT_EQ(datagram(bad), Fit::No) << "extension outside the message";
  bad = kRequest;
  bad[0] = '\x03';
  EXPECT_EQ(datagram(bad), Fit::No) << "version";
  EXPECT_EQ(datagram(v1(11, "")), Fit::No) << "version 1 has ten functions";
}

TEST(SlpDatagram, ARequestWhoseTextsDoNotFillItIsNotSlp) {
  EXPECT_EQ(datagram(v2(1, text("") + text("service:x") + text("default") + text(""))), Fit::No);
  EXPECT_EQ(datagram(v2(1, text("") + text("service:x") + text("default") + text("") + text("") + "x")),
            Fit::No);
}

TEST(SlpStream, IsRecognisedWhenTheHeaderIsComplete) {
  for (size_t n = 0; n < 16; ++n) EXPECT_EQ(stream(kRequest.substr(0, n)), Fit::More) << n;
  for (size_t n = 16; n <= kRequest.size(); ++n) EXPECT_EQ(stream(kRequest.substr(0, n)), Fit::Yes) << n;
  const std::string old = v1(1, text("service:x"));
  for (size_t n = 0; n < 12; ++n) EXPECT_EQ(stream(old.substr(0, n)), Fit::More) << n;
  EXPECT_EQ(stream(old), Fit::Yes);
}

TEST(SlpStream, OtherBytesAreNotSlp) {
  EXPECT_EQ(stream("GET / HTTP/1.1"), Fit::No);
  EXPECT_EQ(stream(hex("02 20")), Fit::No);
  EXPECT_EQ(stream(hex("01 01 0020 01")), Fit::No);
}

}  // namespace
}  // namespace postern::classify
