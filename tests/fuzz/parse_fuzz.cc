// SPDX-License-Identifier: Apache-2.0
// Any bytes as frames of one wire, several in a row so that fragments meet: every one is judged, held or open with a key,
// and no buffer is lost. The functions below read the bytes themselves, where the sanitizer sees one too far.
#include <cstdlib>
#include <map>
#include <memory>

#include "dataplane/owner.h"
#include "dataplane/parse.h"
#include "tests/fuzz/packet_source.h"
#include "tests/fuzz/program.h"

using namespace postern;
using namespace postern::dataplane;

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

void read_exactly(Bytes frame) {
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[frame.size()]);
  std::copy(frame.begin(), frame.end(), exact.get());
  const Bytes bytes{exact.get(), frame.size()};
  demand(owner_of_frame(bytes, 3, 2) < 3);
  const Bytes packet = bytes.subspan(std::min<size_t>(bytes.size(), 14));
  for (const IpHeader& header : {parse_ipv4(packet), parse_ipv6(packet)})
    demand(header.reason != DropReason::None || header.payload.size() <= packet.size());
  for (const bool v4 : {true, false}) {
    const QuotedPacket quoted = read_quoted_packet(packet, v4);
    demand(!quoted.ok || quoted.transport.size() >= 8);
  }
  walk_extensions(frame.empty() ? uint8_t{0} : frame[0], packet);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static PacketSource source;
  Program program(data, size);
  {
    const uint8_t choice = program.byte();
    classify::Exceptions exceptions;
    if (choice & 1) exceptions.malformed = exceptions.fragments_full = classify::ExceptionAction::Pass;
    const std::map<uint16_t, uint16_t> ids{{10, 110}};
    const std::vector<ParseRules> rules{{L2Policy{}, VlanMap(choice & 2 ? ids : std::map<uint16_t, uint16_t>{})}};
    // Made once, because they are large; empty at the end of every input.
    static Counters counters;
    static FragmentTable fragments({.datagrams = 4, .fragments = 8, .per_datagram = 4}, counters);
    Parser parser(rules, fragments);
    Burst burst;
    burst.now = kSecond;
    while (!program.ended() && !burst.full()) {
      const uint8_t length = program.byte();
      const Bytes frame = program.bytes(length == 255 ? size : length);
      read_exactly(frame);
      burst.add(source.packet(frame.first(std::min<size_t>(frame.size(), 4000))), PortIndex{static_cast<uint8_t>(choice >> 2 & 1)});
    }
    parser.run(burst, exceptions);
    for (Slot& slot : burst) {
      demand((slot.fate == Fate::Drop) == (slot.reason != DropReason::None));
      demand((slot.fate == Fate::Taken) == !slot.packet);
      if (slot.fate == Fate::Open) demand(slot.kind != Kind::Layer2);
      if (slot.fate == Fate::Open && slot.kind == Kind::Tcp) demand(slot.segment.size() >= 20);
      if (slot.fate == Fate::Open && slot.kind == Kind::IcmpError) demand(slot.payload.size() >= 8);
      uint16_t list = slot.fragments;
      while (const Packet fragment = fragments.take_next(list)) demand(fragment.length() > 0);
    }
    fragments.expire(100 * kSecond);
    demand(fragments.held() == 0);
  }
  demand(source.complete());
  return 0;
}
