// SPDX-License-Identifier: Apache-2.0
// Any segments in any order, with loss behind the box and acknowledgements: hosts that keep the first bytes
// and hosts that keep the last ones read exactly what was scanned.
#include <algorithm>
#include <cstdlib>

#include "dataplane/stream.h"
#include "tests/dataplane/stream_bench.h"
#include "tests/fuzz/packet_source.h"
#include "tests/fuzz/program.h"

using namespace postern;
using namespace postern::dataplane;

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

void read_as_scanned(const NaiveReceiver& receiver, const Octets& scanned) {
  demand(receiver.delivered.size() <= scanned.size());
  demand(std::equal(receiver.delivered.begin(), receiver.delivered.end(), scanned.begin()));
}

void play(Program& program, PacketSource& source, StreamTable& table) {
  const uint32_t first = uint32_t{program.byte()} << 24 | 0xfffff0;  // most runs pass the end of the numbers
  StreamBench<PacketSource> bench(source, table, first);
  NaiveReceiver old_wins(first, Keeps::First), new_wins(first, Keeps::Last);
  bool honest = true;  // a receiver that acknowledges what it does not have fools only itself
  while (!program.ended()) {
    const uint8_t shape = program.byte();
    if ((shape & 15) == 15) bench.forget_front();
    if ((shape & 3) == 2) bench.acknowledge(old_wins.next());
    if ((shape & 7) == 1) {
      bench.acknowledge(first + program.byte());
      honest = false;
    }
    const uint32_t at = program.byte() & 63;
    Octets data(1 + (shape >> 4));
    for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(at + i);
    if ((shape & 12) == 12) data[program.byte() % data.size()] ^= 0x80;
    Octets options;
    if ((shape & 12) == 8) {
      options = {1, 1, 8, 10, 0, 0, 0, program.byte(), 0, 0, 0, 0};
    }
    const auto result = bench.send(first + at, data, options);
    const uint8_t lost = program.byte();
    for (size_t i = 0; i < result.sent.size(); ++i) {
      if (lost >> (i & 7) & 1) continue;
      old_wins.receive(result.sent[i]);
      new_wins.receive(result.sent[i]);
    }
    if (!honest) continue;
    read_as_scanned(old_wins, bench.scanned);
    read_as_scanned(new_wins, bench.scanned);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static PacketSource source;
  static Counters counters;
  static StreamTable table({.streams = 2, .blocks = 8, .held = 32, .held_per_flow = 16}, counters);
  if (size > 4096) return 0;
  {
    Program program(data, size);
    play(program, source, table);
  }
  demand(table.held() == 0 && table.size() == 0 && table.free_blocks() == 8);
  demand(source.complete());
  return 0;
}
