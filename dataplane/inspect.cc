// SPDX-License-Identifier: Apache-2.0
#include "dataplane/inspect.h"

#include "dataplane/tcp_flags.h"

namespace postern::dataplane {
namespace {

Direction opposite(Direction d) noexcept {
  return d == Direction::ToServer ? Direction::ToClient : Direction::ToServer;
}

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
  for (Slot& slot : burst) {
    if (slot.fate != Fate::Open || slot.flow == kNoFlow || slot.kind == Kind::IcmpError) continue;
    const FlowHot& hot = flows_.hot(slot.flow);
    if (hot.owes == 0) continue;
    if (slot.kind == Kind::Tcp) {
      inspect_segment(slot, snapshot, burst.now);
    } else if (!slot.payload.empty()) {
      identify(slot, slot.payload, snapshot, burst.now);
    }
    const bool waits = hot.verdict == FlowVerdict::Pending && slot.fate == Fate::Open;
    if (waits && !budget_left(burst, slot, snapshot.policy().pending))
      decider_.give_up(slot.flow, snapshot, burst.now);
  }
}

void Inspector::inspect_segment(Slot& slot, const classify::PolicySnapshot& snapshot,
                                Timestamp now) noexcept {
  const FlowHot& hot = flows_.hot(slot.flow);
  if (!hot.owes_any(kOwesOrder)) {
    if (!slot.payload.empty()) no_room(slot, snapshot, now);
    return;
  }
  Stream& stream = *streams_.find(slot.flow);
  const Direction direction = hot.direction_from(slot.port.side());
  const bool acknowledges = (slot.tcp_flags & (kAck | kRst)) == kAck;
  if (acknowledges && !streams_.acknowledge(stream, opposite(direction), load_be32(slot.segment.data() + 8)))
    return drop(slot, DropReason::TcpOutOfWindow);
  if (stream.scanning) clear_urgent(slot);
  if (slot.payload.empty() && slot.fate == Fate::Open) streams_.note(stream, slot, direction);
  if (!slot.payload.empty() && slot.fate == Fate::Open) {
    const StreamTable::Admitted admitted = streams_.admit(stream, slot, direction);
    if (slot.fate == Fate::Drop && slot.reason == DropReason::StreamFull) no_room(slot, snapshot, now);
    if (admitted.place == StreamTable::Place::New) scan(stream, slot, admitted.fresh, snapshot, now);
    while (stream.scanning && slot.fate == Fate::Open) {
      const Bytes released = streams_.release(stream, slot, direction);
      if (released.empty()) break;
      scan(stream, slot, released, snapshot, now);
    }
  }
  if (slot.fate == Fate::Open) finish(stream, slot);
}

// Whoever owes something gets the next bytes of the slot's direction.
void Inspector::scan(Stream& stream, Slot& slot, Bytes fresh, const classify::PolicySnapshot& snapshot,
                     Timestamp now) noexcept {
  const FlowHot& hot = flows_.hot(slot.flow);
  const Direction direction = hot.direction_from(slot.port.side());
  // The usual case is one segment that says it all: no need to gather.
  const bool first = stream.half(direction).passed == fresh.size();
  if (hot.owes_any(kOwesApplication))
    identify(slot, first ? fresh : streams_.front(stream, direction), snapshot, now);
}

// A stream that nobody scans any more lives until what was scanned has been acknowledged.
void Inspector::finish(Stream& stream, Slot& slot) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  if (stream.scanning && !hot.owes_any(kOwesApplication)) streams_.stop(stream);
  if (stream.scanning) return;
  streams_.flush(stream, slot, hot.direction_from(slot.port.side()));
  if (!StreamTable::drained(stream)) return;
  streams_.close(slot.flow);
  hot.pay(kOwesOrder);
}

// The exception policy for a flow whose bytes cannot be put in order.
void Inspector::no_room(Slot& slot, const classify::PolicySnapshot& snapshot, Timestamp now) noexcept {
  if (snapshot.policy().exceptions.stream_full == classify::ExceptionAction::Drop)
    return drop(slot, DropReason::StreamFull);
  slot.fate = Fate::Open;
  slot.reason = DropReason::None;
  decider_.give_up(slot.flow, snapshot, now);
}

void Inspector::identify(const Slot& slot, Bytes payload, const classify::PolicySnapshot& snapshot,
                         Timestamp now) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  FlowCold& cold = flows_.cold(slot.flow);
  const auto opener = static_cast<size_t>(hot.opener());
  const bool related = (hot.flags & kRelated) != 0;
  const Direction direction = related ? Direction::ToClient : hot.direction_from(slot.port.side());
  const size_t server = related ? opener : 1 - opener;
  const classify::Identification found =
      snapshot.engine().identify({.protocol = slot.key.protocol,
                                  .client_port = slot.key.port[1 - server],
                                  .server_port = slot.key.port[server],
                                  .server = slot.key.address[server],
                                  .direction = direction,
                                  .payload = payload},
                                 snapshot.scratch(worker_));
  trace_.looked(slot.flow, direction, payload, found.application, now);
  if (found.application == kApplicationPending) return;
  // What the server says may fit nothing as long as the client has not spoken.
  const bool server_alone = direction == Direction::ToClient && !related;
  if (found.application == kApplicationUnidentified && server_alone) return;
  cold.identified = found.application.value;
  hot.pay(kOwesApplication);
  decider_.judge(slot.flow, snapshot, now);
}

// What has passed, and what would pass before `slot` in this burst: a flow that uses up its budget with one
// burst has none of its packets forwarded.
bool Inspector::budget_left(Burst& burst, const Slot& slot,
                            const classify::PendingBudget& budget) const noexcept {
  const FlowCold& cold = flows_.cold(slot.flow);
  uint64_t packets = cold.packets_to_server + cold.packets_to_client;
  uint64_t bytes = cold.bytes_to_server + cold.bytes_to_client;
  for (const Slot* earlier = burst.begin(); earlier != &slot; ++earlier) {
    if (earlier->fate != Fate::Open || earlier->flow != slot.flow) continue;
    ++packets;
    bytes += earlier->packet.length();
  }
  const Timestamp age = burst.now - cold.start_us * kMicrosecond;
  return packets < budget.packets && bytes < budget.bytes && age < budget.seconds * kSecond;
}

}  // namespace postern::dataplane
