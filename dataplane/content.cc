// SPDX-License-Identifier: Apache-2.0
#include "dataplane/content.h"

namespace postern::dataplane {

void ContentJudge::read(Stream& stream, const Slot& slot, Bytes fresh,
                        const classify::PolicySnapshot& snapshot, Timestamp now) noexcept {
  const profiles::ContentEngine* engine = snapshot.policy().content.get();
  FlowHot& hot = flows_.hot(slot.flow);
  const bool asked = hot.verdict == FlowVerdict::Pending || hot.owes_any(kOwesContent);
  if (engine == nullptr || !asked) return streams_.forget_content(stream);
  profiles::ContentInspection& content = streams_.content(stream);
  const Direction direction = hot.direction_from(slot.port.side());
  const std::string_view found = content.inspect(direction, fresh, *engine, worker_);
  if (!found.empty()) {
    content.unruled = profiles::as_fixed(found);
    content.unruled_direction = direction;
  }
  if (content.unruled.empty() || hot.verdict == FlowVerdict::Pending) return;
  const AlertFacts facts{.signature = content.unruled, .direction = content.unruled_direction};
  content.unruled = {};
  if (!content_passes(hot, flows_.cold(slot.flow), facts, log_, now)) streams_.forget_content(stream);
}

bool content_passes(FlowHot& hot, const FlowCold& cold, AlertFacts found, FlowLog& log,
                    Timestamp now) noexcept {
  if (!hot.owes_any(kOwesContent)) return true;
  found.blocked = !hot.owes_any(kAlertsOnly);
  if (found.blocked) {
    hot.verdict = FlowVerdict::Drop;
    hot.reason = DropReason::ContentBlocked;
    hot.flags |= kLogStart;  // no rule asked for it, so it is told at once
    hot.pay(kOwesContent | kAlertsOnly);
  }
  log.alert(hot, cold, found, now);
  return !found.blocked;
}

}  // namespace postern::dataplane
