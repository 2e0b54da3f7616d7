// SPDX-License-Identifier: Apache-2.0
// One valid frame of every kind the data path tells apart, as starting points for tests that damage them.
#pragma once

#include "packets.h"

namespace postern::dataplane {

inline std::vector<Octets> sample_frames() {
  std::vector<Octets> frames;
  for (const bool v4 : {true, false}) {
    const IpAddress client = ip(v4 ? "10.1.0.5" : "fd01::5"), server = ip(v4 ? "10.3.0.1" : "fd03::1");
    const Octets datagram = udp(client, server, 40000, 53, std::string(100, 'u'));
    frames.push_back(udp_frame(client, server, 40000, 53, "a question"));
    frames.push_back(udp_frame(client, server, 40000, 53, "tagged twice", {{5, 0x88a8}, {6}}));
    frames.push_back(udp_frame(client, server, 40000, 53, "priority tag", {{0}}));
    frames.push_back(tcp_frame(client, server, {.flags = kSyn, .options = {3, 3, 7, 1}}));
    frames.push_back(tcp_frame(server, client,
                               {.source_port = 443,
                                .destination_port = 40000,
                                .sequence = 5000,
                                .acknowledgement = 1001,
                                .flags = kSyn | kAck}));
    frames.push_back(tcp_frame(client, server,
                               {.sequence = 1001,
                                .acknowledgement = 5001,
                                .flags = kAck | kPsh,
                                .payload = "GET / HTTP/1.1\r\n\r\n"}));
    frames.push_back(tcp_frame(client, server, {.sequence = 1019, .flags = kRst}));
    frames.push_back(icmp_frame(client, server, v4 ? 8 : 128, 0, 0x00010001, Octets(32)));
    frames.push_back(icmp_frame(server, client, v4 ? 3 : 1, 1, 0, ip_packet(client, server, 17, datagram)));
    for (const size_t at : {size_t{0}, size_t{64}})
      frames.push_back(ethernet_ip(ip_packet(
          client, server, 17, Octets(datagram.begin() + at, at == 0 ? datagram.begin() + 64 : datagram.end()),
          {.offset = at, .more = at == 0})));
    frames.push_back(ethernet_ip(ip_packet(client, server, 47, Octets(20))));
  }
  const IpAddress client = ip("10.1.0.5"), server = ip("10.3.0.1");
  frames.push_back(ethernet_ip(ip_packet(client, server, 17, udp(client, server, 1, 2, "options"),
                                         {.options = {7, 7, 4, 0, 0, 0, 0, 0}})));
  const IpAddress client6 = ip("fd01::5"), server6 = ip("fd03::1");
  Octets extended = {60, 0, 5, 2, 0, 0, 1, 0, 43, 0, 1, 4, 0, 0, 0, 0, 17, 0, 4, 0, 0, 0, 0, 0};
  append(extended, udp(client6, server6, 1, 2, "extension headers"));
  frames.push_back(ethernet_ip(ip_packet(client6, server6, 0, extended)));
  frames.push_back(ethernet(0x0806, Octets(28, 1)));
  frames.push_back(ethernet(0x88cc, Octets(40, 2), {}, {0x01, 0x80, 0xc2, 0, 0, 0x0e}));
  frames.push_back(ethernet(38, Octets(38, 0x42), {}, {0x01, 0x80, 0xc2, 0, 0, 0}));
  return frames;
}

}  // namespace postern::dataplane
