// SPDX-License-Identifier: Apache-2.0
#include "control/trace_command.h"

#include "control/flow_name.h"
#include "control/flow_story.h"

namespace postern::control {
namespace {

using dataplane::Dataplane;
using dataplane::TraceEvent;
using nlohmann::json;

// A client comes by five times a second; one that stays away for so long is gone.
constexpr std::chrono::seconds kPatience{3};

json told(const std::vector<TraceEvent>& events, const CompiledSite& policy, const Names& names) {
  FlowStory story(*policy.snapshot, names);
  json steps = json::array(), lines = json::array();
  for (const TraceEvent& event : events) {
    steps.push_back(story.step(event));
    for (std::string& line : FlowStory::lines(steps.back())) lines.push_back(std::move(line));
  }
  return {{"steps", steps}, {"story", lines}};
}

Reply no_answer() {
  return Reply::failure(ExitCode::Failed, "a worker does not answer; see the daemon's log");
}

}  // namespace

Reply TraceCommand::answer(const Request& request, const CompiledSite& policy, Dataplane& dataplane,
                           const Names& names, Time now) {
  if (request.what.empty()) return begin(request, policy, dataplane, names, now);
  if (request.what == "more") return more(request, policy, dataplane, names, now);
  return Reply::failure(ExitCode::Usage, "trace: found \"" + request.what + "\", expected nothing or more");
}

Reply TraceCommand::begin(const Request& request, const CompiledSite& policy, Dataplane& dataplane,
                          const Names& names, Time now) {
  const std::string flow = request.args.value("flow", "");
  const auto target = parse_flow_name(flow);
  if (!target) return Reply::failure(ExitCode::Usage, "trace: " + target.error().message);
  const uint64_t seconds = request.args.value("follow", uint64_t{0});
  if (seconds > kMostSeconds)
    return Reply::failure(ExitCode::Usage, "trace: follow is " + std::to_string(seconds) +
                                               ", expected at most " + std::to_string(kMostSeconds));
  tend(dataplane, now);
  if (seconds > 0 && session_)
    return Reply::failure(ExitCode::Failed, "trace: another flow is being followed; try again later");
  // Before the flow table is read, so that nothing happens between the two.
  if (seconds > 0)
    session_ = Session{.number = ++sessions_, .until = now + std::chrono::seconds(seconds), .fetched = now};
  if (seconds > 0 && !dataplane.follow(*target)) return no_answer();
  const auto found = dataplane.trace(*target);
  if (!found) return no_answer();
  if (found->empty() && seconds == 0)
    return Reply::failure(ExitCode::Failed,
                          "trace: no worker knows a flow " + flow + " now; --follow SECONDS waits for one");
  json result = told(*found, policy, names);
  if (seconds > 0) result["session"] = session_->number;
  return Reply::success(result);
}

Reply TraceCommand::more(const Request& request, const CompiledSite& policy, Dataplane& dataplane,
                         const Names& names, Time now) {
  const uint64_t number = request.args.value("session", uint64_t{0});
  if (!session_ || session_->number != number)
    return Reply::failure(ExitCode::Failed, "trace: there is no such story any more");
  session_->fetched = now;
  tend(dataplane, now);
  const bool over = session_->released;
  json result = told(dataplane.followed(), policy, names);
  if (!over) {
    result["session"] = number;
  } else {
    result["lost"] = session_->lost;
    if (session_->lost > 0)
      result["story"].push_back(std::to_string(session_->lost) + " steps were lost: they came too fast");
    session_.reset();
  }
  return Reply::success(result);
}

void TraceCommand::tend(Dataplane& dataplane, Time now) {
  if (!session_) return;
  const bool gone = now >= session_->fetched + kPatience;
  if (!session_->released && (gone || now >= session_->until)) {
    session_->lost = dataplane.unfollow().value_or(0);
    session_->released = true;
  }
  if (gone) session_.reset();
}

}  // namespace postern::control
