// SPDX-License-Identifier: Apache-2.0
#include "dataplane/inspect.h"

#include "dataplane/tcp_flags.h"

namespace postern::dataplane {
namespace {

// RFC 1624 equation 3, for one 16-bit word.
uint16_t adjusted_checksum(uint16_t checksum, uint16_t before, uint16_t after) noexcept {
  uint32_t sum = static_cast<uint16_t>(~checksum) + uint32_t{static_cast<uint16_t>(~before)} + after;
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~((sum & 0xffff) + (sum >> 16)));
}

// Urgent data is taken out of the stream by some receivers and left in by others (Linux delivers "ACD" of
// "ABCD"): without the flag all of them read what was scanned.
void clear_urgent(Slot& slot) noexcept {
  if ((slot.tcp_flags & kUrg) == 0) return;
  if (slot.fragments != kNoFragments) return drop(slot, DropReason::StreamFragments);
  uint8_t* header = slot.packet.data() + (slot.segment.data() - slot.packet.data());
  const uint16_t flags = load_be16(header + 12), pointer = load_be16(header + 18);
  uint16_t checksum = load_be16(header + 16);
  checksum = adjusted_checksum(checksum, flags, static_cast<uint16_t>(flags & ~uint16_t{kUrg}));
  checksum = adjusted_checksum(checksum, pointer, 0);
  store_be16(header + 12, static_cast<uint16_t>(flags & ~uint16_t{kUrg}));
  store_be16(header + 16, checksum);
  store_be16(header + 18, 0);
  slot.tcp_flags = static_cast<uint8_t>(slot.tcp_flags & ~kUrg);
}

}  // namespace

void Inspector::run(Burst& burst, const classify::PolicySnapshot& snapshot) noexcept {
  const Moment at{snapshot, burst.now};
  FlowFilter earlier;
  for (Slot& slot : burst) {
    if (slot.fate != Fate::Open || slot.flow == kNoFlow || slot.kind == Kind::IcmpError) continue;
    const FlowHot& hot = flows_.hot(slot.flow);
    const bool elsewhere = (hot.flags & kAdopted) != 0 && !hot.owes_any(kOwesOrder);  // a TLS core looks
    if (hot.owes == 0 || elsewhere) continue;
    if (slot.kind == Kind::Tcp) {
      inspect_segment(slot, at);
    } else if (!slot.payload.empty() && hot.owes_any(kOwesApplication | kOwesReading)) {
      identifier_.read_datagram(slot, at);
    }
    const bool adopted = (hot.flags & kAdopted) != 0;  // then a TLS core bounds what passes undecided
    const bool waits = hot.verdict == FlowVerdict::Pending && slot.fate == Fate::Open && !adopted;
    if (waits && !budget_left(burst, slot, earlier, snapshot.policy().pending)) give_up(slot.flow, at);
    earlier.add(slot.flow);
    if (slot.fate == Fate::Open && slot.kind == Kind::Tcp) hold_hello(slot, snapshot.policy());
  }
}

void Inspector::inspect_segment(Slot& slot, const Moment& at) noexcept {
  const FlowHot& hot = flows_.hot(slot.flow);
  if (!hot.owes_any(kOwesOrder)) {
    if (!slot.payload.empty()) no_room(slot, at);
    return;
  }
  Stream& stream = *streams_.find(slot.flow);
  if (!stream.scanning && hot.owes_any(kOwesContent)) return lost_order(slot, at);
  const Direction direction = hot.direction_from(slot.port.side());
  const bool acknowledges = (slot.tcp_flags & (kAck | kRst)) == kAck;
  if (acknowledges && !streams_.acknowledge(stream, other(direction), load_be32(slot.segment.data() + 8)))
    return drop(slot, DropReason::TcpOutOfWindow);
  if (acknowledges) note_end(stream, slot, other(direction));
  if (stream.scanning) clear_urgent(slot);
  if (slot.payload.empty() && slot.fate == Fate::Open) streams_.note(stream, slot, direction);
  if (!slot.payload.empty() && slot.fate == Fate::Open) {
    const Bytes fresh = streams_.admit(stream, slot, direction);
    // It waits already, and must not overtake itself.
    const bool waits = stream.waiting != kNoFragments && direction == Direction::ToServer;
    if (waits && slot.fate == Fate::Open && fresh.empty() && hot.verdict == FlowVerdict::Pending)
      return drop(slot, DropReason::TcpDuplicateHeld);
    if (slot.fate == Fate::Drop && slot.reason == DropReason::StreamFull) no_room(slot, at);
    if (!fresh.empty()) look(stream, slot, fresh, at);
    while (stream.scanning && slot.fate == Fate::Open && (hot.flags & kAdopted) == 0) {
      const Bytes released = streams_.release(stream, slot, direction);
      if (released.empty()) break;
      look(stream, slot, released, at);
    }
  }
  if ((hot.flags & kAdopted) != 0) return leave(stream, slot);
  if (slot.fate == Fate::Open) finish(stream, slot, at.now);
}

// What it is comes first: it says which profiles are asked.
void Inspector::look(Stream& stream, Slot& slot, Bytes fresh, const Moment& at) noexcept {
  identifier_.read(stream, slot, fresh, at);
  if ((flows_.hot(slot.flow).flags & kAdopted) == 0) content_.read(stream, slot, fresh, at.snapshot, at.now);
}

// A TLS core goes on with the flow, and begins with what the server has not seen.
void Inspector::leave(Stream& stream, Slot& slot) noexcept {
  streams_.resume(stream, slot);
  streams_.flush(stream, slot, flows_.hot(slot.flow).direction_from(slot.port.side()));
  streams_.close(slot.flow);
  flows_.hot(slot.flow).pay(kOwesOrder);
}

// While a client's hello is not whole, none of it reaches the server: it may have to be another's hello.
bool Inspector::holds_hello(const Stream& stream, const Slot& slot,
                            const classify::Policy& policy) const noexcept {
  constexpr uint8_t kHandshakeRecord = 22;  // RFC 8446 section 5.1
  const FlowHot& hot = flows_.hot(slot.flow);
  if (hot.verdict != FlowVerdict::Pending || slot.payload.empty() || !adopter_.serves(policy)) return false;
  if (hot.direction_from(slot.port.side()) != Direction::ToServer) return false;
  if (stream.waiting != kNoFragments) return true;
  const bool first = load_be32(slot.segment.data() + 4) == stream.half(Direction::ToServer).first();
  return first && slot.payload[0] == kHandshakeRecord && stream.half(Direction::ToClient).passed == 0;
}

void Inspector::hold_hello(Slot& slot, const classify::Policy& policy) noexcept {
  if (!flows_.hot(slot.flow).owes_any(kOwesOrder)) return;
  Stream& stream = *streams_.find(slot.flow);
  if (holds_hello(stream, slot, policy)) {
    if (!streams_.wait(stream, slot))
      drop(slot, slot.fragments == kNoFragments ? DropReason::StreamFull : DropReason::StreamFragments);
    return;
  }
  const FlowHot& hot = flows_.hot(slot.flow);
  const bool from_client = hot.direction_from(slot.port.side()) == Direction::ToServer;
  if (from_client && hot.verdict != FlowVerdict::Pending) streams_.resume(stream, slot);
}

void Inspector::note_end(Stream& stream, const Slot& slot, Direction of) const noexcept {
  const uint16_t fin = of == Direction::ToServer ? kFinToServer : kFinToClient;
  if ((flows_.hot(slot.flow).flags & fin) == 0) return;
  const uint32_t end = flows_.cold(slot.flow).next[static_cast<size_t>(of)];
  if (load_be32(slot.segment.data() + 8) == end) stream.half(of).ended = true;
}

// A stream that nobody scans any more lives until what was scanned has been acknowledged. One whose ends both
// hosts confirmed has nothing to come: if it kept its place until its flow ages out, the places would bound
// how many connections may end per second.
void Inspector::finish(Stream& stream, Slot& slot, Timestamp now) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  if (hot.state == FlowState::Closed && StreamTable::over(stream, flows_.cold(slot.flow).next)) {
    if (hot.owes_any(kOwesReading)) identifier_.abandon(stream, slot.flow, now);
    streams_.close(slot.flow);
    return hot.pay(kOwesOrder | kOwesContent | kAlertsOnly);
  }
  const bool over = hot.verdict == FlowVerdict::Drop || hot.verdict == FlowVerdict::Bypass;
  if (over && hot.owes_any(kOwesReading)) identifier_.abandon(stream, slot.flow, now);
  if (over) hot.pay(kOwesContent | kAlertsOnly);
  if (stream.scanning && !hot.owes_any(kOwesApplication | kOwesReading | kOwesContent)) streams_.stop(stream);
  if (stream.scanning) return;
  streams_.flush(stream, slot, hot.direction_from(slot.port.side()));
  if (!StreamTable::drained(stream)) return;
  streams_.close(slot.flow);
  hot.pay(kOwesOrder);
}

// A new policy wants to see content whose order nobody has kept: the exception for what cannot be inspected.
void Inspector::lost_order(const Slot& slot, const Moment& at) noexcept {
  streams_.close(slot.flow);
  flows_.hot(slot.flow).pay(kOwesOrder);
  decider_.judge(slot.flow, at.snapshot, at.now);
}

// The exception policy for a flow whose bytes cannot be put in order.
void Inspector::no_room(Slot& slot, const Moment& at) noexcept {
  if (at.snapshot.policy().exceptions.stream_full == classify::ExceptionAction::Drop)
    return drop(slot, DropReason::StreamFull);
  slot.fate = Fate::Open;
  slot.reason = DropReason::None;
  give_up(slot.flow, at);
}

void Inspector::give_up(uint32_t flow, const Moment& at) noexcept {
  const FlowHot& hot = flows_.hot(flow);
  if (hot.owes_any(kOwesReading) && hot.owes_any(kOwesOrder))
    identifier_.abandon(*streams_.find(flow), flow, at.now);
  decider_.give_up(flow, at.snapshot, at.now);
}

// What has passed, and what would pass before `slot` in this burst: a flow that uses up its budget with one
// burst has none of its packets forwarded.
bool Inspector::budget_left(Burst& burst, const Slot& slot, const FlowFilter& earlier,
                            const classify::PendingBudget& budget) const noexcept {
  const FlowCold& cold = flows_.cold(slot.flow);
  uint64_t packets = cold.packets_to_server + cold.packets_to_client;
  uint64_t bytes = cold.bytes_to_server + cold.bytes_to_client;
  const Slot* end = earlier.may_hold(slot.flow) ? &slot : burst.begin();
  for (const Slot* other = burst.begin(); other != end; ++other) {
    if (other->fate != Fate::Open || other->flow != slot.flow) continue;
    ++packets;
    bytes += other->packet.length();
  }
  const Timestamp age = burst.now - cold.start_us * kMicrosecond;
  return packets < budget.packets && bytes < budget.bytes && age < budget.seconds * kSecond;
}

}  // namespace postern::dataplane
