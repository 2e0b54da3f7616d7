// SPDX-License-Identifier: Apache-2.0
#include "dataplane/inside.h"

#include <span>

#include "dataplane/content.h"

namespace postern::dataplane {

void InsideJudge::take_finding(const rte_mbuf& message, const classify::PolicySnapshot& snapshot,
                               Timestamp now) noexcept {
  const TlsTag tag = read_tag(message);
  if (!adopter_.owns(tag)) return;
  FlowHot& hot = flows_.hot(tag.flow);
  const auto finding = read_body<ClearFinding>(message);
  const size_t count = std::min<size_t>(finding.count, finding.applications.size());
  for (const AppId application : std::span(finding.applications).first(count)) {
    conclude(tag.flow, application, snapshot, now);
    if (hot.verdict == FlowVerdict::Drop) break;
  }
  ClearRuling ruling{.direction = finding.direction, .refusal = {}};
  if (hot.verdict == FlowVerdict::Drop) {
    ruling.refusal = DecryptReason::ApplicationDenied;
  } else if (!finding.signature.empty()) {
    ruling.asks_again = hot.verdict == FlowVerdict::Pending;
    const AlertFacts found{.signature = finding.signature, .direction = finding.direction};
    if (!content_passes(hot, flows_.cold(tag.flow), found, log_, now))
      ruling.refusal = DecryptReason::ContentBlocked;
  }
  if (ruling.refusal != DecryptReason::None) log_.refused(hot, flows_.cold(tag.flow), now);
  adopter_.rule(tag.flow, ruling);
}

void InsideJudge::conclude(uint32_t flow, AppId application, const classify::PolicySnapshot& snapshot,
                           Timestamp now) noexcept {
  FlowHot& hot = flows_.hot(flow);
  FlowCold& cold = flows_.cold(flow);
  Carrier carrier = carrier_of(hot, cold);
  const bool was_pending = hot.verdict == FlowVerdict::Pending;
  carrier.opened = true;
  cold.asked_port = carrier.pack();
  cold.identified = application.value;
  decider_.judge(flow, snapshot, now);
  if (hot.verdict != FlowVerdict::Drop && !was_pending) log_.change(hot, cold, now);
}

}  // namespace postern::dataplane
