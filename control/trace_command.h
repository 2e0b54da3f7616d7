// SPDX-License-Identifier: Apache-2.0
// `posternctl trace`: the story of a live flow, told at once or followed for some seconds. One flow is
// followed at a time; whoever follows fetches the steps with `trace more`, and the workers are released when
// the time is over or nobody fetches any more. Control thread.
#pragma once

#include <chrono>
#include <optional>

#include "control/api_message.h"
#include "control/names.h"
#include "control/running_policy.h"
#include "dataplane/dataplane.h"

namespace postern::control {

class TraceCommand {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr uint64_t kMostSeconds = 600;

  // "" begins a trace, "more" goes on with one.
  Reply answer(const Request& request, const CompiledSite& policy, dataplane::Dataplane& dataplane,
               const Names& names, Time now);

  // Releases the workers when the time is over; call it every turn.
  void tend(dataplane::Dataplane& dataplane, Time now);

 private:
  Reply begin(const Request& request, const CompiledSite& policy, dataplane::Dataplane& dataplane,
              const Names& names, Time now);
  Reply more(const Request& request, const CompiledSite& policy, dataplane::Dataplane& dataplane,
             const Names& names, Time now);

  struct Session {
    uint64_t number = 0;
    Time until;
    Time fetched;           // the client came by; one that is gone blocks others for a moment only
    bool released = false;  // the workers tell no more; the last steps wait to be fetched
    uint64_t lost = 0;
  };
  std::optional<Session> session_;
  uint64_t sessions_ = 0;
};

}  // namespace postern::control
