// SPDX-License-Identifier: Apache-2.0
// Any order of insert, erase and find, against a map. Keys differ in few bits, so that buckets and tags collide.
#include <cstdlib>
#include <map>

#include "dataplane/flow_table.h"
#include "tests/fuzz/program.h"

using namespace postern;
using namespace postern::dataplane;

namespace {

FlowKey key_of(uint16_t number) {
  FlowKey key;
  key.port[0] = number % 200;
  key.protocol = 6;
  return key;
}

void demand(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Program program(data, size);
  FlowTable table(64 + program.byte() % 64, program.word());
  std::map<uint16_t, uint32_t> known;
  while (!program.ended()) {
    const uint8_t what = program.byte();
    const auto number = static_cast<uint16_t>(program.byte() % 200);
    const auto found = known.find(number);
    demand(table.find(key_of(number)) == (found == known.end() ? kNoFlow : found->second));
    if (what % 3 == 0 && found != known.end()) {
      table.erase(found->second);
      known.erase(found);
    } else if (what % 3 != 0 && found == known.end()) {
      const uint32_t flow = table.insert(key_of(number));
      demand((flow == kNoFlow) == (known.size() == table.capacity()));
      if (flow == kNoFlow) continue;
      table.hot(flow).state = FlowState::Established;
      known[number] = flow;
    }
    demand(table.size() == known.size());
  }
  for (const auto& [number, flow] : known) demand(table.find(key_of(number)) == flow);
  return 0;
}
