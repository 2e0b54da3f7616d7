// SPDX-License-Identifier: Apache-2.0
#include "dataplane/parse.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "buffers.h"
#include "dataplane/checksum.h"
#include "sample_frames.h"

namespace postern::dataplane {
namespace {

const IpAddress kClient = ip("10.1.0.5"), kServer = ip("10.3.0.1");
const IpAddress kClient6 = ip("fd01::5"), kServer6 = ip("fd03::1");
constexpr uint8_t kStp[6] = {0x01, 0x80, 0xc2, 0, 0, 0};

// What the parser says of one frame.
struct Parsed {
  Fate fate{};
  DropReason reason{};
  Kind kind{};
  FlowKey key;
  uint8_t tcp_flags = 0, icmp_type = 0;
  bool vlan_changes = false;
  uint16_t vlan_out = 0;
  size_t segment = 0, payload = 0;
};

class Parsing : public testing::Test {
 protected:
  void map_vlans(const std::map<uint16_t, uint16_t>& ids) { rules_[0].vlan_map = VlanMap(ids); }
  L2Policy& l2() { return rules_[0].l2; }

  // `port_says`: offload flags of the packet, here of sums.
  Parsed parse(const Octets& frame, PortIndex port = {0}, uint64_t port_says = 0) {
    Burst burst;
    burst.add(buffers_.packet(frame), port);
    burst[0].packet.get()->ol_flags = port_says;
    parser_.run(burst, exceptions_);
    const Slot& slot = burst[0];
    return {slot.fate,           slot.reason,        slot.kind,         slot.key,
            slot.tcp_flags,      slot.icmp_type,     slot.vlan_changes, slot.vlan_out,
            slot.segment.size(), slot.payload.size()};
  }
  DropReason reason_of(const Octets& frame) {
    const Parsed parsed = parse(frame);
    EXPECT_EQ(parsed.fate == Fate::Drop, parsed.reason != DropReason::None);
    return parsed.reason;
  }
  // An IP packet with one byte changed and, for IPv4, a header checksum that fits again.
  static Octets changed(const IpAddress& source, size_t at, uint8_t value) {
    const bool v4 = source.is_v4();
    const IpAddress& destination = v4 ? kServer : kServer6;
    Octets packet = ip_packet(source, destination, 17, udp(source, destination, 1, 2, "0123456789abcdef"));
    packet[at] = value;
    if (v4) {
      store_be16(&packet[10], 0);
      store_be16(&packet[10], slow_checksum(slow_sum(Octets(packet.begin(), packet.begin() + 20))));
    }
    return ethernet(v4 ? 0x0800 : 0x86dd, packet);
  }
  DropReason of_extension_headers(uint8_t first, Octets headers) {
    append(headers, udp(kClient6, kServer6, 1, 2, "x"));
    return reason_of(ethernet_ip(ip_packet(kClient6, kServer6, first, headers)));
  }
  DropReason of_options(const Octets& options) {
    return reason_of(
        ethernet_ip(ip_packet(kClient, kServer, 17, udp(kClient, kServer, 1, 2, "x"), {.options = options})));
  }

  classify::Exceptions exceptions_;

 private:
  Buffers buffers_;
  Counters counters_;
  FragmentTable fragments_{{}, counters_};
  std::vector<ParseRules> rules_{{L2Policy{}, VlanMap(std::map<uint16_t, uint16_t>{})}};
  Parser parser_{rules_, fragments_};
};

// Keys.

TEST_F(Parsing, KeysBothDirectionsAlike) {
  for (const bool v4 : {true, false}) {
    const IpAddress &client = v4 ? kClient : kClient6, &server = v4 ? kServer : kServer6;
    const Parsed question = parse(udp_frame(client, server, 7, 53, "x"));
    const Parsed answer = parse(udp_frame(server, client, 53, 7, "x"), PortIndex{1});
    EXPECT_EQ(question.fate, Fate::Open);
    EXPECT_EQ(question.kind, Kind::Udp);
    EXPECT_TRUE(question.key == answer.key);
    EXPECT_EQ(question.key.address[0], client);
    EXPECT_EQ(question.key.port[1], 53);
    EXPECT_EQ(question.key.protocol, 17);
    EXPECT_FALSE(question.key == parse(udp_frame(server, client, 53, 7, "x")).key)
        << "an address on the wrong side";
  }
}

TEST_F(Parsing, KeysEchoAndReplyAlike) {
  for (const bool v4 : {true, false}) {
    const IpAddress &client = v4 ? kClient : kClient6, &server = v4 ? kServer : kServer6;
    const Parsed echo = parse(icmp_frame(client, server, v4 ? 8 : 128, 0, 0x00070001));
    const Parsed reply = parse(icmp_frame(server, client, v4 ? 0 : 129, 0, 0x00070001), PortIndex{1});
    EXPECT_EQ(echo.kind, Kind::IcmpQuery);
    EXPECT_TRUE(echo.key == reply.key);
    EXPECT_EQ(echo.key.port[0], 7);
    EXPECT_FALSE(echo.key == parse(icmp_frame(client, server, v4 ? 8 : 128, 0, 0x00080001)).key);
  }
}

TEST_F(Parsing, KeysAnIcmpErrorAsTheFlowItQuotes) {
  for (const bool v4 : {true, false}) {
    const IpAddress &client = v4 ? kClient : kClient6, &server = v4 ? kServer : kServer6;
    const IpAddress router = ip(v4 ? "10.3.0.254" : "fd03::fe");
    const uint8_t unreachable = v4 ? 3 : 1;
    const auto error = [&](const Octets& quoted) {
      return icmp_frame(router, client, unreachable, 1, 0, quoted);
    };
    const std::pair<Octets, Octets> kQuotes[] = {
        {udp_frame(client, server, 7, 53, "x"),
         ip_packet(client, server, 17, udp(client, server, 7, 53, "x"))},
        {tcp_frame(client, server, {}), ip_packet(client, server, 6, tcp(client, server, {}))},
        {icmp_frame(client, server, v4 ? 8 : 128, 0, 0x00070001),
         ip_packet(client, server, v4 ? 1 : 58, icmp(client, server, v4 ? 8 : 128, 0, 0x00070001))},
    };
    for (const auto& [flow, quoted] : kQuotes) {
      const Parsed parsed = parse(error(quoted), PortIndex{1});
      EXPECT_EQ(parsed.fate, Fate::Open);
      EXPECT_EQ(parsed.kind, Kind::IcmpError);
      EXPECT_TRUE(parsed.key == parse(flow).key);
      // Routers may quote no more than eight bytes of the transport header.
      const size_t headers = v4 ? 20 : 40;
      EXPECT_EQ(
          parse(error(Octets(quoted.begin(), quoted.begin() + static_cast<long>(headers) + 8)), PortIndex{1})
              .fate,
          Fate::Open);
      EXPECT_EQ(
          parse(error(Octets(quoted.begin(), quoted.begin() + static_cast<long>(headers) + 7)), PortIndex{1})
              .reason,
          DropReason::IcmpUnrelated);
    }
    const Octets later = ip_packet(client, server, 17, Octets(64), {.offset = 64});
    EXPECT_EQ(parse(error(later), PortIndex{1}).reason, DropReason::IcmpUnrelated)
        << "later fragments name no ports";
    const Octets foreign = ip_packet(server, client, 17, udp(server, client, 53, 7, "x"));
    EXPECT_EQ(parse(error(foreign), PortIndex{1}).reason, DropReason::IcmpUnrelated)
        << "its receiver did not send that";
  }
}

TEST_F(Parsing, TellsTransportsApart) {
  EXPECT_EQ(parse(tcp_frame(kClient, kServer, {.payload = ""})).kind, Kind::Tcp);
  EXPECT_EQ(parse(ethernet_ip(ip_packet(kClient, kServer, 47, Octets(9)))).kind, Kind::OtherIp);
  const Parsed ack =
      parse(tcp_frame(kClient, kServer, {.flags = kAck | kPsh, .options = {1, 1, 1, 1}, .payload = "12345"}));
  EXPECT_EQ(ack.tcp_flags, kAck | kPsh);
  EXPECT_EQ(ack.segment, 29u);
  EXPECT_EQ(ack.payload, 5u);
}

TEST_F(Parsing, IgnoresWhatEthernetFillsUp) {
  Octets frame = udp_frame(kClient, kServer, 7, 53, "x");
  frame.resize(60, 0xff);
  const Parsed parsed = parse(frame);
  EXPECT_EQ(parsed.fate, Fate::Open);
  EXPECT_EQ(parsed.segment, 9u);
}

// VLAN tags.

TEST_F(Parsing, TakesVlanIdsIntoTheKey) {
  const Parsed plain = parse(udp_frame(kClient, kServer, 7, 53, "x"));
  const Parsed tagged = parse(udp_frame(kClient, kServer, 7, 53, "x", {{5}}));
  const Parsed twice = parse(udp_frame(kClient, kServer, 7, 53, "x", {{5, 0x88a8}, {6}}));
  EXPECT_EQ(plain.key.vlan[0], 0);
  EXPECT_EQ(tagged.key.vlan[0], 5);
  EXPECT_EQ(twice.key.vlan[0], 5);
  EXPECT_EQ(twice.key.vlan[1], 6);
}

TEST_F(Parsing, SeesThroughPriorityTagsAsHostsDo) {
  const Parsed plain = parse(udp_frame(kClient, kServer, 7, 53, "x"));
  for (const std::vector<Tag>& tags :
       {std::vector<Tag>{{0}}, {{0, 0x88a8, 7}}, {{0}, {0}}, {{0, 0x88a8}, {0}}, {{0}, {0, 0x88a8}}})
    EXPECT_TRUE(parse(udp_frame(kClient, kServer, 7, 53, "x", tags)).key == plain.key);
  const Parsed tagged = parse(udp_frame(kClient, kServer, 7, 53, "x", {{5}}));
  EXPECT_TRUE(parse(udp_frame(kClient, kServer, 7, 53, "x", {{0}, {5}})).key == tagged.key);
  EXPECT_TRUE(parse(udp_frame(kClient, kServer, 7, 53, "x", {{5}, {0}})).key == tagged.key);
}

TEST_F(Parsing, RefusesMoreThanTwoTags) {
  EXPECT_EQ(reason_of(udp_frame(kClient, kServer, 7, 53, "x", {{5}, {6}, {7}})), DropReason::VlanStack);
  EXPECT_EQ(reason_of(udp_frame(kClient, kServer, 7, 53, "x", {{0}, {0}, {0}})), DropReason::VlanStack);
  EXPECT_EQ(reason_of(ethernet(0x8100, Octets(40, 0x81))), DropReason::L2Policy)
      << "tag, then an unknown type";
}

TEST_F(Parsing, TranslatesTheOuterIdAndKeysByTheFirstSide) {
  map_vlans({{10, 110}});
  const Parsed there = parse(udp_frame(kClient, kServer, 7, 53, "x", {{10}}));
  const Parsed back = parse(udp_frame(kServer, kClient, 53, 7, "x", {{110}}), PortIndex{1});
  EXPECT_TRUE(there.vlan_changes);
  EXPECT_EQ(there.vlan_out, 110);
  EXPECT_EQ(back.vlan_out, 10);
  EXPECT_TRUE(there.key == back.key);
  EXPECT_EQ(there.key.vlan[0], 10);
  EXPECT_FALSE(parse(udp_frame(kClient, kServer, 7, 53, "x", {{11}})).vlan_changes);
  EXPECT_FALSE(parse(udp_frame(kClient, kServer, 7, 53, "x")).vlan_changes);
  EXPECT_EQ(reason_of(udp_frame(kClient, kServer, 7, 53, "x", {{110}})), DropReason::VlanUnmapped);
  EXPECT_EQ(reason_of(udp_frame(kClient, kServer, 7, 53, "x", {{0}, {10}})), DropReason::VlanStack)
      << "the id to rewrite is not in the first tag";
}

// Layer 2.

TEST_F(Parsing, DecidesControlTrafficByTheWiresPolicy) {
  struct Case {
    const char* name;
    Octets frame;
    L2Action L2Policy::*action;
  };
  const auto group = [](uint8_t last) { return Octets{0x01, 0x80, 0xc2, 0, 0, last}; };
  const Octets body(46, 0x42);
  const Octets solicitation =
      ethernet_ip(ip_packet(kClient6, ip("ff02::1:ff00:1"), 58,
                            icmp(kClient6, ip("ff02::1:ff00:1"), 135, 0, 0, Octets(16)), {.hop_limit = 255}));
  const Octets igmp = ethernet_ip(ip_packet(kClient, ip("224.0.0.22"), 2, Octets(8), {.hop_limit = 1}));
  for (const Case& c :
       {Case{"arp", ethernet(0x0806, body), &L2Policy::arp},
        Case{"rarp", ethernet(0x8035, body), &L2Policy::arp},
        Case{"lldp", ethernet(0x88cc, body, {}, group(0x0e)), &L2Policy::lldp},
        Case{"lacp", ethernet(0x8809, body, {}, group(2)), &L2Policy::lacp},
        Case{"eapol", ethernet(0x888e, body, {}, group(3)), &L2Policy::eapol},
        Case{"pause", ethernet(0x8808, body, {}, group(1)), &L2Policy::pause},
        Case{"stp", ethernet(38, body, {}, Octets(kStp, kStp + 6)), &L2Policy::stp},
        Case{"provider stp", ethernet(38, body, {}, group(8)), &L2Policy::stp},
        Case{"pvst", ethernet(50, body, {}, {0x01, 0, 0x0c, 0xcc, 0xcc, 0xcd}), &L2Policy::stp},
        Case{"reserved group", ethernet(0x1234, body, {}, group(0x21)), &L2Policy::other_multicast},
        Case{"802.3 to a group", ethernet(40, body, {}, {0x03, 0, 0, 0, 0, 1}), &L2Policy::other_multicast},
        Case{"igmp", igmp, &L2Policy::other_multicast}, Case{"nd", solicitation, &L2Policy::nd},
        Case{"unknown", ethernet(0x9000, body), &L2Policy::unknown_ethertype},
        Case{"802.3 to a host", ethernet(40, body), &L2Policy::unknown_ethertype}}) {
    L2Policy all_pass{L2Action::Pass, L2Action::Pass, L2Action::Pass, L2Action::Pass, L2Action::Pass,
                      L2Action::Pass, L2Action::Pass, L2Action::Pass, L2Action::Pass};
    l2() = all_pass;
    EXPECT_EQ(parse(c.frame).fate, Fate::Forward) << c.name;
    l2().*c.action = L2Action::Drop;
    EXPECT_EQ(reason_of(c.frame), DropReason::L2Policy) << c.name;
    l2() = {L2Action::Drop, L2Action::Drop, L2Action::Drop, L2Action::Drop, L2Action::Drop,
            L2Action::Drop, L2Action::Drop, L2Action::Drop, L2Action::Drop};
    l2().*c.action = L2Action::Pass;
    EXPECT_EQ(parse(c.frame).fate, Fate::Forward) << c.name;
  }
}

TEST_F(Parsing, TakesOnlyLinkLocalPacketsForNeighbourDiscovery) {
  const auto type = [&](uint8_t icmp_type, uint8_t hop_limit) {
    return parse(ethernet_ip(ip_packet(kClient6, kServer6, 58,
                                       icmp(kClient6, kServer6, icmp_type, 0, 0, Octets(16)),
                                       {.hop_limit = hop_limit})))
        .fate;
  };
  for (uint8_t nd = 133; nd <= 137; ++nd) {
    EXPECT_EQ(type(nd, 255), Fate::Forward);
    EXPECT_EQ(type(nd, 254), Fate::Open) << "routed: hosts refuse it, so it is judged as any packet";
  }
  EXPECT_EQ(type(143, 1), Fate::Open) << "a listener report without router alert";
}

// IP headers.

TEST_F(Parsing, RefusesIpv4HeadersAHostRefuses) {
  EXPECT_EQ(reason_of(changed(kClient, 0, 0x55)), DropReason::BadIpHeader) << "version";
  EXPECT_EQ(reason_of(changed(kClient, 0, 0x44)), DropReason::BadIpHeader) << "header of 16 bytes";
  EXPECT_EQ(reason_of(changed(kClient, 3, 19)), DropReason::BadIpHeader) << "shorter than its header";
  EXPECT_EQ(reason_of(changed(kClient, 3, 200)), DropReason::Truncated) << "longer than the frame";
  Octets frame = changed(kClient, 8, 3);
  frame[24] ^= 0x10;
  EXPECT_EQ(reason_of(frame), DropReason::BadIpChecksum);
  EXPECT_EQ(reason_of(ethernet(0x0800, Octets(19, 0x45))), DropReason::Truncated);
}

TEST_F(Parsing, RefusesIpv6HeadersAHostRefuses) {
  EXPECT_EQ(reason_of(changed(kClient6, 0, 0x40)), DropReason::BadIpHeader) << "version";
  EXPECT_EQ(reason_of(changed(kClient6, 5, 200)), DropReason::Truncated) << "longer than the frame";
  EXPECT_EQ(reason_of(ethernet(0x86dd, Octets(39, 0x60))), DropReason::Truncated);
}

TEST_F(Parsing, RefusesAddressesNoHostAccepts) {
  const auto between = [&](const char* source, const char* destination) {
    return reason_of(udp_frame(ip(source), ip(destination), 1, 2, "x"));
  };
  for (const char* source : {"224.0.0.1", "239.1.2.3", "255.255.255.255", "127.0.0.1", "10.3.0.1"})
    EXPECT_EQ(between(source, "10.3.0.1"), DropReason::BadAddress) << source;
  EXPECT_EQ(between("10.1.0.5", "127.0.0.2"), DropReason::BadAddress);
  for (const char* source : {"ff02::1", "::1", "fd03::1"})
    EXPECT_EQ(between(source, "fd03::1"), DropReason::BadAddress) << source;
  EXPECT_EQ(between("fd01::5", "::1"), DropReason::BadAddress);
  EXPECT_EQ(between("0.0.0.0", "255.255.255.255"), DropReason::None) << "a DHCP client";
  EXPECT_EQ(between("10.1.0.5", "224.0.0.251"), DropReason::None);
  EXPECT_EQ(between("fd01::5", "ff02::fb"), DropReason::None);
}

TEST_F(Parsing, RefusesIpv4AddressesDressedAsIpv6) {
  Octets packet = ip_packet(kClient6, kServer6, 17, udp(kClient6, kServer6, 1, 2, "x"));
  for (const size_t at : {size_t{8}, size_t{24}}) {
    Octets mapped = packet;
    std::fill_n(mapped.begin() + static_cast<long>(at), 10, uint8_t{0});
    std::fill_n(mapped.begin() + static_cast<long>(at) + 10, 2, uint8_t{0xff});
    EXPECT_EQ(reason_of(ethernet_ip(mapped)), DropReason::BadAddress);
  }
}

TEST_F(Parsing, ReadsIpv4OptionsToTheirEnd) {
  EXPECT_EQ(of_options({7, 7, 4, 0, 0, 0, 0, 0}), DropReason::None) << "record route";
  EXPECT_EQ(of_options({1, 1, 1, 0}), DropReason::None);
  EXPECT_EQ(of_options({0, 131, 1, 1}), DropReason::None) << "nothing counts behind the end";
  EXPECT_EQ(of_options({131, 3, 4, 0}), DropReason::IpSourceRoute);
  EXPECT_EQ(of_options({1, 137, 3, 4}), DropReason::IpSourceRoute);
  EXPECT_EQ(of_options({7, 0, 0, 0}), DropReason::BadIpOption) << "length 0";
  EXPECT_EQ(of_options({7, 9, 0, 0}), DropReason::BadIpOption) << "longer than the header";
  EXPECT_EQ(of_options({1, 1, 1, 7}), DropReason::BadIpOption) << "no length";
}

TEST_F(Parsing, WalksOverIpv6ExtensionHeaders) {
  const uint8_t kUdp = 17;
  EXPECT_EQ(of_extension_headers(0, {kUdp, 0, 5, 2, 0, 0, 1, 0}), DropReason::None) << "router alert";
  EXPECT_EQ(of_extension_headers(60, {kUdp, 0, 1, 4, 0, 0, 0, 0}), DropReason::None);
  EXPECT_EQ(of_extension_headers(43, {kUdp, 0, 4, 0, 0, 0, 0, 0}), DropReason::None) << "no segments left";
  EXPECT_EQ(of_extension_headers(43, {kUdp, 0, 4, 1, 0, 0, 0, 0}), DropReason::IpSourceRoute);
  EXPECT_EQ(of_extension_headers(60, {0, 0, 1, 4, 0, 0, 0, 0, kUdp, 0, 1, 4, 0, 0, 0, 0}),
            DropReason::BadExtensionHeader);
  EXPECT_EQ(of_extension_headers(60, {kUdp, 0, 1, 4, 0, 7, 0, 0}), DropReason::BadIpOption)
      << "padding that is not zero";
  EXPECT_EQ(of_extension_headers(60, {kUdp, 0, 0, 0, 0, 0, 0, 0}), DropReason::None);
  EXPECT_EQ(of_extension_headers(60, {kUdp, 1, 1, 6, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0}),
            DropReason::BadIpOption)
      << "too much padding";
  EXPECT_EQ(of_extension_headers(60, {kUdp, 0, 0x3e, 4, 0, 0, 0, 0}), DropReason::None)
      << "unknown, to be skipped";
  EXPECT_EQ(of_extension_headers(60, {kUdp, 0, 0x7e, 4, 0, 0, 0, 0}), DropReason::BadIpOption)
      << "unknown, to be refused";
  EXPECT_EQ(of_extension_headers(60, {kUdp, 0, 1, 9, 0, 0, 0, 0}), DropReason::BadIpOption)
      << "option past the header";
  EXPECT_EQ(of_extension_headers(0, {kUdp, 0, 5, 3, 0, 0, 0, 0}), DropReason::BadIpOption)
      << "router alert of 3 bytes";
  EXPECT_EQ(of_extension_headers(60, {kUdp, 200, 1, 4, 0, 0, 0, 0}), DropReason::Truncated);
  Octets many;
  for (int i = 0; i < 64; ++i) append(many, {i == 63 ? kUdp : uint8_t{60}, 0, 1, 4, 0, 0, 0, 0});
  EXPECT_EQ(of_extension_headers(60, many), DropReason::None) << "hosts deliver any number";
}

TEST_F(Parsing, TakesAnAtomicFragmentForWhole) {
  const Octets segment = udp(kClient6, kServer6, 7, 53, "x");
  const Parsed atomic =
      parse(ethernet_ip(ip_packet(kClient6, kServer6, 17, segment, {.fragment_header = true})));
  EXPECT_EQ(atomic.fate, Fate::Open);
  EXPECT_TRUE(atomic.key == parse(udp_frame(kClient6, kServer6, 7, 53, "x")).key);
  Octets nested = {17, 0, 0, 0, 0, 0, 0, 9};
  append(nested, segment);
  EXPECT_EQ(reason_of(ethernet_ip(ip_packet(kClient6, kServer6, 44, nested, {.fragment_header = true}))),
            DropReason::FragmentBad);
}

// Transports.

TEST_F(Parsing, RefusesTransportHeadersAHostRefuses) {
  const auto of = [&](uint8_t protocol, const Octets& segment) {
    return reason_of(ethernet_ip(ip_packet(kClient, kServer, protocol, segment)));
  };
  EXPECT_EQ(of(6, Octets(19)), DropReason::BadTransportHeader);
  EXPECT_EQ(of(17, Octets(7)), DropReason::BadTransportHeader);
  EXPECT_EQ(of(1, Octets(7)), DropReason::BadTransportHeader);
  EXPECT_EQ(of(58, icmp(kClient6, kServer6, 128, 0, 0)), DropReason::BadTransportHeader) << "ICMPv6 in IPv4";
  EXPECT_EQ(reason_of(ethernet_ip(ip_packet(kClient6, kServer6, 1, icmp(kClient, kServer, 8, 0, 0)))),
            DropReason::BadTransportHeader);
  Octets segment = tcp(kClient, kServer, {});
  segment[12] = 0x40;
  EXPECT_EQ(of(6, segment), DropReason::BadTransportHeader) << "data offset below the header";
  segment[12] = 0x60;
  EXPECT_EQ(of(6, segment), DropReason::BadTransportHeader) << "data offset past the end";
  for (const unsigned length : {7u, 100u}) {
    Octets datagram = udp(kClient, kServer, 1, 2, "x");
    store_be16(&datagram[4], static_cast<uint16_t>(length));
    EXPECT_EQ(of(17, datagram), DropReason::BadTransportHeader);
  }
}

TEST_F(Parsing, ChecksEveryChecksum) {
  for (const bool v4 : {true, false}) {
    const IpAddress &client = v4 ? kClient : kClient6, &server = v4 ? kServer : kServer6;
    const uint8_t icmp_protocol = v4 ? 1 : 58;
    for (const auto& [protocol, segment] :
         {std::pair<uint8_t, Octets>{6, tcp(client, server, {.flags = kAck, .payload = "odd"})},
          {17, udp(client, server, 1, 2, "odd")},
          {icmp_protocol, icmp(client, server, v4 ? 8 : 128, 0, 1, Octets(3, 7))}}) {
      EXPECT_EQ(reason_of(ethernet_ip(ip_packet(client, server, protocol, segment))), DropReason::None);
      Octets damaged = segment;
      damaged.back() ^= 0x20;
      EXPECT_EQ(reason_of(ethernet_ip(ip_packet(client, server, protocol, damaged))),
                DropReason::BadTransportChecksum);
    }
    Octets without = udp(client, server, 1, 2, "x");
    store_be16(&without[6], 0);
    EXPECT_EQ(reason_of(ethernet_ip(ip_packet(client, server, 17, without))),
              v4 ? DropReason::None : DropReason::BadTransportChecksum)
        << "a UDP checksum may be left out in IPv4 alone";
  }
}

TEST_F(Parsing, AcceptsOnlyTcpFlagsThatMeanSomething) {
  for (unsigned flags = 0; flags < 256; ++flags) {
    const bool syn = flags & kSyn, fin = flags & kFin, rst = flags & kRst, ack = flags & kAck;
    const bool good = (syn && !fin && !rst) || (!syn && rst && !fin) || (!syn && !rst && ack);
    EXPECT_EQ(reason_of(tcp_frame(kClient, kServer, {.flags = static_cast<uint8_t>(flags)})),
              good ? DropReason::None : DropReason::BadTcpFlags)
        << flags;
  }
  EXPECT_EQ(reason_of(tcp_frame(kClient, kServer, {.flags = kSyn, .payload = "fast open"})),
            DropReason::BadTcpFlags);
}

TEST_F(Parsing, PassesOnlyHarmlessMalformedFramesOnTheOperatorsWord) {
  exceptions_.malformed = classify::ExceptionAction::Pass;
  Octets damaged = udp_frame(kClient, kServer, 1, 2, "x");
  damaged.back() ^= 1;
  EXPECT_EQ(parse(damaged).fate, Fate::Forward);
  EXPECT_EQ(parse(Octets(13)).fate, Fate::Forward);
  EXPECT_EQ(of_options({131, 3, 4, 0}), DropReason::IpSourceRoute);
  EXPECT_EQ(reason_of(udp_frame(kClient, kServer, 7, 53, "x", {{5}, {6}, {7}})), DropReason::VlanStack);
  EXPECT_EQ(reason_of(udp_frame(ip("224.0.0.1"), kServer, 1, 2, "x")), DropReason::BadAddress);
}

TEST_F(Parsing, NeverReadsPastTheEndOfACutFrame) {
  for (const Octets& sample : sample_frames()) {
    for (size_t length = 0; length <= sample.size(); ++length) {
      // In a heap block of its own size the sanitizer sees every byte too far.
      const std::unique_ptr<uint8_t[]> exact(new uint8_t[length]);
      std::copy_n(sample.begin(), length, exact.get());
      const size_t start = std::min<size_t>(length, 14);
      const Bytes packet{exact.get() + start, length - start};
      parse_ipv4(packet);
      parse_ipv6(packet);
      read_quoted_packet(packet, true);
      read_quoted_packet(packet, false);
      for (const uint8_t next : {0, 6, 17, 43, 44, 58, 59, 60}) walk_extensions(next, packet);
    }
  }
}

TEST(Checksum, IsThatOfTheSlowWay) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 5000; ++i) {
    Octets segment(8 + random() % 1500);
    for (uint8_t& byte : segment) byte = static_cast<uint8_t>(i % 7 == 0 ? 0xff : random());
    const bool v4 = i % 2 == 0;
    const IpAddress &client = v4 ? kClient : kClient6, &server = v4 ? kServer : kServer6;
    store_be16(&segment[6], 0);
    seal(segment, 6, client, server, 17);
    ASSERT_TRUE(transport_checksum_ok(client, server, 17, segment));
    segment[random() % segment.size()] ^= static_cast<uint8_t>(1u << random() % 8);
    ASSERT_FALSE(transport_checksum_ok(client, server, 17, segment));
  }
}

// IPv4 samples with bytes changed and a header sum that fits.
std::vector<Octets> damaged_ipv4() {
  std::mt19937 random(3);
  std::vector<Octets> frames;
  for (const Octets& sample : sample_frames())
    for (unsigned i = 0; i < 2000 && load_be16(&sample[12]) == 0x0800; ++i) {
      Octets frame = sample;
      for (unsigned changes = i % 3; changes > 0; --changes)
        frame[14 + random() % std::min<size_t>(50, frame.size() - 14)] = static_cast<uint8_t>(random());
      const size_t header = (frame[14] & 15u) * 4;
      const bool fragment = (load_be16(&frame[20]) & 0x3fff) != 0;
      if (fragment || header < 20 || frame.size() < 14 + header) continue;
      store_be16(&frame[24], 0);
      store_be16(&frame[24],
                 slow_checksum(slow_sum(
                     Octets(frame.begin() + 14, frame.begin() + 14 + static_cast<std::ptrdiff_t>(header)))));
      frames.push_back(frame);
    }
  return frames;
}

// Where the port has checked both sums, plain packets go a shorter way.
TEST_F(Parsing, TheShorterWayReadsWhatTheWholeWayReads) {
  constexpr uint64_t kWhole = RTE_MBUF_F_RX_L4_CKSUM_GOOD, kShorter = kWhole | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
  unsigned open = 0;
  for (const Octets& frame : damaged_ipv4())
    for (const PortIndex port : {PortIndex{0}, PortIndex{1}}) {
      const Parsed a = parse(frame, port, kWhole), b = parse(frame, port, kShorter);
      ASSERT_EQ(a.fate, b.fate);
      ASSERT_EQ(a.reason, b.reason);
      open += a.fate == Fate::Open;
      if (a.fate != Fate::Open) continue;
      ASSERT_EQ(a.kind, b.kind);
      ASSERT_TRUE(a.key == b.key);
      ASSERT_EQ(a.tcp_flags, b.tcp_flags);
      ASSERT_EQ(a.segment, b.segment);
      ASSERT_EQ(a.payload, b.payload);
    }
  EXPECT_GT(open, 1000u);
}

}  // namespace
}  // namespace postern::dataplane
