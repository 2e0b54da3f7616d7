// SPDX-License-Identifier: Apache-2.0
// The fourth step of the walk: gives flows what they still owe. TCP bytes are put in order, the first bytes
// of each direction say which application it is; a flow that owes nothing is not looked at. A packet whose
// bytes settle the verdict obeys it itself. One worker.
#pragma once

#include "classify/policy_snapshot.h"
#include "dataplane/burst.h"
#include "dataplane/decide.h"
#include "dataplane/flow_table.h"
#include "dataplane/stream.h"

namespace postern::dataplane {

class Inspector {
 public:
  Inspector(FlowTable& flows, StreamTable& streams, Decider& decider, TraceRecorder& trace, unsigned worker)
      : flows_(flows), streams_(streams), decider_(decider), trace_(trace), worker_(worker) {}

  void run(Burst& burst, const classify::PolicySnapshot& snapshot) noexcept;

 private:
  void inspect_segment(Slot& slot, const classify::PolicySnapshot& snapshot, Timestamp now) noexcept;
  void scan(Stream& stream, Slot& slot, Bytes fresh, const classify::PolicySnapshot& snapshot,
            Timestamp now) noexcept;
  void finish(Stream& stream, Slot& slot) noexcept;
  void no_room(Slot& slot, const classify::PolicySnapshot& snapshot, Timestamp now) noexcept;
  void identify(const Slot& slot, Bytes payload, const classify::PolicySnapshot& snapshot,
                Timestamp now) noexcept;
  bool budget_left(Burst& burst, const Slot& slot, const classify::PendingBudget& budget) const noexcept;

  FlowTable& flows_;
  StreamTable& streams_;
  Decider& decider_;
  TraceRecorder& trace_;
  unsigned worker_;
};

}  // namespace postern::dataplane
