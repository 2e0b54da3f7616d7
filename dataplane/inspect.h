// SPDX-License-Identifier: Apache-2.0
// The fourth step of the walk: gives flows what they still owe. TCP bytes are put in order, the first bytes
// of each direction say which application it is; a flow that owes nothing is not looked at. A packet whose
// bytes settle the verdict obeys it itself. One worker.
#pragma once

#include "classify/policy_snapshot.h"
#include "dataplane/burst.h"
#include "dataplane/content.h"
#include "dataplane/decide.h"
#include "dataplane/flow_table.h"
#include "dataplane/identify.h"
#include "dataplane/stream.h"

namespace postern::dataplane {

class Inspector {
 public:
  Inspector(FlowTable& flows, StreamTable& streams, Decider& decider, FlowLog& log, TraceRecorder& trace,
            Adopter& adopter, unsigned worker)
      : flows_(flows),
        streams_(streams),
        decider_(decider),
        adopter_(adopter),
        identifier_(flows, streams, decider, log, trace, adopter, worker),
        content_(flows, streams, log, worker) {}

  void run(Burst& burst, const classify::PolicySnapshot& snapshot) noexcept;

 private:
  using Moment = Identifier::Moment;

  void inspect_segment(Slot& slot, const Moment& at) noexcept;
  void look(Stream& stream, Slot& slot, Bytes fresh, const Moment& at) noexcept;
  void note_end(Stream& stream, const Slot& slot, Direction of) const noexcept;
  bool holds_hello(const Stream& stream, const Slot& slot, const classify::Policy& policy) const noexcept;
  void hold_hello(Slot& slot, const classify::Policy& policy) noexcept;
  void leave(Stream& stream, Slot& slot) noexcept;
  void finish(Stream& stream, Slot& slot, Timestamp now) noexcept;
  void lost_order(const Slot& slot, const Moment& at) noexcept;
  void no_room(Slot& slot, const Moment& at) noexcept;
  void give_up(uint32_t flow, const Moment& at) noexcept;
  bool budget_left(Burst& burst, const Slot& slot, const FlowFilter& earlier,
                   const classify::PendingBudget& budget) const noexcept;

  FlowTable& flows_;
  StreamTable& streams_;
  Decider& decider_;
  Adopter& adopter_;
  Identifier identifier_;
  ContentJudge content_;
};

}  // namespace postern::dataplane
