// SPDX-License-Identifier: Apache-2.0
#include "dataplane/track.h"

#include <algorithm>

#include "dataplane/tcp_flags.h"
#include "dataplane/tcp_options.h"
#include "dataplane/tcp_state.h"

namespace postern::dataplane {
namespace {

using classify::ExceptionAction;

constexpr Timestamp kSweep = 2 * kSecond;  // one look at every record

uint32_t milliseconds(Timestamp t) noexcept { return static_cast<uint32_t>(t / kMillisecond); }

bool is_icmp_reply(const Slot& slot) noexcept {
  if (slot.key.protocol == classify::kIcmpV6) return slot.icmp_type == 129;
  return slot.icmp_type == 0 || slot.icmp_type == 14 || slot.icmp_type == 16 || slot.icmp_type == 18;
}

EndReason end_reason_of(const FlowHot& hot) noexcept {
  if (hot.verdict == FlowVerdict::Drop) return EndReason::PolicyDeny;
  if ((hot.flags & kRstByClient) != 0) return EndReason::TcpRstClient;
  if ((hot.flags & kRstByServer) != 0) return EndReason::TcpRstServer;
  return hot.state == FlowState::Closed ? EndReason::TcpFin : EndReason::AgedOut;
}

}  // namespace

Tracker::Tracker(FlowTable& flows, StreamTable& streams, FlowLog& log, Counters& counters,
                 TraceRecorder& trace, Adopter& adopter, Decider& decider)
    : flows_(flows),
      streams_(streams),
      log_(log),
      counters_(counters),
      trace_(trace),
      adopter_(adopter),
      decider_(decider),
      half_open_(std::max(flows.capacity() / 4, 1u)) {}

void Tracker::run(Burst& burst, const classify::PolicySnapshot& snapshot) noexcept {
  flows_.find(burst);
  of_burst_.reset();
  flows_.fetch_cold(burst);
  const uint64_t created_before = counters_.flows_created.value();
  for (unsigned i = 0; i < burst.size(); ++i) {
    Slot& slot = burst[i];
    if (slot.fate != Fate::Open || slot.kind == Kind::Layer2) continue;
    // An earlier packet of this burst may have opened the flow.
    if (slot.flow == kNoFlow && counters_.flows_created.value() != created_before)
      slot.flow = flows_.find(slot.key);
    if (slot.kind == Kind::IcmpError) {
      observe_error(slot);
    } else if (slot.flow == kNoFlow) {
      open(burst, i, snapshot);
    } else {
      observe(burst, slot);
    }
    if (slot.flow != kNoFlow) flows_.hot(slot.flow).last_seen = milliseconds(burst.now);
  }
}

void Tracker::open(Burst& burst, unsigned slot_number, const classify::PolicySnapshot& snapshot) noexcept {
  Slot& slot = burst[slot_number];
  const classify::Policy& policy = snapshot.policy();
  if (slot.kind == Kind::IcmpQuery && is_icmp_reply(slot)) return drop(slot, DropReason::IcmpUnrelated);
  const bool midstream = slot.kind == Kind::Tcp && (slot.tcp_flags & (kSyn | kAck)) != kSyn;
  if (midstream) {
    if (policy.exceptions.midstream == ExceptionAction::Drop) return drop(slot, DropReason::Midstream);
    if ((slot.tcp_flags & kRst) != 0) {
      slot.fate = Fate::Forward;
      return;
    }
  }
  if (!midstream && decider_.refuses_unrecorded(slot, snapshot, burst.now)) return;
  create(burst, slot, policy);
}

void Tracker::create(Burst& burst, Slot& slot, const classify::Policy& policy) noexcept {
  if (half_open_count_ >= half_open_.size() && !evict_oldest_half_open(burst))
    return drop(slot, DropReason::HalfOpenFull);
  uint32_t flow = flows_.insert(slot.key);
  if (flow == kNoFlow && evict_oldest_half_open(burst)) flow = flows_.insert(slot.key);
  if (flow == kNoFlow) {
    if (policy.exceptions.flow_table_full == ExceptionAction::Drop)
      return drop(slot, DropReason::FlowTableFull);
    slot.fate = Fate::Forward;
    return;
  }
  slot.flow = flow;
  if (of_burst_) of_burst_->add(flow);
  start(burst, slot);
}

// Fills the empty record of slot.flow.
void Tracker::start(Burst& burst, Slot& slot) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  FlowCold& cold = flows_.cold(slot.flow);
  counters_.flows_created.add(1);
  hot.owes = kOwesApplication;
  hot.flags = 0;
  if (slot.port.side() == Side::Second) hot.flags |= kOpenedBySecond;
  cold.start_us = burst.now / kMicrosecond;
  if (slot.kind == Kind::Tcp) {
    tcp_open(hot, cold, slot);
  } else {
    hot.state = FlowState::Unreplied;
  }
  trace_.opened(slot.flow, burst.now);
  if (!hot.half_open()) return;
  ++half_open_count_;
  remember_half_open(burst, slot.flow);
}

void Tracker::count_half_open(bool before, bool after) noexcept {
  half_open_count_ = half_open_count_ - (before ? 1 : 0) + (after ? 1 : 0);
}

void Tracker::observe(Burst& burst, Slot& slot) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  if ((hot.flags & kAdopted) != 0) return observe_adopted(burst, slot);
  const bool before = hot.half_open();
  if (slot.kind == Kind::Tcp) {
    if (hot.state == FlowState::SynReceived) open_stream(slot);
    const TcpOutcome outcome = tcp_observe(hot, flows_.cold(slot.flow), slot);
    if (outcome.effect == TcpEffect::Refuse) return drop(slot, outcome.reason);
    if (outcome.effect == TcpEffect::NewFlow) return restart(burst, slot);
  } else if (hot.state == FlowState::Unreplied &&
             hot.direction_from(slot.port.side()) == Direction::ToClient) {
    hot.state = FlowState::Replied;
  }
  if (before) count_half_open(before, hot.half_open());
}

// The kernel of a TLS core follows the connection, with other sequence numbers towards each peer.
void Tracker::observe_adopted(Burst& burst, Slot& slot) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  FlowCold& cold = flows_.cold(slot.flow);
  if (hot.state == FlowState::Closed && (slot.tcp_flags & (kSyn | kAck)) == kSyn) return restart(burst, slot);
  const bool to_server = hot.direction_from(slot.port.side()) == Direction::ToServer;
  if (to_server)
    cold.flags_to_server |= slot.tcp_flags & 0x3f;
  else
    cold.flags_to_client |= slot.tcp_flags & 0x3f;
  if ((slot.tcp_flags & kRst) != 0) hot.flags |= to_server ? kRstByClient : kRstByServer;
}

// With the segment that confirms the handshake, while the record still knows where each direction begins. Who
// has not seen the server's number, like a flood with forged addresses, gets none.
void Tracker::open_stream(const Slot& slot) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  const FlowCold& cold = flows_.cold(slot.flow);
  const bool confirms = slot.port.side() == hot.opener() && (slot.tcp_flags & (kAck | kSyn | kRst)) == kAck &&
                        load_be32(slot.segment.data() + 8) == cold.next[1];
  if (!confirms || !hot.owes_any(kOwesApplication) || hot.owes_any(kOwesOrder)) return;
  Stream* stream = streams_.open(slot.flow, cold.next[0], cold.next[1]);
  if (stream == nullptr) return;
  hot.owes |= kOwesOrder;
  const TcpOptions options = read_tcp_options(tcp_options(slot));
  if (options.timestamp) StreamTable::use_timestamps(*stream, *options.timestamp, options.echo);
}

void Tracker::close_stream(uint32_t flow, Timestamp now) noexcept {
  const FlowHot& hot = flows_.hot(flow);
  if (!hot.owes_any(kOwesOrder)) return;
  const Stream& stream = *streams_.find(flow);
  if (stream.reader == Reader::Tls && streams_.tls(stream).client_hello)
    log_.tls(hot, flows_.cold(flow), streams_.tls(stream), now);
  streams_.close(flow);
}

// The old connection gets its end record, the new one takes over its place in the table.
void Tracker::restart(Burst& burst, Slot& slot) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  FlowCold& cold = flows_.cold(slot.flow);
  if ((hot.flags & kLogEnd) != 0) log_.end(hot, cold, end_reason_of(hot), burst.now);
  trace_.ended(slot.flow, end_reason_of(hot), burst.now);
  counters_.flows_ended.add(1);
  close_stream(slot.flow, burst.now);
  if ((hot.flags & kAdopted) != 0) adopter_.forget(slot.flow);
  hot = FlowHot{.key = hot.key};
  cold = FlowCold{};
  start(burst, slot);
}

void Tracker::observe_error(Slot& slot) noexcept {
  if (slot.flow == kNoFlow) return drop(slot, DropReason::IcmpUnrelated);
  const FlowHot& hot = flows_.hot(slot.flow);
  if (hot.key.protocol != classify::kTcp || (hot.flags & kAdopted) != 0) return;
  // slot.payload is what the error quotes; the quoted packet was sent by the error's receiver.
  const Side quoted_sender = other(slot.port.side());
  if (!tcp_quote_plausible(hot, flows_.cold(slot.flow), quoted_sender, load_be32(&slot.payload[4])))
    drop(slot, DropReason::IcmpUnrelated);
}

Tracker::HalfOpen Tracker::half_open_of(uint32_t flow) const noexcept {
  return {.flow = flow & HalfOpen::kMaxFlow, .stamp = static_cast<uint32_t>(flows_.cold(flow).start_us) & 63};
}

bool Tracker::still_half_open(HalfOpen entry) const noexcept {
  return flows_.hot(entry.flow).half_open() && half_open_of(entry.flow).stamp == entry.stamp;
}

void Tracker::append_half_open(HalfOpen entry) noexcept {
  half_open_[(oldest_ + remembered_++) % half_open_.size()] = entry;
}

Tracker::HalfOpen Tracker::take_oldest_half_open() noexcept {
  // A flood ends a flow with every packet, and waits for memory twice each time: perf/memory_ports.py
  // new/syn.
  const auto later = [&](uint32_t n) { return half_open_[(oldest_ + n) % half_open_.size()].flow; };
  flows_.fetch_record(later(16));
  flows_.fetch_place(later(8));
  const HalfOpen entry = half_open_[oldest_];
  oldest_ = (oldest_ + 1) % static_cast<uint32_t>(half_open_.size());
  --remembered_;
  return entry;
}

// The list may be full of flows that moved on while the share is not used up; a few looks find one of them.
void Tracker::remember_half_open(Burst& burst, uint32_t flow) noexcept {
  constexpr unsigned kLooks = 16;
  for (unsigned look = 0; remembered_ == half_open_.size() && look < kLooks; ++look) {
    const HalfOpen entry = take_oldest_half_open();
    if (still_half_open(entry)) append_half_open(entry);
  }
  if (remembered_ == half_open_.size()) evict_oldest_half_open(burst);
  if (remembered_ == half_open_.size())
    take_oldest_half_open();  // all have packets in this burst: one only ages
  append_half_open(half_open_of(flow));
}

bool Tracker::in_burst(Burst& burst, uint32_t flow) noexcept {
  if (!of_burst_) {
    of_burst_.emplace();
    for (const Slot& slot : burst) of_burst_->add(slot.flow);
  }
  return of_burst_->may_hold(flow) &&
         std::any_of(burst.begin(), burst.end(), [&](const Slot& slot) { return slot.flow == flow; });
}

// True when a half-open flow was ended. Flows that were answered since they were remembered are only
// forgotten; one that a packet of this very burst belongs to is spared this time, and waits for its turn
// again.
bool Tracker::evict_oldest_half_open(Burst& burst) noexcept {
  for (uint32_t looks = remembered_; looks > 0; --looks) {
    const HalfOpen entry = take_oldest_half_open();
    if (!still_half_open(entry)) continue;
    const uint32_t flow = entry.flow;
    if (in_burst(burst, flow)) {
      append_half_open(entry);
      continue;
    }
    counters_.half_open_evicted.add(1);
    close(flow, EndReason::Resources, burst.now);
    return true;
  }
  return false;
}

void Tracker::close(uint32_t flow, EndReason reason, Timestamp now) noexcept {
  const FlowHot& hot = flows_.hot(flow);
  if ((hot.flags & kLogEnd) != 0) log_.end(hot, flows_.cold(flow), reason, now);
  trace_.ended(flow, reason, now);
  count_half_open(hot.half_open(), false);
  counters_.flows_ended.add(1);
  close_stream(flow, now);
  if ((hot.flags & kAdopted) != 0) adopter_.forget(flow);
  flows_.erase(flow);
}

uint32_t Tracker::timeout_of(const FlowHot& hot, const classify::Timeouts& timeouts) const noexcept {
  if (hot.verdict == FlowVerdict::Drop) return timeouts.drop;
  switch (hot.state) {
    case FlowState::SynSent:
    case FlowState::SynReceived:
      return timeouts.tcp_half_open;
    case FlowState::Established:
    case FlowState::Closing:
      return timeouts.tcp_established;
    case FlowState::Closed:
      return timeouts.tcp_closed;
    default:
      break;
  }
  if (hot.key.protocol == classify::kIcmp || hot.key.protocol == classify::kIcmpV6) return timeouts.icmp;
  if (hot.key.protocol != classify::kUdp) return timeouts.other;
  return hot.state == FlowState::Unreplied ? timeouts.udp_unreplied : timeouts.udp;
}

void Tracker::age(Timestamp now, const classify::Timeouts& timeouts) noexcept {
  const uint32_t records = flows_.high_water();
  if (aged_at_ == 0) aged_at_ = now;
  if (now <= aged_at_ || records == 0) return;
  const Timestamp elapsed = std::min(now - aged_at_, kSweep);
  const auto due = static_cast<uint32_t>(uint64_t{records} * elapsed / kSweep);
  if (due == 0) return;  // aged_at_ stays, so the time adds up
  aged_at_ = now;
  for (uint32_t i = 0; i < due; ++i) {
    if (hand_ >= records) hand_ = 0;
    age_one(hand_++, now, timeouts);
  }
}

void Tracker::age_all(Timestamp now, const classify::Timeouts& timeouts) noexcept {
  for (uint32_t flow = 0; flow < flows_.high_water(); ++flow) age_one(flow, now, timeouts);
}

void Tracker::age_one(uint32_t flow, Timestamp now, const classify::Timeouts& timeouts) noexcept {
  const FlowHot& hot = flows_.hot(flow);
  if (hot.state == FlowState::Free) return;
  const auto silent = static_cast<int32_t>(milliseconds(now) - hot.last_seen);
  if (silent < 0 || static_cast<uint64_t>(silent) < uint64_t{timeout_of(hot, timeouts)} * 1000) return;
  close(flow, end_reason_of(hot), now);
}

void Tracker::end_some(size_t limit, EndReason reason, Timestamp now) noexcept {
  for (uint32_t flow = 0; flow < flows_.high_water() && limit > 0; ++flow) {
    const FlowHot& hot = flows_.hot(flow);
    if (hot.state == FlowState::Free) continue;
    const bool over = hot.state == FlowState::Closed || hot.verdict == FlowVerdict::Drop;
    close(flow, over ? end_reason_of(hot) : reason, now);
    --limit;
  }
}

}  // namespace postern::dataplane
