// SPDX-License-Identifier: Apache-2.0
// Whether flow and packet are what the header and the packet keywords of a rule ask for, its bytes aside. Any
// thread.
#pragma once

#include "profiles/ips/flow_facts.h"

namespace postern::profiles::ips {

bool header_matches(const Signature& signature, const FlowFacts& flow, Direction direction) noexcept;
bool packet_matches(const Signature& signature,
                    const PacketFacts* packet) noexcept;  // nullptr: no packet to ask

}  // namespace postern::profiles::ips
