// SPDX-License-Identifier: Apache-2.0
// Messages of which one field is wrong.
#include <gtest/gtest.h>

#include <set>

#include "datagram_samples.h"

namespace postern::classify::decoders {
namespace {

TEST(Snmp, VersionLengthsAndPduMustFit) {
  EXPECT_EQ(with("snmp_v1 get", 4, 1), Fit::No) << "version 2c";
  EXPECT_EQ(with("snmp_v1 get", 4, 2), Fit::No) << "no such version";
  EXPECT_EQ(with("snmp_v1 get", 13, 0xa5), Fit::No) << "version 1 has no bulk request";
  EXPECT_EQ(with("snmp_v2c get_next", 13, 0xa4), Fit::No) << "version 2c has other traps";
  EXPECT_EQ(with("snmp_v1 get", 1, 0x28), Fit::No) << "a byte behind the message";
  EXPECT_EQ(with("snmp_v1 get", 1, 0x80), Fit::No) << "indefinite length";
  EXPECT_EQ(with("snmp_v1 get", 23, 19), Fit::No) << "error status";
  EXPECT_EQ(with("snmp_v1 get", 31, 0x04), Fit::No) << "a binding without a name";
  EXPECT_EQ(with("snmp_v3 discovery", 20, 2), Fit::No) << "privacy without authentication";
}

TEST(Ntp, ModeGoesWithTheDirection) {
  const std::string request = sample("ntp chrony_request").bytes, answer = sample("ntp chrony_answer").bytes;
  EXPECT_EQ(datagram("ntp", answer, Direction::ToServer), Fit::No);
  EXPECT_EQ(datagram("ntp", request, Direction::ToClient), Fit::No);
  EXPECT_EQ(datagram("ntp", request + "x"), Fit::No) << "neither key nor extension";
  EXPECT_EQ(with("ntp chrony_request", 0, 0x03), Fit::No) << "version 0";
  EXPECT_EQ(with("ntp chrony_request", 0, 0x26), Fit::No) << "control";
  EXPECT_EQ(with("ntp chrony_request", 1, 17), Fit::No) << "stratum";
}

TEST(NtpControl, CountsMustFit) {
  EXPECT_EQ(with("ntp_control read_variables", 11, 1), Fit::No) << "data that is not there";
  EXPECT_EQ(with("ntp_control read_variables", 1, 0x0d), Fit::No) << "operation";
  EXPECT_EQ(with("ntp_control read_variables", 1, 0x82), Fit::No) << "an answer to the server";
  EXPECT_EQ(with("ntp_control monlist_answer", 7, 0x47), Fit::No) << "items do not fill it";
  EXPECT_EQ(datagram("ntp_control", hex("1700032a 00000000")), Fit::Yes)
      << "the shortest amplification request";
}

TEST(Dhcp, CookieAndOptionsMustFit) {
  EXPECT_EQ(with("dhcp discover", 0, 3), Fit::No);
  EXPECT_EQ(with("dhcp discover", 239, 0x64), Fit::No) << "cookie";
  EXPECT_EQ(with("dhcp discover", 242, 19), Fit::No) << "message type";
  EXPECT_EQ(with("dhcp discover", 241, 0xff), Fit::No) << "option longer than the message";
  EXPECT_EQ(with("dhcpv6 solicit", 0, 14), Fit::No) << "type";
  EXPECT_EQ(with("dhcpv6 solicit", 9, 5), Fit::No) << "DUID type";
}

TEST(Tftp, OnlyKnownModesAndWholePairsOfOptions) {
  EXPECT_EQ(datagram("tftp", bytes_of("\0\1fw\0binary\0")), Fit::No);
  EXPECT_EQ(datagram("tftp", bytes_of("\0\1\0octet\0")), Fit::No) << "no file name";
  EXPECT_EQ(datagram("tftp", bytes_of("\0\1fw\0octet\0blksize\0")), Fit::No);
  EXPECT_EQ(datagram("tftp", bytes_of("\0\1f\nw\0octet\0")), Fit::No) << "control character";
  EXPECT_EQ(datagram("tftp_transfer", hex("0005 0009 00")), Fit::No) << "error code";
  EXPECT_EQ(datagram("tftp_transfer", hex("0004 0001 00")), Fit::No) << "an acknowledgement has four bytes";
}

TEST(Ssdp, RedfishIsItsOwnKind) {
  const std::string text = sample("redfish_discovery search").bytes;
  EXPECT_EQ(datagram("ssdp", text), Fit::No);
  std::string other = text;
  other.replace(other.find("rest:1"), 6, "rest:12");
  EXPECT_EQ(datagram("redfish_discovery", other), Fit::No) << "major version 12";
  EXPECT_EQ(datagram("ssdp", other), Fit::Yes);
}

TEST(Ssdp, EachMessageNeedsItsHeaders) {
  EXPECT_EQ(datagram("ssdp", "M-SEARCH * HTTP/1.1\r\nST: x\r\n\r\n"), Fit::No) << "MAN";
  EXPECT_EQ(datagram("ssdp", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"), Fit::No) << "plain HTTP";
  EXPECT_EQ(datagram("ssdp", "NOTIFY * HTTP/1.1\r\nNT: x\r\nnts: ssdp:byebye\r\n\r\n"), Fit::Yes);
}

TEST(WsDiscovery, IsAWholeEnvelopeWithItsAction) {
  const std::string probe = sample("ws_discovery probe").bytes;
  std::string other = probe;
  other.replace(other.find("/Probe<"), 7, "/Other<");
  EXPECT_EQ(datagram("ws_discovery", other), Fit::No);
  EXPECT_EQ(datagram("ws_discovery", probe + "x"), Fit::No);
  EXPECT_EQ(datagram("ws_discovery", "<html>" + probe), Fit::No);
}

TEST(Radius, RequestsNeedTheAttributesOfTheirCode) {
  const std::string header = hex("01 07 0020") + std::string(16, 'r');
  EXPECT_EQ(datagram("radius", header + hex("01 0c") + "0123456789"), Fit::No) << "no NAS";
  EXPECT_EQ(datagram("radius", header + hex("20 0c") + "0123456789"), Fit::Yes);
  EXPECT_EQ(datagram("radius", header + hex("20 0c") + "0123456789", Direction::ToClient), Fit::No);
  EXPECT_EQ(datagram("radius", header + hex("20 0b") + "0123456789"), Fit::No) << "a byte is left";
  EXPECT_EQ(datagram("radius", header + hex("04 0c") + "0123456789"), Fit::No) << "an address of ten bytes";
}

TEST(Syslog, PriorityIsANumberUpTo191) {
  const std::string rest = "Nov 21 14:34:45 host tag: text";
  EXPECT_EQ(datagram("syslog", "<191>" + rest), Fit::Yes);
  EXPECT_EQ(datagram("syslog", "<192>" + rest), Fit::No);
  EXPECT_EQ(datagram("syslog", "<013>" + rest), Fit::No);
  EXPECT_EQ(datagram("syslog", "<>" + rest), Fit::No);
  EXPECT_EQ(datagram("syslog", "<13>Nav 21 14:34:45 host tag: text"), Fit::No);
  EXPECT_EQ(datagram("syslog_bare", bytes_of("<13>te\0xt")), Fit::No);
  EXPECT_EQ(datagram("syslog_tcp", "5 <13>Nov 21 14:34:45 host"), Fit::No) << "the count ends in the header";
  EXPECT_EQ(datagram("syslog_tcp", "<html>"), Fit::No);
}

TEST(Kerberos, NestedLengthsAndTypeMustAgree) {
  EXPECT_EQ(with("kerberos as_request", 0, 0x6c), Fit::No) << "outer and inner type";
  EXPECT_EQ(with("kerberos as_request", 2, 0xa9), Fit::No);
  EXPECT_EQ(with("kerberos as_request", 10, 4), Fit::No) << "version";
  EXPECT_EQ(with("kerberos_tcp as_request", 3, 0xae), Fit::No) << "length of the record";
}

TEST(Quic, LengthsVersionsAndDirectionMustFit) {
  const std::string initial = sample("quic v1_initial").bytes;
  EXPECT_EQ(datagram("quic", initial + hex("41")), Fit::No) << "too short for a packet";
  EXPECT_EQ(datagram("quic", initial + hex("0000")), Fit::Yes) << "padding";
  EXPECT_EQ(with("quic v1_initial", 4, 2), Fit::No) << "unknown version";
  EXPECT_EQ(with("quic v1_initial", 5, 21), Fit::No) << "connection id";
  EXPECT_EQ(datagram("quic", sample("quic retry").bytes), Fit::No) << "clients do not retry";
  EXPECT_EQ(datagram("quic", sample("quic version_negotiation").bytes), Fit::No);
  EXPECT_EQ(with("quic initial_and_0rtt", 1230 + 6, 0), Fit::No) << "another connection in the same datagram";
}

TEST(Ike, PayloadsFillTheMessage) {
  EXPECT_EQ(with("ike v2_sa_init", 27, 0), Fit::No) << "length";
  EXPECT_EQ(with("ike v2_sa_init", 17, 0x30), Fit::No) << "version";
  EXPECT_EQ(with("ike v2_sa_init", 18, 2), Fit::No) << "exchange of version 1";
  EXPECT_EQ(with("ike v2_sa_init", 31, 5), Fit::No) << "a payload that ends elsewhere";
  EXPECT_EQ(datagram("ike", sample("ike_nat_traversal v2_auth").bytes), Fit::No);
}

TEST(Wireguard, TextOfTheRightLengthIsNoHandshake) {
  EXPECT_EQ(datagram("wireguard", hex("01000000") + std::string(144, 'a')), Fit::No);
  EXPECT_EQ(with("wireguard initiation", 1, 1), Fit::No) << "reserved";
  EXPECT_EQ(datagram("wireguard", sample("wireguard initiation").bytes + "x"), Fit::No);
}

TEST(Openvpn, AResetIsWhatItSays) {
  EXPECT_EQ(with("openvpn plain_client", 0, 0x39), Fit::No) << "key id";
  EXPECT_EQ(with("openvpn plain_client", 13, 1), Fit::No) << "packet id";
  EXPECT_EQ(with("openvpn tls_auth_sha1_client", 29, 1), Fit::No) << "replay counter";
  EXPECT_EQ(with("openvpn tls_crypt_v2_client", 352, 0), Fit::No) << "length of the wrapped key";
  EXPECT_EQ(datagram("openvpn", sample("openvpn plain_client").bytes, Direction::ToClient), Fit::No);
}

TEST(Stun, CookieAndAttributesMustFit) {
  EXPECT_EQ(with("stun binding_request", 4, 0x20), Fit::No) << "cookie";
  EXPECT_EQ(with("stun binding_request", 1, 0x02), Fit::No) << "method";
  EXPECT_EQ(with("stun binding_answer", 23, 0xff), Fit::No) << "attribute";
}

TEST(Sip, NeedsItsThreeHeaders) {
  std::string text = sample("sip options").bytes;
  text.replace(text.find("CSeq"), 4, "XSeq");
  EXPECT_EQ(datagram("sip", text), Fit::No);
  EXPECT_EQ(datagram("sip_tcp", "OPTIONS * RTSP/1.0\r\n"), Fit::No);
  EXPECT_EQ(datagram("sip_tcp", "OPTIONS / HTTP/1.1\r\n"), Fit::No);
}

TEST(Bittorrent, BencodeMustCloseWhatItOpens) {
  EXPECT_EQ(datagram("bittorrent_udp", "d1:t2:aa1:y1:qe"), Fit::Yes);
  EXPECT_EQ(datagram("bittorrent_udp", "d1:t2:aa1:y1:xe"), Fit::No) << "kind";
  EXPECT_EQ(datagram("bittorrent_udp", "d1:y1:qe"), Fit::No) << "no transaction";
  EXPECT_EQ(datagram("bittorrent_udp", "d1:al1:t2:aa1:y1:qe"), Fit::No) << "open list";
  EXPECT_EQ(
      datagram("bittorrent_udp", "d1:a" + std::string(99, 'l') + std::string(99, 'e') + "1:t2:aa1:y1:qe"),
      Fit::No)
      << "deep";
  EXPECT_EQ(datagram("bittorrent_udp", hex("01000007 00000001 00000001 00100000 0002 0001") + "data"),
            Fit::No)
      << "uTP with other bytes";
}

TEST(Coap, EmptyMessagesHaveNothingInThem) {
  EXPECT_EQ(datagram("coap", hex("40000001")), Fit::Yes) << "ping";
  EXPECT_EQ(datagram("coap", hex("4000000100")), Fit::No);
  EXPECT_EQ(datagram("coap", hex("40010001ff")), Fit::No) << "marker without payload";
  EXPECT_EQ(datagram("coap", hex("49010001") + std::string(9, 't')), Fit::No) << "token";
  EXPECT_EQ(datagram("coap", hex("40010001f0")), Fit::No) << "reserved delta";
}

TEST(Icmp, WhatDoesNotFitItsKindIsOther) {
  EXPECT_EQ(datagram("icmp_unreachable", hex("0303000000000000"), Direction::ToServer, kIcmp), Fit::No)
      << "quotes nothing";
  EXPECT_EQ(datagram("icmp_other", hex("0303000000000000"), Direction::ToServer, kIcmp), Fit::Yes);
  EXPECT_EQ(datagram("icmp_other", hex("080000000001"), Direction::ToServer, kIcmp), Fit::Yes) << "cut echo";
  EXPECT_EQ(datagram("icmp_echo", hex("8000000000010001"), Direction::ToServer, kIcmp), Fit::No)
      << "of version 6";
}

TEST(Catalogue, NetworkServicesNameOnlyDecodersThatExist) {
  std::ifstream file(kRoot + "/deploy/catalogue/network_services.yaml");
  std::set<std::string> named;
  for (std::string line; std::getline(file, line);) {
    const size_t at = line.find("decoder: ");
    if (line.starts_with('#') || at == std::string::npos) continue;
    named.insert(line.substr(at + 9, line.find_first_of(",}", at) - at - 9));
  }
  for (const std::string& name : named) EXPECT_NE(decoder(name), nullptr) << name;
  named.insert("tftp_transfer");  // for flows that a request announces, not for signatures
  for (const NamedDecoder& candidate : datagrams())
    EXPECT_TRUE(named.contains(std::string(candidate.name))) << candidate.name;
}

}  // namespace
}  // namespace postern::classify::decoders
