// SPDX-License-Identifier: Apache-2.0
// Tells apart what RMCP carries on UDP 623: IPMI 1.5 and 2.0 sessions (IPMI 2.0 section 13) and ASF 2.0.
// Lengths and checksums must fit. Any thread.
#pragma once

#include "base/bytes.h"

namespace postern::classify {

enum class RmcpKind : uint8_t {
  None,
  IpmiDiscovery,  // Get Channel Authentication Capabilities: opens sessions of either version
  Ipmi15,
  Ipmi20,
  Asf,  // presence ping and pong, other ASF messages, RMCP acknowledgements
};

RmcpKind classify_rmcp(Bytes datagram) noexcept;

}  // namespace postern::classify
