// SPDX-License-Identifier: Apache-2.0
// Tells how flows that somebody asked about came to their verdicts. Steps of the walk say what happens where
// a flow is opened, looked at, judged or refused; as long as nobody asks, each of these is one test. What is
// told goes through a bounded ring, and the control thread explains it. One worker.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "classify/signature.h"
#include "dataplane/burst.h"
#include "dataplane/flow_log.h"
#include "dataplane/flow_table.h"
#include "dataplane/log_ring.h"
#include "dataplane/stream.h"

namespace postern::dataplane {

// Which flows: one by its number, or all between two ends, whoever opened them.
struct TraceTarget {
  uint64_t flow_id = 0;  // 0: by the ends
  IpAddress address[2];
  uint16_t port[2] = {};  // only of protocols that have ports
  uint8_t protocol = 0;

  bool names(const FlowKey& key, uint64_t start_us) const noexcept;
  bool names_ends(const FlowKey& key) const noexcept;  // false when it is by number
};

enum class TraceStep : uint8_t {
  Now,      // how the flow stands when somebody asks, once for each direction that has bytes
  Opened,   //
  Looked,   // first bytes of `direction` were shown to the application engine, which says `found`
  Refined,  // a text of `layer` was, inside an application that is known
  GaveUp,   // the flow could not say in time what it is, or its bytes could not be put in order
  Judged,   // the policy was asked
  Held,     // a segment waits for the bytes before it
  Refused,  // a packet was dropped; by the flow's verdict only the first one
  Ended,
};

struct TraceEvent {
  static constexpr size_t kBytes = 2048;  // what patterns ever look at

  TraceStep step{};
  Direction direction{};  // Looked: as the engine was told, see `related`
  FlowVerdict verdict{};
  FlowState state{};
  uint8_t owes = 0;      // Owed bits
  bool related = false;  // answers a multicast question: the engine was told the other end is the server
  bool known = true;     // false: a packet without a flow
  classify::Layer layer{};
  AppId found;
  uint16_t kept = 0;    // of `bytes`
  uint32_t size = 0;    // bytes there were: of the direction so far, of the datagram, of the packet's payload
  uint64_t packet = 0;  // its number in a replay; 0: live
  LogRecord flow;
  std::array<uint8_t, kBytes> bytes;

  Bytes seen() const noexcept { return {bytes.data(), kept}; }
};

using TraceRing = RecordRing<TraceEvent>;

// A question of the control thread, answered between two bursts in portions of the flow table.
struct TraceQuery {
  static constexpr uint32_t kPortion = 4096;  // records: under a millisecond
  static constexpr size_t kMost = 32;         // events

  enum class Ask : uint8_t { Find, Follow, Stop };
  Ask ask{};
  TraceTarget target;
  uint32_t from = 0;              // Find: first record; the answer says where to go on, kNoFlow at the end
  uint64_t lost = 0;              // Stop: events that found the ring full
  std::vector<TraceEvent> found;  // reserved by the asker, so the worker allocates nothing
};

class TraceRecorder {
 public:
  TraceRecorder(const FlowTable& flows, StreamTable& streams, const std::vector<VlanMap>& vlan_maps) noexcept
      : flows_(flows), streams_(streams), vlan_maps_(vlan_maps) {}

  // `ring` lives until stop(). When it is full, events are lost and counted.
  void follow(const TraceTarget& target, TraceRing& ring) noexcept;
  void stop() noexcept { ring_ = nullptr; }
  uint64_t lost() const noexcept { return lost_; }
  void at_packet(uint64_t number) noexcept { packet_ = number; }

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
