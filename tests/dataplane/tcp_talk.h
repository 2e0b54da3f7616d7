// SPDX-License-Identifier: Apache-2.0
// A TCP conversation for tests: makes the next frame of either end with the right numbers. The client sits on
// the wire's first side.
#pragma once

#include <string>

#include "lane.h"

namespace postern::dataplane {

struct TcpTalk {
  IpAddress client = ip("10.1.0.5"), server = ip("10.3.0.1");
  uint16_t client_port = 40000, server_port = 443;
  uint32_t client_next = 1000, server_next = 5000;
  uint16_t window = 60000;

  static uint32_t space(const Tcp& fields) {
    return static_cast<uint32_t>(fields.payload.size()) + ((fields.flags & kSyn) != 0) +
           ((fields.flags & kFin) != 0);
  }
  // Frames as they are; the conversation does not move on.
  Octets client_frame(Tcp fields) const {
    fields.source_port = client_port;
    fields.destination_port = server_port;
    return tcp_frame(client, server, fields);
  }
  Octets server_frame(Tcp fields) const {
    fields.source_port = server_port;
    fields.destination_port = client_port;
    return tcp_frame(server, client, fields);
  }
  Tcp next_of_client(uint8_t flags, std::string payload = {}) const {
    return {.sequence = client_next,
            .acknowledgement = (flags & kAck) != 0 ? server_next : 0,
            .flags = flags,
            .window = window,
            .options = {},
            .payload = std::move(payload)};
  }
  Tcp next_of_server(uint8_t flags, std::string payload = {}) const {
    return {.sequence = server_next,
            .acknowledgement = (flags & kAck) != 0 ? client_next : 0,
            .flags = flags,
            .window = window,
            .options = {},
            .payload = std::move(payload)};
  }
  // Frames that move the conversation on.
  Octets from_client(uint8_t flags, std::string payload = {}) {
    const Tcp fields = next_of_client(flags, std::move(payload));
    client_next += space(fields);
    return client_frame(fields);
  }
  Octets from_server(uint8_t flags, std::string payload = {}) {
    const Tcp fields = next_of_server(flags, std::move(payload));
    server_next += space(fields);
    return server_frame(fields);
  }
  // The three segments that open it; true when all of them passed.
  bool open(Lane& lane) {
    const bool syn = lane.passes(kFirstSide, from_client(kSyn));
    const bool answer = lane.passes(kSecondSide, from_server(kSyn | kAck));
    const bool confirmation = lane.passes(kFirstSide, from_client(kAck));
    return syn && answer && confirmation;
  }
};

}  // namespace postern::dataplane
