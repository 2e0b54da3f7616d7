// SPDX-License-Identifier: Apache-2.0
#include "classify/ipmi_message.h"

#include <gtest/gtest.h>

#include "wire_bytes.h"

namespace postern::classify {
namespace {

RmcpKind kind(const std::string& datagram) { return classify_rmcp(ExactBytes(datagram)); }

// A LAN message: responder, function, checksum, requester, sequence, command, data, checksum.
std::string lan_message(uint8_t function, uint8_t command, const std::string& data) {
  const auto checksum = [](const std::string& bytes) {
    uint8_t sum = 0;
    for (const char c : bytes) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(c));
    return static_cast<char>(-sum);
  };
  const std::string head = hex("20") + static_cast<char>(function << 2);
  const std::string tail = hex("81 04") + static_cast<char>(command) + data;
  return head + checksum(head) + tail + checksum(tail);
}

std::string ipmi15(const std::string& session_header, const std::string& message) {
  return hex("06 00 ff 07") + session_header + static_cast<char>(message.size()) + message;
}
const std::string kOutside = hex("00 00000000 00000000");

std::string ipmi20(const std::string& type_and_ids, const std::string& payload,
                   const std::string& trailer = "") {
  return hex("06 00 ff 07 06") + type_and_ids + static_cast<char>(payload.size() & 0xff) +
         static_cast<char>(payload.size() >> 8) + payload + trailer;
}
const std::string kNoSession = hex("00000000 00000000");
const std::string kOpenSession = ipmi20(hex("10") + kNoSession, hex("00 00 00 00 a4a3a2a0"
                                                                    "00 00 00 08 01 00 00 00"
                                                                    "01 00 00 08 01 00 00 00"
                                                                    "02 00 00 08 01 00 00 00"));
const std::string kPing = hex("06 00 ff 06 000011be 80 00 00 00");
const std::string kPong = hex("06 00 ff 06 000011be 40 00 00 10 000011be 00000000 81 00 000000000000");

TEST(Rmcp, SessionSetupOfIpmi20IsIpmi20) {
  EXPECT_EQ(kind(kOpenSession), RmcpKind::Ipmi20);
  EXPECT_EQ(kind(ipmi20(hex("12") + kNoSession, std::string(28, 'r'))), RmcpKind::Ipmi20);
  EXPECT_EQ(kind(ipmi20(hex("15") + kNoSession, std::string(8, 'r'))), RmcpKind::Ipmi20);
}

TEST(Rmcp, SessionTrafficOfIpmi20IsIpmi20) {
  const std::string ids = hex("a4a3a2a0 01000000");
  EXPECT_EQ(kind(ipmi20(hex("c0") + ids, std::string(32, 'e'), hex("ffff 02 07") + std::string(12, 'h'))),
            RmcpKind::Ipmi20);
  EXPECT_EQ(kind(ipmi20(hex("40") + ids, lan_message(6, 1, ""), hex("ff 01 07") + std::string(16, 'h'))),
            RmcpKind::Ipmi20);
  EXPECT_EQ(kind(ipmi20(hex("00") + ids, lan_message(6, 1, ""))), RmcpKind::Ipmi20);
  EXPECT_EQ(kind(ipmi20(hex("01") + ids, hex("01000000") + "login:")), RmcpKind::Ipmi20);
}

TEST(Rmcp, MessagesInAnOldSessionAreIpmi15) {
  EXPECT_EQ(kind(ipmi15(hex("04 01000000 a4a3a2a0") + std::string(16, 'p'), lan_message(6, 1, ""))),
            RmcpKind::Ipmi15);
  EXPECT_EQ(kind(ipmi15(hex("00 01000000 a4a3a2a0"), lan_message(6, 0x3b, hex("04")))), RmcpKind::Ipmi15);
  EXPECT_EQ(kind(ipmi15(kOutside, lan_message(6, 0x39, hex("02") + std::string(16, 'u')))), RmcpKind::Ipmi15);
}

TEST(Rmcp, TheFirstQuestionOfAnIpmi20ClientDoesNotSettleTheVersion) {
  EXPECT_EQ(kind(ipmi15(kOutside, lan_message(6, 0x38, hex("8e 04")))), RmcpKind::IpmiDiscovery);
  EXPECT_EQ(kind(ipmi15(kOutside, lan_message(7, 0x38, hex("00 01 80 04 02 000000 00")))),
            RmcpKind::IpmiDiscovery);
}

TEST(Rmcp, TheFirstQuestionOfAnIpmi15ClientIsIpmi15) {
  EXPECT_EQ(kind(ipmi15(kOutside, lan_message(6, 0x38, hex("0e 04")))), RmcpKind::Ipmi15);
}

TEST(Rmcp, OneByteOfPaddingIsAllowedWhereOldHardwareNeedsIt) {
  const std::string session =
      hex("02 01000000 a4a3a2a0") + std::string(16, 'p');  // 30 bytes before the message
  EXPECT_EQ(kind(ipmi15(session, lan_message(6, 1, std::string(19, 'd'))) + '\0'), RmcpKind::Ipmi15);  // 56
  EXPECT_EQ(kind(ipmi15(session, lan_message(6, 1, std::string(20, 'd'))) + '\0'), RmcpKind::None);
}

TEST(Rmcp, PresenceMessagesAndAcknowledgementsAreAsf) {
  EXPECT_EQ(kind(kPing), RmcpKind::Asf);
  EXPECT_EQ(kind(kPong), RmcpKind::Asf);
  EXPECT_EQ(kind(hex("06 00 17 86")), RmcpKind::Asf);
}

TEST(Rmcp, TruncatedAtAnyLengthIsNothing) {
  for (const std::string& whole :
       {kOpenSession, kPing, kPong, ipmi15(kOutside, lan_message(6, 0x38, hex("8e 04"))),
        ipmi20(hex("c0 a4a3a2a0 01000000"), std::string(32, 'e'),
               hex("ffff 02 07") + std::string(12, 'h'))}) {
    for (size_t n = 0; n < whole.size(); ++n) EXPECT_EQ(kind(whole.substr(0, n)), RmcpKind::None) << n;
    EXPECT_EQ(kind(whole + std::string(5, 'x')), RmcpKind::None);
  }
}

TEST(Rmcp, WrongChecksumsTypesAndHeadersAreNothing) {
  std::string bad = ipmi15(kOutside, lan_message(6, 0x39, hex("02")));
  bad.back() ^= 1;
  EXPECT_EQ(kind(bad), RmcpKind::None);
  EXPECT_EQ(kind(ipmi20(hex("16") + kNoSession, std::string(32, 'x'))), RmcpKind::None);
  EXPECT_EQ(kind(ipmi20(hex("10 01000000 00000000"), std::string(32, 'x'))), RmcpKind::None);
  EXPECT_EQ(kind(hex("06 00 fe 07") + kOpenSession.substr(4)), RmcpKind::None);
  EXPECT_EQ(kind(hex("06 00 ff 08") + kOpenSession.substr(4)), RmcpKind::None);
  EXPECT_EQ(kind(hex("06 00 ff 07 03") + kOpenSession.substr(5)), RmcpKind::None);
  EXPECT_EQ(kind(hex("06 00 ff 06 000011bf 80 00 00 00")), RmcpKind::None);
  EXPECT_EQ(kind(hex("06 00 ff 06 000011be 99 00 00 00")), RmcpKind::None);
}

}  // namespace
}  // namespace postern::classify
