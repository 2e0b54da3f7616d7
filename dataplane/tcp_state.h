// SPDX-License-Identifier: Apache-2.0
// Follows a TCP connection from the middle (RFC 9293, RFC 5961): a segment that the receiver would ignore
// changes nothing and is not forwarded. One worker.
#pragma once

#include "dataplane/burst.h"
#include "dataplane/flow.h"

namespace postern::dataplane {

enum class TcpEffect : uint8_t {
  Accept,
  Refuse,   // see `reason`
  NewFlow,  // a SYN that reuses the ports of a closed connection
};
struct TcpOutcome {
  TcpEffect effect = TcpEffect::Accept;
  DropReason reason = DropReason::None;
};

// First segment of a flow: a SYN, or any segment when the flow is picked up mid-stream.
void tcp_open(FlowHot& hot, FlowCold& cold, const Slot& slot) noexcept;

// A further segment; updates hot.state and flags.
TcpOutcome tcp_observe(FlowHot& hot, FlowCold& cold, const Slot& slot) noexcept;

// Whether the sequence number an ICMP error quotes can be one the flow's sender has in flight (RFC 5927
// section 4).
bool tcp_quote_plausible(const FlowHot& hot, const FlowCold& cold, Side quoted_sender,
                         uint32_t sequence) noexcept;

}  // namespace postern::dataplane
