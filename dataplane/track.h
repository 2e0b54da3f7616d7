// SPDX-License-Identifier: Apache-2.0
// The second step of the walk: finds or opens the flow of every packet, follows its state and lets it age.
// Half-open flows have a share of their own and give way to newer half-open ones, never an established flow.
// One worker.
#pragma once

#include <optional>
#include <vector>

#include "classify/policy_snapshot.h"
#include "dataplane/adopter.h"
#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/decide.h"
#include "dataplane/flow_log.h"
#include "dataplane/flow_table.h"
#include "dataplane/stream.h"
#include "dataplane/trace.h"

namespace postern::dataplane {

class Tracker {
 public:
  // At most 2^26 flows.
  Tracker(FlowTable& flows, StreamTable& streams, FlowLog& log, Counters& counters, TraceRecorder& trace,
          Adopter& adopter, Decider& decider);

  // Afterwards an Open slot has its flow (ICMP errors: the flow they speak of).
  void run(Burst& burst, const classify::PolicySnapshot& snapshot) noexcept;

  // Ends flows that were silent for too long. Looks at as many records as the time since the last call asks
  // for, so every record is seen within two seconds.
  void age(Timestamp now, const classify::Timeouts& timeouts) noexcept;

  void age_all(Timestamp now, const classify::Timeouts& timeouts) noexcept;

  // Ends up to `limit` flows, for instance at the end of a replay or of the process.
  void end_some(size_t limit, EndReason reason, Timestamp now) noexcept;

  uint32_t half_open() const noexcept { return half_open_count_; }

 private:
  void open(Burst& burst, unsigned slot_number, const classify::PolicySnapshot& snapshot) noexcept;
  void create(Burst& burst, Slot& slot, const classify::Policy& policy) noexcept;
  void start(Burst& burst, Slot& slot) noexcept;
  void observe(Burst& burst, Slot& slot) noexcept;
  void observe_adopted(Burst& burst, Slot& slot) noexcept;
  void open_stream(const Slot& slot) noexcept;
  void close_stream(uint32_t flow, Timestamp now) noexcept;
  void observe_error(Slot& slot) noexcept;
  void restart(Burst& burst, Slot& slot) noexcept;
  void close(uint32_t flow, EndReason reason, Timestamp now) noexcept;
  // A flow and the lowest bits of its start, which tell it from a later flow in the same record.
  struct HalfOpen {
    static constexpr uint32_t kMaxFlow = (1u << 26) - 1;
    uint32_t flow : 26, stamp : 6;
  };

  HalfOpen half_open_of(uint32_t flow) const noexcept;
  bool still_half_open(HalfOpen entry) const noexcept;
  void append_half_open(HalfOpen entry) noexcept;
  HalfOpen take_oldest_half_open() noexcept;
  void remember_half_open(Burst& burst, uint32_t flow) noexcept;
  bool evict_oldest_half_open(Burst& burst) noexcept;
  bool in_burst(Burst& burst, uint32_t flow) noexcept;
  void count_half_open(bool before, bool after) noexcept;
  void age_one(uint32_t flow, Timestamp now, const classify::Timeouts& timeouts) noexcept;
  uint32_t timeout_of(const FlowHot& hot, const classify::Timeouts& timeouts) const noexcept;

  FlowTable& flows_;
  StreamTable& streams_;
  FlowLog& log_;
  Counters& counters_;
  TraceRecorder& trace_;
  Adopter& adopter_;
  Decider& decider_;
  std::vector<HalfOpen> half_open_;  // ring of flows in order of creation; may name flows that moved on
  uint32_t oldest_ = 0, remembered_ = 0;
  uint32_t half_open_count_ = 0;
  std::optional<FlowFilter> of_burst_;  // made when the first flow of a burst is evicted
  uint32_t hand_ = 0;                   // next record to look at for age
  Timestamp aged_at_ = 0;
};

}  // namespace postern::dataplane
