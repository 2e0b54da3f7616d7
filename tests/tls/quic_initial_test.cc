// SPDX-License-Identifier: Apache-2.0
#include "tls/quic_initial.h"

#include <gtest/gtest.h>

#include "classify/tls_client_hello.h"
#include "quic_packets.h"
#include "tests/classify/tls_chrome_hello.h"

namespace postern::tls {
namespace {

using classify::ExactBytes;
using classify::hex;
using State = QuicInitial::State;

template <size_t N>
std::string text_of(const std::array<uint8_t, N>& bytes) {
  return {bytes.begin(), bytes.end()};
}

// The CRYPTO frame of RFC 9001 appendix A.2, padded as there.
const std::string kRfcFrame =
    hex("060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868"
        "04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578"
        "616d706c652e636f6dff01000100000a00080006001d00170018001000070005"
        "04616c706e000500050100000000003300260024001d00209370b2c9caa47fba"
        "baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400"
        "0d0010000e0403050306030203080408050806002d00020101001c0002400100"
        "3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000"
        "75300901100f088394c8f03e51570806048000ffff");
const std::string kRfcPayload = kRfcFrame + std::string(1162 - kRfcFrame.size(), '\0');

class QuicInitialTest : public ::testing::Test {
 protected:
  QuicInitialTest() : made_(QuicProtection::make()), protection_(*made_) {}

  State take(QuicInitial& initial, const std::string& datagram) {
    return initial.take(ExactBytes(datagram), protection_);
  }
  std::string sealed(const std::string& payload) { return builder_.seal(protection_, payload); }

  Result<QuicProtection> made_;
  QuicProtection& protection_;
  QuicPacketBuilder builder_;
};

struct Vector {
  QuicVersion version;
  const char *key, *iv, *header_key, *header, *sealed_header;
};

// RFC 9001 appendix A.1 and A.2, RFC 9369 appendix A.1 and A.2, draft-ietf-quic-tls-29 appendix A.1.
const Vector kVectors[] = {
    {QuicVersion::V1, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c",
     "9f50449e04a0e810283a1e9933adedd2", "c300000001088394c8f03e5157080000449e00000002",
     "c000000001088394c8f03e5157080000449e7b9aec34"},
    {QuicVersion::V2, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f",
     "45b95e15235d6f45a6b19cbcb0294ba9", "d36b3343cf088394c8f03e5157080000449e00000002",
     "d76b3343cf088394c8f03e5157080000449ea0c95e82"},
    {QuicVersion::Draft29, "175257a31eb09dea9366d8bb79ad80ba", "6b26114b9cba2b63a9e8dd4f",
     "9ddd12c994c0698b89374a9c077a3077", "c3ff00001d088394c8f03e5157080000449e00000002", ""},
};

TEST_F(QuicInitialTest, KeysAreThoseOfTheStandards) {
  for (const Vector& vector : kVectors) {
    const auto keys = protection_.client_keys(vector.version, as_bytes(builder_.connection_id));
    ASSERT_TRUE(keys);
    EXPECT_EQ(text_of(keys->key), hex(vector.key));
    EXPECT_EQ(text_of(keys->iv), hex(vector.iv));
    EXPECT_EQ(text_of(keys->header_key), hex(vector.header_key));
  }
}

// The packets are rebuilt from the standard's payload; its header, sample and tag show that they are the
// same.
TEST_F(QuicInitialTest, PacketsOfTheStandardsAreOpened) {
  for (const Vector& vector : kVectors) {
    builder_.version = vector.version;
    EXPECT_EQ(builder_.header(kRfcPayload.size()), hex(vector.header));
    const std::string datagram = sealed(kRfcPayload);
    ASSERT_EQ(datagram.size(), 1200u);
    EXPECT_TRUE(datagram.starts_with(hex(vector.sealed_header)));
    EXPECT_TRUE(QuicInitial::can_start(as_bytes(datagram)));
    QuicInitial initial;
    ASSERT_EQ(take(initial, datagram), State::Whole);
    EXPECT_EQ(initial.version(), vector.version);
    EXPECT_EQ(as_text(initial.client_hello()), kRfcFrame.substr(8));
  }
  builder_.version = QuicVersion::V1;
  const std::string datagram = sealed(kRfcPayload);
  EXPECT_EQ(datagram.substr(22, 16), hex("d1b1c98dd7689fb8ec11d242b123dc9b"));
  EXPECT_EQ(datagram.substr(1184), hex("e221af44860018ab0856972e194cd934"));
}

TEST_F(QuicInitialTest, HelloIsPutTogetherFromFramesInAnyOrder) {
  const std::string hello = classify::handshake(classify::chrome_body("a.example"));
  for (const size_t piece : {100, 333, 1000}) {
    QuicInitial initial;
    std::vector<std::string> datagrams;
    for (size_t at = 0; at < hello.size(); at += piece)
      datagrams.push_back(crypto_frame(at, hello.substr(at, piece)) + hex("01 0000"));
    builder_.number = 0;
    for (size_t i = datagrams.size(); i-- > 0; ++builder_.number)
      EXPECT_EQ(take(initial, sealed(datagrams[i])), i == 0 ? State::Whole : State::Partial);
    EXPECT_EQ(as_text(initial.client_hello()), hello.substr(4));
    EXPECT_EQ(classify::view_tls_client_hello(initial.client_hello()).fit, classify::Fit::Yes);
  }
}

TEST_F(QuicInitialTest, PacketsMayShareADatagram) {
  const std::string hello = classify::handshake(classify::hello_body(classify::server_name("a.example")));
  const std::string first = sealed(crypto_frame(0, hello.substr(0, 50)));
  // A 0-RTT packet between the two, which nobody but the server opens.
  const std::string early = hex("d0 00000001 08 8394c8f03e515708 00 4020") + std::string(32, 'e');
  builder_.number = 3;
  QuicInitial initial;
  EXPECT_EQ(take(initial, first + early + sealed(crypto_frame(50, hello.substr(50)))), State::Whole);
  EXPECT_EQ(as_text(initial.client_hello()), hello.substr(4));
}

TEST_F(QuicInitialTest, PacketNumbersOfAnyLengthAreRead) {
  for (const uint8_t bytes : {1, 2, 3, 4}) {
    builder_.number_bytes = bytes;
    builder_.number = 0x7f;
    QuicInitial initial;
    EXPECT_EQ(take(initial, sealed(kRfcPayload)), State::Whole) << int{bytes};
  }
}

TEST_F(QuicInitialTest, KeysStayWhenTheConnectionIdChanges) {
  QuicInitial initial;
  const auto keys = protection_.client_keys(QuicVersion::V1, as_bytes(builder_.connection_id));
  const std::string hello = kRfcFrame.substr(4);
  EXPECT_EQ(take(initial, sealed(crypto_frame(0, hello.substr(0, 100)))), State::Partial);
  builder_.connection_id = "server's";
  builder_.number = 3;
  EXPECT_EQ(take(initial, builder_.seal(*keys, crypto_frame(100, hello.substr(100)))), State::Whole);
}

TEST_F(QuicInitialTest, KeysAreMadeAnewAfterARetry) {
  QuicInitial initial;
  const std::string hello = kRfcFrame.substr(4);
  EXPECT_EQ(take(initial, sealed(crypto_frame(0, hello.substr(0, 100)))), State::Partial);
  builder_.connection_id = "retried!";
  builder_.number = 3;
  EXPECT_EQ(take(initial, sealed(kRfcPayload)), State::Partial) << "no token";
  builder_.token = "token";
  EXPECT_EQ(take(initial, sealed(kRfcPayload)), State::Whole);
}

TEST_F(QuicInitialTest, AcknowledgementsAreSteppedOver) {
  QuicInitial initial;
  EXPECT_EQ(take(initial, sealed(hex("02 05 00 01 01 00 00") + hex("03 05 00 00 01 01 02 03") + kRfcFrame)),
            State::Whole);
}

TEST_F(QuicInitialTest, DamagedPacketsAreNoError) {
  const std::string datagram = sealed(kRfcPayload);
  for (size_t at = 0; at < datagram.size(); at += 7) {
    std::string damaged = datagram;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    QuicInitial initial;
    EXPECT_EQ(take(initial, damaged), State::Nothing) << at;
    EXPECT_EQ(take(initial, datagram), State::Whole) << at;
  }
}

TEST_F(QuicInitialTest, ShortenedDatagramsAreNoError) {
  const std::string datagram = sealed(kRfcPayload);
  for (size_t size = 0; size < datagram.size(); size += size < 64 ? 1 : 97) {
    QuicInitial initial;
    EXPECT_EQ(take(initial, datagram.substr(0, size)), State::Nothing) << size;
    EXPECT_FALSE(QuicInitial::can_start(ExactBytes(datagram.substr(0, size)))) << size;
  }
}

TEST_F(QuicInitialTest, FramesThatDifferAreRefused) {
  QuicInitial initial;
  EXPECT_EQ(take(initial, sealed(crypto_frame(0, hex("01 0000ed 0303")))), State::Partial);
  EXPECT_EQ(take(initial, sealed(crypto_frame(3, hex("ed 0303")))), State::Partial) << "the same again";
  EXPECT_EQ(take(initial, sealed(crypto_frame(3, hex("ee 0303")))), State::Refused);
  EXPECT_EQ(take(initial, sealed(kRfcPayload)), State::Refused);
}

TEST_F(QuicInitialTest, OtherMessagesAndLongHellosAreRefused) {
  for (const std::string& frame : {crypto_frame(0, hex("02 0000ed")), crypto_frame(0, hex("01 001000")),
                                   crypto_frame(4090, std::string(7, 'x'))}) {
    QuicInitial initial;
    EXPECT_EQ(take(initial, sealed(frame + std::string(20, '\0'))), State::Refused);
  }
  QuicInitial longest;
  EXPECT_EQ(take(longest, sealed(crypto_frame(0, hex("01 000ffc") + std::string(4092, 'x')))), State::Whole);
}

TEST_F(QuicInitialTest, OtherDatagramsCannotStart) {
  for (const std::string& datagram :
       {hex("16 0301 0040 01") + std::string(1200, 'x'), hex("40 00000001") + std::string(1200, 'x'),
        hex("c0 00000002 08") + std::string(1200, 'x'), hex("c0 00000000 08") + std::string(1200, 'x'),
        hex("e0 00000001 08") + std::string(1200, 'x'), hex("c0 00000001 04") + std::string(1200, '\x04')})
    EXPECT_FALSE(QuicInitial::can_start(as_bytes(datagram)));
}

TEST(QuicInitial, IsSmallEnoughForAFlowUnderInspection) { EXPECT_LE(sizeof(QuicInitial), 4800u); }

}  // namespace
}  // namespace postern::tls
