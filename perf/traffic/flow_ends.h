// SPDX-License-Identifier: Apache-2.0
// The addresses of generated flows: clients in 10.64.0.0/12 at the first side, 64 servers in 10.128.0.0/12 at
// the second. A flow's number can be told from its client's end. Any thread.
#pragma once

#include <cstdint>

namespace postern::perf {

inline constexpr uint32_t kMostFlows = 1u << 24;
inline constexpr uint8_t kClientMac[6] = {0x02, 0, 0, 0, 0, 0x0a}, kServerMac[6] = {0x02, 0, 0, 0, 0, 0x0b};

struct FlowEnds {
  uint32_t client = 0, server = 0;
  uint16_t client_port = 0;

  static constexpr uint32_t kClients = 4096, kServers = 64;
  static constexpr uint16_t kFirstPort = 1024;

  static constexpr FlowEnds of(uint32_t flow) noexcept {
    return {.client = 0x0a400000 + flow % kClients,
            .server = 0x0a800001 + flow % kServers,
            .client_port = static_cast<uint16_t>(kFirstPort + flow / kClients)};
  }
  static constexpr uint32_t flow_of(uint32_t client, uint16_t client_port) noexcept {
    return static_cast<uint32_t>(client_port - kFirstPort) * kClients + (client - 0x0a400000) % kClients;
  }
};

}  // namespace postern::perf
