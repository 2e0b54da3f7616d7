// SPDX-License-Identifier: Apache-2.0
// What a private network sends, cut into frames: together they carry the same bytes in the same order, and
// each is a whole packet by its own lengths.
#include <cstdlib>
#include <vector>

#include "dataplane/exception_port.h"
#include "dataplane/tls_link.h"
#include "tests/fuzz/program.h"

using namespace postern;
using namespace postern::dataplane;

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Program program(data, size);
  const uint16_t segment_size = program.word();
  const Bytes packet = program.bytes(size);
  const EthernetHeader ethernet = ethernet_of(packet);
  demand(ethernet.size == 0 ||
         (ethernet.size >= 14 && ethernet.size <= 22 && ethernet.size <= packet.size()));
  const auto place = find_tcp(packet);
  if (!place) return 0;
  demand(place->tcp < place->payload && place->payload <= packet.size());
  const ExceptionPort::Outgoing outgoing{packet, segment_size};
  FrameCutter cutter(outgoing, *place, ethernet.view());
  std::vector<uint8_t> carried;
  while (!cutter.done()) {
    std::vector<uint8_t> frame(cutter.next_size());
    cutter.write_next(frame.data());
    const Bytes inner = Bytes(frame).subspan(ethernet.size);
    const auto part = find_tcp(inner);
    demand(part && part->payload == place->payload);
    const size_t length = is_v4(inner) ? load_be16(&inner[2]) : size_t{40} + load_be16(&inner[4]);
    demand((length & 0xffff) == (inner.size() & 0xffff));
    demand(segment_size == 0 || inner.size() - part->payload <= segment_size);
    carried.insert(carried.end(), inner.begin() + part->payload, inner.end());
  }
  demand(std::equal(carried.begin(), carried.end(), packet.begin() + place->payload, packet.end()));
  return 0;
}
