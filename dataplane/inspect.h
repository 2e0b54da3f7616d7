// SPDX-License-Identifier: Apache-2.0
// The fourth step of the walk: gives flows what they still owe. Here that is the application, from the first
// bytes; a flow that owes nothing is not looked at. A packet whose bytes settle the verdict obeys it itself.
// One worker.
#pragma once

#include "classify/policy_snapshot.h"
#include "dataplane/burst.h"
#include "dataplane/decide.h"
#include "dataplane/flow_table.h"

namespace postern::dataplane {

class Inspector {
 public:
  Inspector(FlowTable& flows, Decider& decider, unsigned worker)
      : flows_(flows), decider_(decider), worker_(worker) {}

  void run(Burst& burst, const classify::PolicySnapshot& snapshot) noexcept;

 private:
  void identify(const Slot& slot, const classify::PolicySnapshot& snapshot, Timestamp now) noexcept;
  bool budget_left(Burst& burst, const Slot& slot, const classify::PendingBudget& budget) const noexcept;

  FlowTable& flows_;
  Decider& decider_;
  unsigned worker_;
};

}  // namespace postern::dataplane
