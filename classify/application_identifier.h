// SPDX-License-Identifier: Apache-2.0
// Says what the first bytes of a flow are. Stateless; the answer depends only on what is passed in. Any
// thread.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "classify/policy.h"

namespace postern::classify {

// Identified applications have fixed ids, so decoders and catalogue agree; the catalogue may add composites
// and port-only entries above kFirstCatalogueApp.
namespace app {
inline constexpr AppId kTls{2}, kHttp{3}, kDns{4}, kSlp{5}, kIpmi15{6}, kIpmi20{7}, kAsf{8}, kIcmpEcho{9},
    kCimXml{10}, kRfc913{11}, kSsh{12}, kIcmpOther{13};
inline constexpr uint16_t kFirstCatalogueApp = 64;
}  // namespace app

// Name of a fixed id ("tls", "ipmi_2_0"); empty for others.
std::string_view identified_name(AppId id) noexcept;

// Whether a decoder could ever find `id` over this IP protocol; ids without a decoder: anywhere.
bool can_run_over(AppId id, uint8_t protocol) noexcept;

struct Evidence {
  uint8_t protocol = 0;
  uint16_t server_port = 0;
  Direction direction = Direction::ToServer;  // who sent `payload`
  Bytes payload;                              // first bytes this direction carried, from its start
};

struct Identification {
  AppId application = kApplicationPending;  // pending: nothing said yet
  bool more = false;                        // pending and more bytes of this direction could decide
};

// UDP and ICMP: payload is the whole datagram (ICMP: from the ICMP header). Never returns a confirmed
// application unless its length fields or grammar fit; a payload that fits nothing and never will is
// kApplicationUnidentified.
Identification identify(const Evidence& evidence) noexcept;

}  // namespace postern::classify
