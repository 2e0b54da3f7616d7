// SPDX-License-Identifier: Apache-2.0
// Tells how flows that somebody asked about came to their verdicts. Steps of the walk say what happens where
// a flow is opened, looked at, judged or refused; as long as nobody asks, each of these is one test. What is
// told goes through a bounded ring, and the control thread explains it. One worker.
#pragma once

#include <string_view>
#include <vector>

#include "dataplane/burst.h"
#include "dataplane/flow_log.h"
#include "dataplane/flow_table.h"
#include "dataplane/stream.h"
#include "dataplane/trace_event.h"

namespace postern::dataplane {

class TraceRecorder {
 public:
  TraceRecorder(const FlowTable& flows, StreamTable& streams, const std::vector<VlanMap>& vlan_maps) noexcept
      : flows_(flows), streams_(streams), vlan_maps_(vlan_maps) {}

  // `ring` lives until stop(). When it is full, events are lost and counted.
  void follow(const TraceTarget& target, TraceRing& ring) noexcept;
  void stop() noexcept { ring_ = nullptr; }
  uint64_t lost() const noexcept { return lost_; }
  void at_packet(uint64_t number) noexcept { packet_ = number; }
  // Whether somebody waits for the flow that such a packet opens.
  bool awaits(const FlowKey& key) const noexcept { return ring_ != nullptr && target_.names_ends(key); }

  void opened(uint32_t flow, Timestamp now) noexcept {
    if (ring_ != nullptr) tell(TraceStep::Opened, flow, now);
  }
  void looked(uint32_t flow, Direction direction, Bytes payload, AppId found, Timestamp now) noexcept {
    if (ring_ != nullptr) tell_look(TraceStep::Looked, flow, direction, {}, payload, found, now);
  }
  void refined(uint32_t flow, Direction direction, classify::Layer layer, std::string_view text, AppId found,
               Timestamp now) noexcept {
    if (ring_ != nullptr) tell_look(TraceStep::Refined, flow, direction, layer, as_bytes(text), found, now);
  }
  void gave_up(uint32_t flow, Timestamp now) noexcept {
    if (ring_ != nullptr) tell(TraceStep::GaveUp, flow, now);
  }
  void judged(uint32_t flow, Timestamp now) noexcept {
    if (ring_ != nullptr) tell(TraceStep::Judged, flow, now);
  }
  void held(const Slot& slot, Timestamp now) noexcept {
    if (ring_ != nullptr) tell_packet(TraceStep::Held, slot, now);
  }
  void refused(const Slot& slot, Timestamp now) noexcept {
    if (ring_ != nullptr) tell_packet(TraceStep::Refused, slot, now);
  }
  void ended(uint32_t flow, EndReason reason, Timestamp now) noexcept {
    if (ring_ != nullptr) tell_end(flow, reason, now);
  }

  // Adds Now events of the flows that are meant, as many as there is room for.
  void find(TraceQuery& query, Timestamp now) noexcept;

 private:
  bool means(uint32_t flow) const noexcept;
  TraceEvent event_of(TraceStep step, uint32_t flow, Timestamp now) const noexcept;
  void tell(TraceStep step, uint32_t flow, Timestamp now) noexcept;
  void tell_look(TraceStep step, uint32_t flow, Direction direction, classify::Layer layer, Bytes bytes,
                 AppId found, Timestamp now) noexcept;
  void tell_packet(TraceStep step, const Slot& slot, Timestamp now) noexcept;
  void tell_end(uint32_t flow, EndReason reason, Timestamp now) noexcept;
  void push(const TraceEvent& event) noexcept;
  Bytes kept_front(uint32_t flow, Direction direction) noexcept;

  const FlowTable& flows_;
  StreamTable& streams_;
  const std::vector<VlanMap>& vlan_maps_;
  TraceRing* ring_ = nullptr;  // null: nobody asks
  TraceTarget target_;
  uint64_t packet_ = 0, lost_ = 0;
};

}  // namespace postern::dataplane
