// SPDX-License-Identifier: Apache-2.0
#include "control/community_id.h"

#include <gtest/gtest.h>

namespace postern::control {
namespace {

std::string id_of(const char* source, const char* destination, uint8_t protocol, uint16_t source_port = 0,
                  uint16_t destination_port = 0) {
  const FlowTuple tuple{*IpAddress::parse(source), *IpAddress::parse(destination), protocol, source_port,
                        destination_port};
  return std::string(community_id(tuple).text());
}

// The baseline of the specification's reference implementation, seed 0.
TEST(CommunityId, MatchesThePublishedValueOfATcpFlow) {
  EXPECT_EQ(id_of("128.232.110.120", "66.35.250.204", 6, 34855, 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
}

TEST(CommunityId, IsTheSameForTheAnswers) {
  EXPECT_EQ(id_of("66.35.250.204", "128.232.110.120", 6, 80, 34855), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
}

TEST(CommunityId, MatchesThePublishedValueOfAUdpFlow) {
  EXPECT_EQ(id_of("192.168.1.52", "8.8.8.8", 17, 54585, 53), "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
}

TEST(CommunityId, MatchesThePublishedValueOfAnSctpFlow) {
  EXPECT_EQ(id_of("192.168.170.8", "192.168.170.56", 132, 7, 80), "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=");
}

TEST(CommunityId, JoinsAnIcmpEchoAndItsReply) {
  EXPECT_EQ(id_of("192.168.0.89", "192.168.0.1", 1, 8, 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
  EXPECT_EQ(id_of("192.168.0.1", "192.168.0.89", 1, 0, 8), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
}

TEST(CommunityId, KeepsTypeCodeAndDirectionOfOneWayIcmp) {
  EXPECT_EQ(id_of("192.168.0.89", "192.168.0.1", 1, 20, 0), "1:3o2RFccXzUgjl7zDpqmY7yJi8rI=");
  EXPECT_EQ(id_of("192.168.0.89", "192.168.0.1", 1, 20, 1), "1:tz/fHIDUHs19NkixVVoOZywde+I=");
  EXPECT_NE(id_of("192.168.0.1", "192.168.0.89", 1, 20, 0), id_of("192.168.0.89", "192.168.0.1", 1, 20, 0));
}

TEST(CommunityId, JoinsANeighbourSolicitationAndItsAdvertisement) {
  const auto* const one = "fe80::200:86ff:fe05:80da";
  const auto* const two = "fe80::260:97ff:fe07:69ea";
  EXPECT_EQ(id_of(one, two, 58, 135, 0), "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
  EXPECT_EQ(id_of(two, one, 58, 136, 0), "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
}

TEST(CommunityId, MatchesThePublishedValueOfOneWayIcmpV6) {
  EXPECT_EQ(id_of("3ffe:507:0:1:260:97ff:fe07:69ea", "3ffe:507:0:1:200:86ff:fe05:80da", 58, 3, 0),
            "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w=");
}

TEST(CommunityId, LeavesPortsOutWhereTheProtocolHasNone) {
  EXPECT_EQ(id_of("10.1.24.4", "10.1.12.1", 46), "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=");
  EXPECT_EQ(id_of("10.1.12.1", "10.1.24.4", 46, 3, 4), "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=");
}

TEST(CommunityId, OrdersByPortWhenBothEndsAreOneAddress) {
  EXPECT_EQ(id_of("127.0.0.1", "127.0.0.1", 6, 80, 50000), id_of("127.0.0.1", "127.0.0.1", 6, 50000, 80));
}

}  // namespace
}  // namespace postern::control
