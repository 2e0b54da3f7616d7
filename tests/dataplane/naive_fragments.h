// SPDX-License-Identifier: Apache-2.0
// The obvious reassembler, one byte after the other, to compare FragmentTable with. It has no limits and no
// clock.
#pragma once

#include <map>
#include <optional>

#include "dataplane/burst.h"
#include "tests/dataplane/packets.h"

namespace postern::dataplane {

struct Piece {
  uint32_t identification = 1;
  size_t offset = 0;
  bool more = true;
  Octets data;
};

// What happened to one fragment.
struct Outcome {
  Fate fate{};
  DropReason reason{};
  Octets datagram;     // of a complete one
  size_t packets = 0;  // it consists of
  bool operator==(const Outcome&) const = default;
};

class NaiveFragments {
 public:
  Outcome add(const Piece& piece) {
    const size_t end = piece.offset + piece.data.size();
    if (piece.data.empty() || (piece.more && piece.data.size() % 8 != 0) || end > 65535) return bad();
    Datagram& datagram = datagrams_[piece.identification];
    const size_t furthest = datagram.bytes.empty() ? 0 : datagram.bytes.rbegin()->first + 1;
    const bool wrong_end =
        piece.more ? datagram.total && end > *datagram.total : datagram.total && end != *datagram.total;
    if (wrong_end || (!piece.more && end < furthest))
      return discard(piece.identification, DropReason::FragmentBad);
    size_t known = 0;
    for (size_t at = piece.offset; at < end; ++at) known += datagram.bytes.count(at);
    if (known == piece.data.size()) return {Fate::Drop, DropReason::FragmentOverlap, {}, 0};
    if (known != 0) return discard(piece.identification, DropReason::FragmentOverlap);
    for (size_t at = piece.offset; at < end; ++at) datagram.bytes[at] = piece.data[at - piece.offset];
    if (!piece.more) datagram.total = end;
    ++datagram.packets;
    if (!datagram.total || datagram.bytes.size() != *datagram.total)
      return {Fate::Taken, DropReason::None, {}, 0};
    Outcome whole{Fate::Open, DropReason::None, {}, datagram.packets};
    for (const auto& [at, byte] : datagram.bytes) whole.datagram.push_back(byte);
    datagrams_.erase(piece.identification);
    return whole;
  }
  uint64_t held() const {
    uint64_t packets = 0;
    for (const auto& [identification, datagram] : datagrams_) packets += datagram.packets;
    return packets;
  }
  uint64_t discarded = 0;  // fragments that were held and had to go

 private:
  struct Datagram {
    std::map<size_t, uint8_t> bytes;
    std::optional<size_t> total;
    size_t packets = 0;
  };
  static Outcome bad() { return {Fate::Drop, DropReason::FragmentBad, {}, 0}; }
  Outcome discard(uint32_t identification, DropReason reason) {
    discarded += datagrams_[identification].packets;
    datagrams_.erase(identification);
    return {Fate::Drop, reason, {}, 0};
  }
  std::map<uint32_t, Datagram> datagrams_;
};

}  // namespace postern::dataplane
