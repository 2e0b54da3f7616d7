// SPDX-License-Identifier: Apache-2.0
// Shows the in-order bytes of clear flows to the profiles that their rules ask for, before the segment that
// brought them goes on; what must not pass is dropped with it, and the flow is over. One worker.
#pragma once

#include "classify/policy_snapshot.h"
#include "dataplane/burst.h"
#include "dataplane/flow_log.h"
#include "dataplane/flow_table.h"
#include "dataplane/stream.h"

namespace postern::dataplane {

class ContentJudge {
 public:
  ContentJudge(FlowTable& flows, StreamTable& streams, FlowLog& log, unsigned worker)
      : flows_(flows), streams_(streams), log_(log), worker_(worker) {}

  // The next bytes in order of the direction that the slot came in. Also of a flow whose rule is still open.
  void read(Stream& stream, const Slot& slot, Bytes fresh, const classify::PolicySnapshot& snapshot,
            Timestamp now) noexcept;

 private:
  FlowTable& flows_;
  StreamTable& streams_;
  FlowLog& log_;
  unsigned worker_;
};

// What the flow's rule says of what was found, clear or decrypted; told where a profile is asked. False: the
// flow is dropped from now on.
bool content_passes(FlowHot& hot, const FlowCold& cold, AlertFacts found, FlowLog& log,
                    Timestamp now) noexcept;

}  // namespace postern::dataplane
