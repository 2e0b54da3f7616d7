// SPDX-License-Identifier: Apache-2.0
// What an application is judged by: the first bytes of a flow and where they go. Views only, valid for one
// call. Any thread.
#pragma once

#include "base/address.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "classify/fit.h"

namespace postern::classify {

struct Evidence {
  uint8_t protocol = 0;      // IP protocol
  uint16_t client_port = 0;  // of the side that opened the flow
  uint16_t server_port = 0;
  IpAddress server;                           // for signatures of hosts the site binds
  Direction direction = Direction::ToServer;  // who sent `payload`
  Bytes payload;  // TCP: what this direction carried so far, from its first byte; else one whole datagram
                  // (ICMP: from the ICMP header)
};

// One protocol's opinion. Looks at the bytes alone, never at ports (a signature names those); never says
// Yes unless length fields or grammar fit. More means that further bytes of the stream decide, of a datagram
// that the next one does (the discovery that IPMI 1.5 and 2.0 share).
using Decoder = Fit (*)(const Evidence&) noexcept;

struct Identification {
  AppId application = kApplicationPending;  // pending: nothing said yet
  bool more = false;                        // pending, and more bytes or datagrams of this direction decide
};

}  // namespace postern::classify
