// SPDX-License-Identifier: Apache-2.0
// A worker's answer to what TLS cores find in the clear bytes of adopted flows: the flow is judged by what
// runs inside as a clear one is by its first bytes, and the core is told whether the bytes pass. One worker.
#pragma once

#include "dataplane/adopter.h"
#include "dataplane/decide.h"

namespace postern::dataplane {

class InsideJudge {
 public:
  InsideJudge(FlowTable& flows, Decider& decider, FlowLog& log, Adopter& adopter)
      : flows_(flows), decider_(decider), log_(log), adopter_(adopter) {}

  // A finding about a flow that is gone has no answer: the core hears of the end in another message.
  void take_finding(const rte_mbuf& message, const classify::PolicySnapshot& snapshot,
                    Timestamp now) noexcept;

 private:
  void conclude(uint32_t flow, AppId application, const classify::PolicySnapshot& snapshot,
                Timestamp now) noexcept;

  FlowTable& flows_;
  Decider& decider_;
  FlowLog& log_;
  Adopter& adopter_;
};

}  // namespace postern::dataplane
