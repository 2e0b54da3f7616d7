// SPDX-License-Identifier: Apache-2.0
// Continues one leg of an established TCP connection with a kernel socket (TCP_REPAIR): the peer at the other
// end sees the same numbers, clock and options as before. A thread that has entered a private network.
#pragma once

#include <optional>

#include "base/address.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace postern::dataplane {

struct TcpEnd {
  IpAddress address;
  uint16_t port = 0;  // host order
};

// As the handshake left it; nothing is in flight in either direction.
struct TcpLeg {
  TcpEnd local;                                  // the peer that this host speaks for
  TcpEnd remote;                                 // the peer it speaks to
  uint32_t send_next = 0, receive_next = 0;      // sequence numbers
  uint32_t send_window = 0, receive_window = 0;  // bytes that remote and local have offered room for
  uint8_t remote_scale = 0, local_scale = 0;     // RFC 7323, both 0 when not negotiated
  uint16_t mss = 536;                            // that remote takes
  bool sack = false;
  std::optional<uint32_t> clock;  // TSval to go on with, when timestamps were negotiated
};

// Non-blocking. No packet leaves until something is written. The error names the step that the kernel
// refused: another socket has the same four numbers, or no memory.
Result<UniqueFd> adopt(const TcpLeg& leg);

// Ends the connection with a reset when the socket is closed, instead of a FIN.
void reset_on_close(int socket) noexcept;

}  // namespace postern::dataplane
