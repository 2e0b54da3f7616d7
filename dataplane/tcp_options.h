// SPDX-License-Identifier: Apache-2.0
// The TCP options that the data path looks at (RFC 7323, RFC 2385). Any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "dataplane/burst.h"

namespace postern::dataplane {

inline constexpr uint8_t kNoScale = 15, kMaxScale = 14;  // RFC 7323 section 2.3
inline constexpr uint16_t kLeastMss = 536;  // what a host takes that says nothing, RFC 9293 section 3.7.1

struct TcpOptions {
  uint8_t scale = kNoScale;
  uint16_t mss = kLeastMss;
  bool md5 = false, sack = false;
  std::optional<uint32_t> timestamp;  // TSval
  uint32_t echo = 0;                  // TSecr
};

// What both SYNs said beside their window scales, in 16 bits: a flow record has no more room. The MSS is kept
// in steps of 20 bytes, rounded down: sending less at once than a peer takes is always right.
struct HandshakeOptions {
  uint16_t client_mss = kLeastMss, server_mss = kLeastMss;
  bool client_sack = false;  // permitted by the client
  bool sack = false;         // by both

  uint16_t pack() const noexcept {
    return static_cast<uint16_t>(steps(client_mss) | steps(server_mss) << 7 | (client_sack ? 1 << 14 : 0) |
                                 (sack ? 1 << 15 : 0));
  }
  static HandshakeOptions unpack(uint16_t packed) noexcept {
    const auto bytes = [](unsigned count) { return static_cast<uint16_t>((count & kMostSteps) * kStep); };
    return {bytes(packed), bytes(packed >> 7u), (packed >> 14 & 1) != 0, (packed >> 15 & 1) != 0};
  }

 private:
  static constexpr unsigned kStep = 20, kMostSteps = 127;
  static unsigned steps(uint16_t mss) noexcept { return std::clamp(mss / kStep, 5u, kMostSteps); }
};

// What most segments carry, and nothing else.
inline bool only_timestamps(Bytes options) noexcept {
  return options.size() == 12 && load_be32(options.data()) == 0x0101080a;
}

inline TcpOptions read_tcp_options(Bytes bytes) noexcept {
  constexpr uint8_t kEnd = 0, kNop = 1, kMss = 2, kWindowScale = 3, kSackPermitted = 4, kTimestamps = 8,
                    kMd5 = 19;
  TcpOptions options;
  ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    const uint8_t kind = reader.u8();
    if (kind == kEnd) break;
    if (kind == kNop) continue;
    const uint8_t length = reader.u8();
    if (!reader.ok() || length < 2) break;
    const Bytes value = reader.bytes(length - 2u);
    if (!reader.ok()) break;
    if (kind == kMss && length == 4) options.mss = load_be16(value.data());
    if (kind == kSackPermitted && length == 2) options.sack = true;
    if (kind == kWindowScale && length == 3) options.scale = std::min(value[0], kMaxScale);
    if (kind == kTimestamps && length == 10) {
      options.timestamp = load_be32(value.data());
      options.echo = load_be32(value.data() + 4);
    }
    if (kind == kMd5) options.md5 = true;
  }
  return options;
}

// Of a slot whose segment is TCP.
inline Bytes tcp_options(const Slot& slot) noexcept {
  return slot.segment.subspan(20, slot.segment.size() - slot.payload.size() - 20);
}

inline std::optional<uint32_t> tcp_timestamp(const Slot& slot) noexcept {
  const Bytes options = tcp_options(slot);
  if (only_timestamps(options)) return load_be32(options.data() + 4);
  return read_tcp_options(options).timestamp;
}

}  // namespace postern::dataplane
