// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dispatch.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>

namespace postern::dataplane {
namespace {

void write_vlan(Packet& packet, uint16_t id) noexcept {
  uint8_t* tag = packet.data() + 14;  // after both MAC addresses and the tag protocol id
  store_be16(tag, static_cast<uint16_t>((load_be16(tag) & 0xf000) | id));
}

}  // namespace

Dispatcher::Dispatcher(FlowTable& flows, FragmentTable& fragments, StreamTable& streams, FlowLog& log,
                       Counters& counters, Output& output, TraceRecorder& trace, Adopter& adopter,
                       uint32_t max_frame)
    : flows_(flows),
      fragments_(fragments),
      streams_(streams),
      log_(log),
      counters_(counters),
      output_(output),
      trace_(trace),
      adopter_(adopter),
      max_frame_(max_frame) {}

void Dispatcher::run(Burst& burst, const classify::Policy& policy) noexcept {
  for (Slot& slot : burst) {
    if (slot.fate == Fate::Taken) {
      if (slot.flow != kNoFlow) trace_.held(slot, burst.now);
      continue;
    }
    if (slot.fate == Fate::Open) settle(slot);
    const bool alone = slot.fragments == kNoFragments && slot.released == kNoFragments;
    const uint32_t longest = alone ? slot.packet.length() : longest_frame(slot);
    if (slot.fate == Fate::Forward && longest > max_frame_) drop(slot, DropReason::MtuExceeded);
    if (slot.fate == Fate::Divert) {
      divert(slot, burst.now);
    } else if (slot.fate != Fate::Forward) {
      refuse(slot, policy, burst.now);
    } else if (alone) {
      forward_one(slot, std::move(slot.packet), burst.now);
    } else {
      forward(slot, burst.now);
    }
  }
  count_rule();
  if (refused_count_ > 0) rte_pktmbuf_free_bulk(refused_.data(), refused_count_);
  refused_count_ = 0;
  adopter_.flush();
  flush(burst.now);
  burst.clear();
}

void Dispatcher::flush(Timestamp now) noexcept {
  for (unsigned i = 0; i < used_count_; ++i) {
    flush({used_[i]}, now);
    (*stages_)[used_[i]].used = false;
  }
  used_count_ = 0;
}

void Dispatcher::forge(Packet packet, PortIndex port, Timestamp now) noexcept {
  counters_.forged.add(1);
  stage(std::move(packet), port, now);
}

// One packet that cannot go out makes the others useless.
uint32_t Dispatcher::longest_frame(const Slot& slot) const noexcept {
  return std::max(
      {slot.packet.length(), fragments_.longest(slot.fragments), streams_.longest(slot.released)});
}

// What follows the slot's own packet: the rest of its datagram, then the segments that waited for it.
Packet Dispatcher::next_of(Slot& slot) noexcept {
  if (slot.fragments != kNoFragments) return fragments_.take_next(slot.fragments);
  return streams_.take_next(slot.released);
}

// The flow's standing verdict.
void Dispatcher::settle(Slot& slot) noexcept {
  const FlowHot& hot = flows_.hot(slot.flow);
  if ((hot.flags & kAdopted) != 0) {
    slot.fate = Fate::Divert;
    if (!adopter_.stuck(slot.flow)) return;
    if (hot.state != FlowState::Closed) adopter_.give_up(slot.flow);
    return drop(slot, DropReason::DecryptionFailed);
  }
  if (hot.verdict == FlowVerdict::Drop) return drop(slot, hot.reason);
  slot.fate = Fate::Forward;
}

void Dispatcher::account(const Slot& slot, uint32_t bytes, Timestamp now) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  FlowCold& cold = flows_.cold(slot.flow);
  if (hot.verdict == FlowVerdict::Drop) return account_dropped(hot, cold, bytes, now);
  if (hot.direction_from(slot.port.side()) == Direction::ToServer) {
    cold.packets_to_server += 1;
    cold.bytes_to_server += bytes;
  } else {
    cold.packets_to_client += 1;
    cold.bytes_to_client += bytes;
  }
  count(hot.rule, bytes);
  const bool started = hot.verdict == FlowVerdict::Allow || hot.verdict == FlowVerdict::Bypass;
  if (started && (hot.flags & (kLogStart | kStartLogged)) == kLogStart) {
    hot.flags |= kStartLogged;
    log_.start(hot, cold, now);
  }
}

void Dispatcher::account_dropped(FlowHot& hot, FlowCold& cold, uint32_t bytes, Timestamp now) noexcept {
  if (cold.dropped < FlowCold::kMaxDropped) cold.dropped += 1;
  count(hot.rule, bytes);
  if ((hot.flags & kDropLogged) != 0) return;
  hot.flags |= kDropLogged;
  if ((hot.flags & kLogStart) != 0) log_.drop(hot, cold, now);
}

void Dispatcher::count(RuleId rule, uint32_t bytes) noexcept {
  if (rule != counted_rule_) count_rule();
  counted_rule_ = rule;
  ++counted_packets_;
  counted_bytes_ += bytes;
}

void Dispatcher::count_rule() noexcept {
  if (counted_packets_ > 0 && counted_rule_.value < Counters::kRules) {
    counters_.rules[counted_rule_.value].packets.add(counted_packets_);
    counters_.rules[counted_rule_.value].bytes.add(counted_bytes_);
  }
  counted_packets_ = 0;
  counted_bytes_ = 0;
}

void Dispatcher::forward(Slot& slot, Timestamp now) noexcept {
  Packet packet = std::move(slot.packet);
  while (packet) {
    forward_one(slot, std::move(packet), now);
    packet = next_of(slot);
  }
}

void Dispatcher::forward_one(const Slot& slot, Packet packet, Timestamp now) noexcept {
  if (slot.flow != kNoFlow) account(slot, packet.length(), now);
  if (slot.vlan_changes) write_vlan(packet, slot.vlan_out);
  stage(std::move(packet), slot.port.opposite(), now);
}

// The session of a flow that a new policy drops ends first; its packets are then answered with resets.
void Dispatcher::divert(Slot& slot, Timestamp now) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  if (hot.verdict == FlowVerdict::Drop && hot.state != FlowState::Closed) {
    hot.state = FlowState::Closed;
    adopter_.abort(slot.flow);
  }
  Packet packet = std::move(slot.packet);
  while (packet) {
    account(slot, packet.length(), now);
    if (slot.vlan_changes) write_vlan(packet, slot.vlan_out);
    adopter_.divert(packet, slot.flow, slot.port);
    packet = next_of(slot);
  }
}

void Dispatcher::refuse(Slot& slot, const classify::Policy& policy, Timestamp now) noexcept {
  const bool by_verdict = slot.flow != kNoFlow && flows_.hot(slot.flow).verdict == FlowVerdict::Drop &&
                          slot.reason == flows_.hot(slot.flow).reason;
  trace_.refused(slot, now);
  if (slot.reason == DropReason::Midstream)
    if (Packet reset = adopter_.reset_for(slot, policy, now)) forge(std::move(reset), slot.port, now);
  if (by_verdict && slot.kind == Kind::Tcp) reset_peers(slot, now);
  if (!by_verdict && !slot.told)
    log_.packet_drop(slot, {policy.default_logging.forwarding, policy.generation}, now);
  while (const Packet further = next_of(slot)) {
    if (by_verdict) account(slot, further.length(), now);
    counters_.drop(slot.reason);
  }
  if (by_verdict) account(slot, slot.packet.length(), now);
  counters_.drop(slot.reason);
  refused_[refused_count_++] = slot.packet.release();
}

// A profile's block is told both peers, and so is the end of a session whose TLS core hangs, of which only
// the sender's numbers are known here. Every further segment is answered in the same way, for a reset may be
// lost.
void Dispatcher::reset_peers(const Slot& slot, Timestamp now) noexcept {
  const bool adopted = (flows_.hot(slot.flow).flags & kAdopted) != 0;
  if (slot.reason != DropReason::ContentBlocked && !adopted) return;
  rte_mempool& pool = *slot.packet.get()->pool;
  if (Packet reset = resets_.for_sender(slot, pool, now)) forge(std::move(reset), slot.port, now);
  if (adopted) return;
  if (Packet reset = resets_.for_receiver(slot, pool, now))
    forge(std::move(reset), slot.port.opposite(), now);
}

void Dispatcher::stage(Packet packet, PortIndex port, Timestamp now) noexcept {
  Stage& stage = (*stages_)[port.value];
  if (!stage.used) {
    stage.used = true;
    used_[used_count_++] = port.value;
  }
  const uint32_t length = packet.length();
  stage.bytes += length;
  stage.lengths[stage.count] = length;
  stage.packets[stage.count++] = packet.release();
  if (stage.count == kStage) flush(port, now);
}

void Dispatcher::flush(PortIndex port, Timestamp now) noexcept {
  Stage& stage = (*stages_)[port.value];
  if (stage.count == 0) return;
  const bool up = output_.link_up(port);
  const Output::Taken result =
      up ? output_.send(port, stage.packets.data(), stage.count, now) : Output::Taken{};
  const unsigned left = stage.count - result.taken;
  if (left > 0) {
    rte_pktmbuf_free_bulk(stage.packets.data() + result.taken, left);
    counters_.drop(up ? DropReason::TxFull : DropReason::PortDown, left);
  }
  counters_.sent.add(result.sent);
  counters_.ports[port.value].sent_packets.add(result.sent);
  const auto unsent = std::span(stage.lengths).first(stage.count).subspan(result.sent);
  counters_.ports[port.value].sent_bytes.add(
      std::accumulate(unsent.begin(), unsent.end(), stage.bytes, std::minus<>()));
  stage.count = 0;
  stage.bytes = 0;
}

}  // namespace postern::dataplane
