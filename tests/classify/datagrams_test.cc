// SPDX-License-Identifier: Apache-2.0
// Every datagram decoder before every message there is.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "datagram_samples.h"

namespace postern::classify::decoders {
namespace {

bool is_stream(std::string_view name) { return name.ends_with("_tcp"); }

TEST(Datagrams, EveryDecoderSaysYesToItsMessages) {
  std::set<std::string> tried;
  for (const Sample& sample : samples()) {
    if (sample.decoder == kNone) continue;
    ASSERT_NE(decoder(sample.decoder), nullptr) << sample.text();
    EXPECT_EQ(decode(decoder(sample.decoder), sample, sample.bytes), Fit::Yes) << sample.text();
    tried.insert(sample.decoder);
  }
  EXPECT_EQ(tried.size(), datagrams().size()) << "a decoder without a message";
}

// What these two look at are ciphertext and data of any kind, so they are asked on one port and for expected
// flows only.
bool fits_nearly_anything(std::string_view decoder) {
  return decoder == "esp_in_udp" || decoder == "tftp_transfer";
}

// All there are: forms of one protocol, and DNS in its disguises, of which mdns and llmnr are asked on their
// ports only.
TEST(Datagrams, NoDecoderClaimsAForeignMessage) {
  std::set<std::string> pairs;
  for (const Sample& sample : samples())
    for (const NamedDecoder& candidate : datagrams()) {
      if (candidate.name == sample.decoder || fits_nearly_anything(candidate.name)) continue;
      if (decode(candidate.decode, sample, sample.bytes) != Fit::Yes) continue;
      pairs.insert(std::string(candidate.name) + " on " +
                   (sample.decoder == kNone ? sample.name : sample.decoder));
    }
  const std::set<std::string> known = {
      "llmnr on dns_query",   "llmnr on mdns",         "llmnr on netbios_ns",       "mdns on dns_answer",
      "mdns on dns_query",    "mdns on llmnr",         "mdns on netbios_ns",        "radius_bare on radius",
      "sip on sip_tcp",       "sip_tcp on sip",        "stun on stun_tcp",          "stun_tcp on stun",
      "syslog on syslog_tcp", "syslog_bare on syslog", "syslog_bare on syslog_tcp", "syslog_tcp on syslog",
  };
  EXPECT_EQ(pairs, known);
}

TEST(Datagrams, RandomBytesAreNobodys) {
  static const std::set<std::string_view> kOnTheirPortsOnly = {
      "bacnet", "coap", "esp_in_udp", "ntp", "ntp_control", "tftp_transfer", "wireguard_data"};
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 300, 0);
    for (char& byte : bytes) byte = static_cast<char>(random());
    const Sample like{.direction = i & 1 ? Direction::ToClient : Direction::ToServer, .protocol = kUdp};
    for (const NamedDecoder& candidate : datagrams()) {
      if (kOnTheirPortsOnly.contains(candidate.name)) continue;
      ASSERT_NE(decode(candidate.decode, like, bytes), Fit::Yes) << candidate.name << " " << i;
    }
  }
}

// Lengths at which the beginning of a message is a whole one, because an option or attribute ends there.
const std::map<std::string, std::set<size_t>> kCompleteAt = {
    {"coap content", {5, 7, 9}},
    {"coap get", {5, 17}},
    {"coap put", {5, 18}},
    {"dhcpv6 advertise", {22, 36}},
    {"dhcpv6 solicit", {22, 28, 44}},
    {"icmp_router_discovery router_advertisement", {16}},
    {"icmp_router_discovery router_solicitation", {8}},
    {"icmpv6_mld mldv2_query", {24}},
    {"icmpv6_neighbor_discovery neighbor_advertisement", {24}},
    {"icmpv6_neighbor_discovery neighbor_solicitation", {24}},
    {"ntp with_md5", {48, 52}},
    {"ntp with_nts_fields", {48, 52, 68, 72, 84, 88, 104, 108}},
    {"ntp_control monlist", {8, 12, 16, 20, 24, 28, 32, 36, 40, 44}},
    {"quic initial_and_0rtt", {1230}},
    {"quic initial_and_handshake", {140}},
    {"quic version_negotiation", {27, 31}},
    {"tftp read_with_options", {17, 25, 37}},
    {"tftp_transfer options", {14}},
    {"wireguard_data data", {32, 48, 64, 80, 96, 112}},
};

// From where on the rest is text, data or padding that may have any length.
const std::map<std::string, size_t> kCompleteFrom = {
    {"bittorrent_udp utp_handshake", 40},
    {"coap content", 10},
    {"coap put", 20},
    {"dhcp discover", 273},
    {"esp_in_udp esp", 20},
    {"icmp_echo reply", 8},
    {"icmp_echo reply6", 8},
    {"icmp_echo request", 8},
    {"icmp_echo request6", 8},
    {"icmp_other address_mask", 4},
    {"icmp_other packet_too_big", 4},
    {"icmp_other parameter_problem", 4},
    {"icmp_time_exceeded exceeded6", 48},
    {"icmp_unreachable unreachable6", 48},
    {"quic retry", 40},
    {"syslog rfc3164", 20},
    {"syslog rfc5424", 52},
    {"syslog rfc5424_without_time", 20},
    {"syslog rsyslog_forward", 37},
    {"syslog_bare text", 6},
    {"tftp_transfer last_data", 4},
    {"ws_discovery oasis_hello", 497},
};

TEST(Datagrams, AMessageThatIsCutIsNoMessage) {
  for (const Sample& sample : samples()) {
    if (sample.decoder == kNone || is_stream(sample.decoder)) continue;
    const auto from = kCompleteFrom.find(sample.text());
    const auto at = kCompleteAt.find(sample.text());
    for (size_t n = 0; n < (from == kCompleteFrom.end() ? sample.bytes.size() : from->second); ++n) {
      const Fit expected = at != kCompleteAt.end() && at->second.contains(n) ? Fit::Yes : Fit::No;
      EXPECT_EQ(decode(decoder(sample.decoder), sample, sample.bytes.substr(0, n)), expected)
          << sample.text() << " cut to " << n << " of " << sample.bytes.size();
    }
  }
}

TEST(Datagrams, AStreamIsUndecidedAndThenDecidedForGood) {
  for (const Sample& sample : samples()) {
    if (!is_stream(sample.decoder)) continue;
    Fit before = Fit::More;
    for (size_t n = 0; n <= sample.bytes.size(); ++n) {
      const Fit fit = decode(decoder(sample.decoder), sample, sample.bytes.substr(0, n));
      ASSERT_NE(fit, Fit::No) << sample.text() << " after " << n;
      ASSERT_FALSE(before == Fit::Yes && fit != Fit::Yes) << sample.text() << " after " << n;
      before = fit;
    }
  }
}

TEST(Datagrams, OnlyStreamsWaitForMore) {
  for (const Sample& sample : samples())
    for (const NamedDecoder& candidate : datagrams())
      for (size_t n = 0; n <= sample.bytes.size() && !is_stream(candidate.name); n += 1 + n / 8)
        ASSERT_NE(decode(candidate.decode, sample, sample.bytes.substr(0, n)), Fit::More) << candidate.name;
}

}  // namespace
}  // namespace postern::classify::decoders
