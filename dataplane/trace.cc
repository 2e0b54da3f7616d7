// SPDX-License-Identifier: Apache-2.0
#include "dataplane/trace.h"

#include <algorithm>

#include "classify/policy.h"

namespace postern::dataplane {
namespace {

bool has_ports(uint8_t protocol) noexcept {
  return protocol == classify::kTcp || protocol == classify::kUdp || protocol == classify::kSctp;
}

void keep(TraceEvent& event, Bytes bytes) noexcept {
  event.size = static_cast<uint32_t>(bytes.size());
  event.kept = static_cast<uint16_t>(std::min(bytes.size(), TraceEvent::kBytes));
  std::copy_n(bytes.begin(), event.kept, event.bytes.begin());
}

}  // namespace

bool TraceTarget::names_ends(const FlowKey& key) const noexcept {
  if (flow_id != 0 || key.protocol != protocol) return false;
  const auto is = [&](size_t first) {
    const bool ports = !has_ports(protocol) || (key.port[first] == port[0] && key.port[1 - first] == port[1]);
    return ports && key.address[first] == address[0] && key.address[1 - first] == address[1];
  };
  return is(0) || is(1);
}

bool TraceTarget::names(const FlowKey& key, uint64_t start_us) const noexcept {
  return flow_id != 0 ? flow_id_of(key, start_us) == flow_id : names_ends(key);
}

void TraceRecorder::follow(const TraceTarget& target, TraceRing& ring) noexcept {
  target_ = target;
  lost_ = 0;
  ring_ = &ring;
}

bool TraceRecorder::means(uint32_t flow) const noexcept {
  return target_.names(flows_.hot(flow).key, flows_.cold(flow).start_us);
}

TraceEvent TraceRecorder::event_of(TraceStep step, uint32_t flow, Timestamp now) const noexcept {
  const FlowHot& hot = flows_.hot(flow);
  TraceEvent event;
  event.step = step;
  event.verdict = hot.verdict;
  event.state = hot.state;
  event.owes = hot.owes;
  event.related = (hot.flags & kRelated) != 0;
  event.asked_port =
      flows_.hot(flow).key.protocol == classify::kUdp ? flows_.cold(flow).asked_port : uint16_t{0};
  event.packet = packet_;
  event.flow = describe(hot, flows_.cold(flow), vlan_maps_[hot.key.wire], now);
  return event;
}

void TraceRecorder::push(const TraceEvent& event) noexcept {
  if (!ring_->push(event)) ++lost_;
}

void TraceRecorder::tell(TraceStep step, uint32_t flow, Timestamp now) noexcept {
  if (means(flow)) push(event_of(step, flow, now));
}

void TraceRecorder::tell_look(TraceStep step, uint32_t flow, Direction direction, classify::Layer layer,
                              Bytes bytes, AppId found, Timestamp now) noexcept {
  if (!means(flow)) return;
  TraceEvent event = event_of(step, flow, now);
  event.direction = direction;
  event.layer = layer;
  event.found = found;
  keep(event, bytes);
  push(event);
}

void TraceRecorder::tell_packet(TraceStep step, const Slot& slot, Timestamp now) noexcept {
  const bool known = slot.flow != kNoFlow;
  if (known ? !means(slot.flow) : slot.kind == Kind::Layer2 || !target_.names_ends(slot.key)) return;
  const bool refused = step == TraceStep::Refused;
  if (known && refused && flows_.hot(slot.flow).verdict == FlowVerdict::Drop &&
      slot.reason == flows_.hot(slot.flow).reason && flows_.cold(slot.flow).dropped > 0)
    return;
  TraceEvent event;
  if (known) event = event_of(step, slot.flow, now);
  event.step = step;
  event.packet = packet_;
  event.known = known;
  if (known) {
    event.direction = flows_.hot(slot.flow).direction_from(slot.port.side());
  } else {
    event.flow = describe(slot, now);
  }
  event.size = static_cast<uint32_t>(slot.payload.size());
  if (refused) event.flow.drop_reason = slot.reason;
  push(event);
}

void TraceRecorder::tell_end(uint32_t flow, EndReason reason, Timestamp now) noexcept {
  if (!means(flow)) return;
  TraceEvent event = event_of(TraceStep::Ended, flow, now);
  event.flow.end_reason = reason;
  push(event);
}

// What a flow sent first is kept only while its stream still looks at new bytes.
Bytes TraceRecorder::kept_front(uint32_t flow, Direction direction) noexcept {
  if (!flows_.hot(flow).owes_any(kOwesOrder)) return {};
  const Stream* stream = streams_.find(flow);
  if (stream == nullptr || !stream->half(direction).keeps_front) return {};
  return streams_.front(*stream, direction);
}

void TraceRecorder::find(TraceQuery& query, Timestamp now) noexcept {
  const uint32_t records = flows_.high_water();
  const uint32_t end = std::min(records, query.from + TraceQuery::kPortion);
  for (uint32_t flow = query.from; flow < end; ++flow) {
    const FlowHot& hot = flows_.hot(flow);
    if (hot.state == FlowState::Free || !query.target.names(hot.key, flows_.cold(flow).start_us)) continue;
    for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
      const Bytes front = kept_front(flow, direction);
      if (direction == Direction::ToClient && front.empty()) continue;
      if (query.found.size() == query.found.capacity()) break;
      TraceEvent& event = query.found.emplace_back(event_of(TraceStep::Now, flow, now));
      event.direction = direction;
      keep(event, front);
    }
  }
  query.from = end >= records ? kNoFlow : end;
}

}  // namespace postern::dataplane
