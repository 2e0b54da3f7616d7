// SPDX-License-Identifier: Apache-2.0
// The last step of the walk: carries out the verdicts, counts, logs the first drop and the start of a flow,
// and leaves the burst empty. One worker.
#pragma once

#include <array>
#include <memory>

#include "classify/policy_snapshot.h"
#include "dataplane/adopter.h"
#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/flow_log.h"
#include "dataplane/flow_table.h"
#include "dataplane/fragments.h"
#include "dataplane/output.h"
#include "dataplane/resets.h"
#include "dataplane/stream.h"
#include "dataplane/trace.h"

namespace postern::dataplane {

class Dispatcher {
 public:
  // `max_frame`: bytes of the longest frame a port may send, without FCS.
  Dispatcher(FlowTable& flows, FragmentTable& fragments, StreamTable& streams, FlowLog& log,
             Counters& counters, Output& output, TraceRecorder& trace, Adopter& adopter, uint32_t max_frame);

  void run(Burst& burst, const classify::Policy& policy) noexcept;

  // Frames of TLS cores; `flush` sends them.
  void forge(Packet packet, PortIndex port, Timestamp now) noexcept;
  void flush(Timestamp now) noexcept;

 private:
  static constexpr unsigned kStage = 256;
  struct Stage {
    bool used = false;
    unsigned count = 0;
    uint64_t bytes = 0;
    std::array<rte_mbuf*, kStage> packets;
    std::array<uint32_t, kStage> lengths;
  };

  void settle(Slot& slot) noexcept;
  uint32_t longest_frame(const Slot& slot) const noexcept;
  void account(const Slot& slot, uint32_t bytes, Timestamp now) noexcept;
  void account_dropped(FlowHot& hot, FlowCold& cold, uint32_t bytes, Timestamp now) noexcept;
  Packet next_of(Slot& slot) noexcept;
  void forward_one(const Slot& slot, Packet packet, Timestamp now) noexcept;
  void forward(Slot& slot, Timestamp now) noexcept;
  void divert(Slot& slot, Timestamp now) noexcept;
  void reset_peers(const Slot& slot, Timestamp now) noexcept;
  void refuse(Slot& slot, const classify::Policy& policy, Timestamp now) noexcept;
  void count(RuleId rule, uint32_t bytes) noexcept;
  void count_rule() noexcept;
  void stage(Packet packet, PortIndex port, Timestamp now) noexcept;
  void flush(PortIndex port, Timestamp now) noexcept;

  FlowTable& flows_;
  FragmentTable& fragments_;
  StreamTable& streams_;
  FlowLog& log_;
  Counters& counters_;
  Output& output_;
  TraceRecorder& trace_;
  Adopter& adopter_;
  Resets resets_;
  uint32_t max_frame_;
  std::unique_ptr<std::array<Stage, Counters::kPorts>> stages_ =
      std::make_unique<std::array<Stage, Counters::kPorts>>();
  std::array<uint8_t, Counters::kPorts> used_;
  unsigned used_count_ = 0;
  std::array<rte_mbuf*, Burst::kCapacity> refused_;
  unsigned refused_count_ = 0;
  // Of the packets of one rule that came one after the other, before they are added to its counters.
  RuleId counted_rule_;
  uint32_t counted_packets_ = 0;
  uint64_t counted_bytes_ = 0;
};

}  // namespace postern::dataplane
