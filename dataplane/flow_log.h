// SPDX-License-Identifier: Apache-2.0
// Turns what a worker knows of a flow or a dropped packet into log records. Packet drops are limited to a few
// records a second and reason; the next record says how many were silent. One worker.
#pragma once

#include <array>
#include <vector>

#include "classify/tls_facts.h"
#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/flow.h"
#include "dataplane/log_ring.h"
#include "dataplane/wire.h"

namespace postern::dataplane {

// Who dropped a packet that is told alone. Where no rule judged it, `forwarding` is the default rule's.
struct DropOrigin {
  ForwardingId forwarding;
  Generation generation;
  RuleId rule = kDefaultRule;
  Zone source_zone = kNoZone, destination_zone = kNoZone;
};

class FlowLog {
 public:
  // What the end of a flow takes of the ring at most: its record, and that of a handshake that never
  // finished.
  static constexpr size_t kMostSlotsOfAnEnd =
      LogRing::slots_of(0) + LogRing::slots_of(sizeof(classify::TlsFacts));

  // A replay has no reason to be silent: `packet_drops_per_second` of all reasons is then without limit.
  FlowLog(LogRing& ring, Counters& counters, const std::vector<VlanMap>& vlan_maps,
          uint32_t packet_drops_per_second)
      : ring_(ring),
        counters_(counters),
        vlan_maps_(vlan_maps),
        packet_drops_per_second_(packet_drops_per_second) {}

  void start(const FlowHot& hot, const FlowCold& cold, Timestamp now) noexcept;
  void drop(const FlowHot& hot, const FlowCold& cold, Timestamp now) noexcept;
  // The same, where it was not told yet and somebody wants to know: no packet of the flow need come any more.
  void refused(FlowHot& hot, const FlowCold& cold, Timestamp now) noexcept;
  void change(const FlowHot& hot, const FlowCold& cold, Timestamp now) noexcept;  // of the application
  void end(const FlowHot& hot, const FlowCold& cold, EndReason reason, Timestamp now) noexcept;
  // Whatever the rule says of its log.
  void alert(const FlowHot& hot, const FlowCold& cold, const AlertFacts& facts, Timestamp now) noexcept;
  // Once per handshake, after the verdict that its facts led to: tells it where the flow's rule logs, or the
  // flow is dropped; else writes nothing.
  void tls(const FlowHot& hot, const FlowCold& cold, const classify::TlsFacts& facts, Timestamp now) noexcept;
  // For a packet without a flow, or whose flow is not to blame.
  void packet_drop(const Slot& slot, const DropOrigin& origin, Timestamp now) noexcept;

 private:
  LogRecord describe_flow(const FlowHot& hot, const FlowCold& cold, Timestamp now) const noexcept;

  struct Limit {
    Timestamp second = 0;
    uint32_t written = 0, suppressed = 0;
  };

  void push(const LogRecord& record, Bytes extra = {}) noexcept;

  LogRing& ring_;
  Counters& counters_;
  const std::vector<VlanMap>& vlan_maps_;  // by WireId
  uint32_t packet_drops_per_second_;
  std::array<Limit, kDropReasons> limits_{};
};

// The record's number for a flow: the same in every replay, however many workers there are.
uint64_t flow_id_of(const FlowKey& key, uint64_t start_us) noexcept;

// What all records of a flow have in common; also what `show flows` tells. `vlan_map` is the wire's.
LogRecord describe(const FlowHot& hot, const FlowCold& cold, const VlanMap& vlan_map, Timestamp now) noexcept;

// Of a packet alone, as it came in.
LogRecord describe(const Slot& slot, Timestamp now) noexcept;

}  // namespace postern::dataplane
