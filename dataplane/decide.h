// SPDX-License-Identifier: Apache-2.0
// The third step of the walk: asks the policy about flows that have no answer of the current generation. A
// settled flow costs one comparison. Also used by `inspect` when a flow's application becomes known. One
// worker.
#pragma once

#include <span>

#include "classify/policy_snapshot.h"
#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/expectation.h"
#include "dataplane/flow_log.h"
#include "dataplane/flow_table.h"
#include "dataplane/refusal_budget.h"
#include "dataplane/related.h"
#include "dataplane/trace.h"
#include "dataplane/wire.h"

namespace postern::dataplane {

class Decider {
 public:
  // `questions[own]` is written by this worker, the others are read.
  Decider(FlowTable& flows, FlowLog& log, Counters& counters, const std::vector<VlanMap>& vlan_maps,
          std::span<QuestionTable> questions, unsigned own, TraceRecorder& trace, const RefusalBudget& budget)
      : flows_(flows),
        log_(log),
        counters_(counters),
        vlan_maps_(vlan_maps),
        questions_(questions),
        own_(own),
        trace_(trace),
        budget_(budget) {}

  // Afterwards every flow of an Open slot was judged by `snapshot`; its verdict may be Pending.
  void run(Burst& burst, const classify::PolicySnapshot& snapshot) noexcept;

  // Whether the policy refuses the flow that the packet would open, whatever its application turns out to be,
  // and the records for such flows are used up: the packet is then dropped, counted for the rule and told at
  // a limited rate. In a flood this spares the table and the log, and leaves half-open flows of others alone.
  bool refuses_unrecorded(Slot& slot, const classify::PolicySnapshot& snapshot, Timestamp now) noexcept;

  // Judges again because what is known of the flow has changed.
  // `exclusions`: what the site says of its TLS, known at the client's hello; it stays as it was answered
  // then.
  void judge(uint32_t flow, const classify::PolicySnapshot& snapshot, Timestamp now,
             classify::ExclusionSet exclusions = {}) noexcept;

  // Why the rule that the flow meets leaves it end to end; None: these are no reason for it.
  DecryptReason exclusion_of(uint32_t flow, classify::ExclusionSet exclusions,
                             const classify::PolicySnapshot& snapshot) const noexcept;

  // The pending budget is used up: the flow stays unidentified and the exception policy has the last word.
  void give_up(uint32_t flow, const classify::PolicySnapshot& snapshot, Timestamp now) noexcept;

  // Whether another application could change what the policy says of the flow.
  bool depends_on_application(uint32_t flow, const classify::PolicySnapshot& snapshot) const noexcept;

  // Whether some rule would allow the flow if it were `base` or one of `others`.
  bool could_allow(uint32_t flow, AppId base, const std::vector<AppId>& others,
                   const classify::PolicySnapshot& snapshot) const noexcept;

  // The server of this flow may answer from another port.
  void expect_answer(uint32_t flow, Timestamp now) noexcept;
  const Expectation* expectation_of(const FlowHot& hot, Timestamp now) const noexcept;  // nullptr: none

  // The facts the policy is asked about; also for `test flow`.
  classify::FlowFacts facts_of(const FlowHot& hot, const FlowCold& cold,
                               const classify::PolicySnapshot& snapshot) const noexcept;

 private:
  struct Answer;
  Answer answer_for(const FlowHot& hot, const FlowCold& cold, const classify::FlowFacts& facts,
                    const classify::PolicySnapshot& snapshot, Timestamp now) const noexcept;
  void settle_inspection(Answer& answer, const FlowHot& hot, const FlowCold& cold,
                         const classify::FlowFacts& facts,
                         const classify::PolicySnapshot& snapshot) const noexcept;
  void apply(uint32_t flow, const Answer& answer, const classify::PolicySnapshot& snapshot,
             Timestamp now) noexcept;
  bool answers_question(const FlowHot& hot, const classify::PolicySnapshot& snapshot,
                        Timestamp now) const noexcept;
  void remember_question(const FlowHot& hot, Timestamp now) noexcept;
  void count_unrecorded(Slot& slot, const Answer& answer, const classify::PolicySnapshot& snapshot,
                        Timestamp now) noexcept;

  FlowTable& flows_;
  FlowLog& log_;
  Counters& counters_;
  const std::vector<VlanMap>& vlan_maps_;
  std::span<QuestionTable> questions_;
  unsigned own_;
  ExpectationTable expectations_;
  TraceRecorder& trace_;
  RefusalBudget budget_;
};

}  // namespace postern::dataplane
