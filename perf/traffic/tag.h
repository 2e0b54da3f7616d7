// SPDX-License-Identifier: Apache-2.0
// What a generated datagram carries, so that its receiver can tell which one it is and how long it took: the
// first 18 bytes of its payload, which is all that a 64-byte frame has. Any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"

namespace postern::perf {

struct Tag {
  static constexpr uint32_t kMagic = 0x706b7467;  // "pktg"
  static constexpr size_t kSize = 18;
  static constexpr uint64_t kSequences = uint64_t{1} << 40;
  static constexpr uint8_t kRuns = 128;

  uint8_t run = 0;          // tells what an earlier trial left behind
  Side side = Side::First;  // that it was sent to
  uint64_t sequence = 0;    // of that side, below kSequences
  uint64_t sent_at = 0;     // time stamp counter
  bool operator==(const Tag&) const = default;
};

// 18 bytes of room; `run` below Tag::kRuns.
inline void write_tag(uint8_t* at, const Tag& tag) noexcept {
  store_be32(at, Tag::kMagic);
  at[4] = static_cast<uint8_t>(tag.run << 1 | static_cast<uint8_t>(tag.side));
  at[5] = static_cast<uint8_t>(tag.sequence >> 32);
  store_be32(at + 6, static_cast<uint32_t>(tag.sequence));
  store_be32(at + 10, static_cast<uint32_t>(tag.sent_at >> 32));
  store_be32(at + 14, static_cast<uint32_t>(tag.sent_at));
}

// The payload of a UDP datagram over IPv4, with up to two VLAN tags; empty when the frame is something else.
inline Bytes datagram_of(Bytes frame) noexcept {
  ByteReader in(frame);
  in.skip(12);
  uint16_t type = in.be16();
  for (int tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8); ++tags) {
    in.skip(2);
    type = in.be16();
  }
  const Bytes packet = in.rest();
  if (!in.ok() || type != 0x0800 || packet.size() < 20 || packet[0] >> 4 != 4 || packet[9] != 17) return {};
  const size_t header = size_t{packet[0]} % 16 * 4;
  if (header < 20 || packet.size() < header + 8) return {};
  return packet.subspan(header + 8);
}

// Of a received frame; nothing when it is not one of ours.
inline std::optional<Tag> read_tag(Bytes frame) noexcept {
  const Bytes payload = datagram_of(frame);
  if (payload.size() < Tag::kSize) return {};
  ByteReader in(payload);
  if (in.be32() != Tag::kMagic) return {};
  const uint8_t run_and_side = in.u8();
  const uint64_t high = in.u8();
  const uint64_t low = in.be32();
  const uint64_t stamp_high = in.be32();
  return Tag{.run = static_cast<uint8_t>(run_and_side >> 1),
             .side = (run_and_side & 1) == 0 ? Side::First : Side::Second,
             .sequence = high << 32 | low,
             .sent_at = stamp_high << 32 | in.be32()};
}

}  // namespace postern::perf
