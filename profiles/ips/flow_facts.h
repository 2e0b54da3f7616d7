// SPDX-License-Identifier: Apache-2.0
// What the data path knows of a flow and of a packet when it hands bytes to the rules, and what its policy
// wants of them. Plain values; any thread.
#pragma once

#include "base/address.h"
#include "base/ids.h"
#include "base/time.h"
#include "profiles/ips/signature.h"

namespace postern::profiles::ips {

enum class FlowPhase : uint8_t { Opening, Established };

// The ips profile of the policy rule that allowed the flow.
struct ProfileSettings {
  enum class OnMatch : uint8_t { Default, Alert, Block } on_match = OnMatch::Default;
  Severity min_severity = Severity::Informational;  // what is less is neither told nor stopped
};

struct FlowFacts {
  IpAddress client, server;
  uint16_t client_port = 0, server_port = 0;  // 0 for ICMP
  Transport transport = Transport::Tcp;
  App app = App::Unknown;
  FlowPhase phase = FlowPhase::Opening;
  ProfileSettings profile;
};

struct PacketFacts {
  uint8_t ttl = 0, tos = 0, ip_protocol = 0;
  uint16_t ip_id = 0;
  enum class MayBeCut : uint8_t { Yes, No } may_be_cut = MayBeCut::Yes;  // don't-fragment
  uint8_t tcp_flags = 0;                                                 // RFC 9293 section 3.1, FIN is 1
  uint16_t tcp_window = 0, tcp_mss = 0;
  uint32_t tcp_sequence = 0, tcp_ack = 0;
  uint8_t icmp_type = 0, icmp_code = 0;
  uint16_t icmp_id = 0, icmp_sequence = 0;
  uint32_t payload_size = 0;
  uint64_t client_stream = 0, server_stream = 0;  // bytes so far
};

}  // namespace postern::profiles::ips
