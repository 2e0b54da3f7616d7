// SPDX-License-Identifier: Apache-2.0
// Any segments of one connection in any order. A segment that is refused changes nothing, and a flow never ends up in a
// state TCP does not have.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "dataplane/tcp_flags.h"
#include "dataplane/tcp_state.h"
#include "tests/fuzz/program.h"

using namespace postern;
using namespace postern::dataplane;

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

// What parse lets through: options and payload of any content, flags that mean something.
struct Segment {
  std::vector<uint8_t> bytes;
  Slot slot;

  explicit Segment(Program& program, uint32_t base) {
    const uint8_t shape = program.byte();
    const size_t options = shape % 11 * 4, payload = shape & 0x80 ? program.byte() : 0;
    bytes.resize(20 + options + payload);
    store_be32(&bytes[4], base + static_cast<uint32_t>(static_cast<int16_t>(program.word())) * (shape & 0x40 ? 4096u : 1u));
    store_be32(&bytes[8], base + static_cast<uint32_t>(static_cast<int16_t>(program.word())) * (shape & 0x20 ? 4096u : 1u));
    store_be16(&bytes[14], program.word());
    const Bytes text = program.bytes(options);
    std::copy(text.begin(), text.end(), bytes.begin() + 20);
    slot.tcp_flags = program.byte();
    slot.port = PortIndex{static_cast<uint8_t>(program.byte() & 1)};
    slot.segment = bytes;
    slot.payload = Bytes(bytes).subspan(20 + options);
    if (slot.tcp_flags & kSyn) slot.payload = {}, slot.segment = slot.segment.first(20 + options);
  }
};

bool tcp_state(FlowState state) {
  return state == FlowState::SynSent || state == FlowState::SynReceived || state == FlowState::Established ||
         state == FlowState::Closing || state == FlowState::Closed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Program program(data, size);
  const uint32_t base = program.byte() % 2 == 0 ? 0xffff'ff00u : program.word();
  FlowHot hot;
  FlowCold cold{};
  tcp_open(hot, cold, Segment(program, base).slot);
  while (!program.ended()) {
    const Segment segment(program, base);
    const FlowHot hot_before = hot;
    const FlowCold cold_before = cold;
    const TcpOutcome outcome = tcp_observe(hot, cold, segment.slot);
    if (outcome.effect != TcpEffect::Accept) {
      demand(std::memcmp(&hot, &hot_before, sizeof hot) == 0 && std::memcmp(&cold, &cold_before, sizeof cold) == 0);
      demand((outcome.effect == TcpEffect::Refuse) == (outcome.reason != DropReason::None));
    }
    demand(tcp_state(hot.state));
    // Nothing goes back to a state from before the handshake.
    demand(hot_before.state == FlowState::SynSent || hot.state != FlowState::SynSent);
    for (const Side side : {Side::First, Side::Second}) tcp_quote_plausible(hot, cold, side, program.word());
    if (outcome.effect == TcpEffect::NewFlow) {
      hot = FlowHot{};
      cold = FlowCold{};
      tcp_open(hot, cold, segment.slot);
    }
  }
  return 0;
}
