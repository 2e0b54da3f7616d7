// SPDX-License-Identifier: Apache-2.0
// Community ID version 1 with seed 0: the same short text for both directions of a flow, in every tool that
// knows the specification (https://github.com/corelight/community-id-spec). Any thread, no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/address.h"

namespace postern::control {

struct FlowTuple {
  IpAddress source, destination;
  uint8_t protocol = 0;
  uint16_t source_port = 0, destination_port = 0;  // ICMP and ICMPv6: type and code
};

struct CommunityId {
  std::array<char, 30> characters;  // "1:" and 28 characters of base64
  std::string_view text() const { return {characters.data(), characters.size()}; }
};

CommunityId community_id(const FlowTuple& tuple);

}  // namespace postern::control
