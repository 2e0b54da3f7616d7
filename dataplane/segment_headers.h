// SPDX-License-Identifier: Apache-2.0
// Headers of TCP segments that do not come from a wire: found, corrected and made. Any thread.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "dataplane/tcp_adoption.h"

namespace postern::dataplane {

// Where an IP packet's TCP header and payload begin, in bytes; nullopt: a fragment, other protocols, or cut.
struct TcpPlace {
  uint16_t tcp = 0, payload = 0;
};
std::optional<TcpPlace> find_tcp(Bytes ip_packet) noexcept;

inline bool is_v4(Bytes ip_packet) noexcept { return ip_packet[0] >> 4 == 4; }

// Lengths of a packet whose payload has another size than its headers say, and the checksum of IPv4.
void write_ip_length(uint8_t* packet, size_t length) noexcept;

// Over the pseudo header and the whole segment, which begins at `tcp`.
void write_tcp_checksum(uint8_t* packet, size_t tcp, size_t length) noexcept;

// A segment without options and data.
struct BareSegment {
  TcpEnd from, to;
  uint32_t sequence = 0, acknowledgement = 0;
  uint8_t flags = 0;
};
inline constexpr size_t kMostBareFrame = 22 + 40 + 20;

// As a frame with this Ethernet header; returns its size, at most kMostBareFrame.
size_t write_frame(const BareSegment& segment, Bytes ethernet, uint8_t* frame) noexcept;

}  // namespace postern::dataplane
