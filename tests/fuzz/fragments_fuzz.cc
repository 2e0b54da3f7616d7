// SPDX-License-Identifier: Apache-2.0
// Any order of fragments of a few datagrams, against the obvious reassembler: the same fate for every fragment, the same
// bytes for every datagram, the same number held.
#include <cstdlib>

#include "dataplane/fragments.h"
#include "tests/dataplane/naive_fragments.h"
#include "tests/fuzz/packet_source.h"
#include "tests/fuzz/program.h"

using namespace postern;
using namespace postern::dataplane;

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

Piece next_piece(Program& program) {
  const uint8_t shape = program.byte();
  Piece piece{static_cast<uint32_t>(shape & 3), program.byte() * size_t{8}, (shape & 4) != 0, {}};
  if (shape & 8) piece.offset = (piece.offset + 65024) & 0xfff8;   // as much as a header can say
  piece.data.resize(shape & 16 ? program.byte() : (shape >> 5) * size_t{8});
  for (size_t i = 0; i < piece.data.size(); ++i) piece.data[i] = static_cast<uint8_t>(shape + i);
  return piece;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static PacketSource source;
  if (size > 600) return 0;   // the table below never gets full
  {
    Program program(data, size);
    // Made once, because they are large; empty at the end of every input.
    static Counters counters;
    static FragmentTable fragments({.datagrams = 4, .fragments = 700, .per_datagram = 700}, counters);
    NaiveFragments naive;
    Burst burst;
    while (!program.ended()) {
      const Piece piece = next_piece(program);
      burst.add(source.packet(piece.data), PortIndex{0});
      Slot& slot = burst[0];
      IpHeader header;
      header.source = ip("10.1.0.5");
      header.destination = ip("10.3.0.1");
      header.protocol = 17;
      header.fragment = true;
      header.identification = piece.identification;
      header.fragment_offset = static_cast<uint16_t>(piece.offset);
      header.more_fragments = piece.more;
      header.payload = slot.packet.bytes();
      fragments.begin_burst();
      fragments.add(slot, header, kSecond);
      const Outcome expected = naive.add(piece);
      demand(slot.fate == expected.fate && slot.reason == expected.reason);
      if (slot.fate == Fate::Open) {
        demand(Octets(slot.segment.begin(), slot.segment.end()) == expected.datagram);
        size_t packets = 1;
        while (fragments.take_next(slot.fragments)) ++packets;
        demand(packets == expected.packets);
      }
      demand(fragments.held() == naive.held());
      const Packet done = burst.take(0);
      burst.clear();
    }
    fragments.expire(100 * kSecond);
    demand(fragments.held() == 0);
  }
  demand(source.complete());
  return 0;
}
