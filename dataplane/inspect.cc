// SPDX-License-Identifier: Apache-2.0
#include "dataplane/inspect.h"

#include "classify/application_identifier.h"

namespace postern::dataplane {

void Inspector::run(Burst& burst, const classify::PolicySnapshot& snapshot) noexcept {
  for (Slot& slot : burst) {
    if (slot.fate != Fate::Open || slot.flow == kNoFlow || slot.kind == Kind::IcmpError) continue;
    const FlowHot& hot = flows_.hot(slot.flow);
    if ((hot.flags & kOwesApplication) == 0) continue;
    if (!slot.payload.empty()) identify(slot, snapshot, burst.now);
    const bool waits = hot.verdict == FlowVerdict::Pending;
    if (waits && !budget_left(flows_.cold(slot.flow), snapshot.policy().pending, burst.now))
      decider_.give_up(slot.flow, snapshot, burst.now);
  }
}

void Inspector::identify(const Slot& slot, const classify::PolicySnapshot& snapshot, Timestamp now) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  FlowCold& cold = flows_.cold(slot.flow);
  const auto opener = static_cast<size_t>(hot.opener());
  const bool related = (hot.flags & kRelated) != 0;
  const Direction direction = related ? Direction::ToClient : hot.direction_from(slot.port.side());
  const classify::Identification found = classify::identify({.protocol = slot.key.protocol,
                                                             .server_port = slot.key.port[related ? opener : 1 - opener],
                                                             .direction = direction,
                                                             .payload = slot.payload});
  if (found.application == kApplicationPending) return;
  cold.identified = found.application.value;
  hot.flags &= static_cast<uint16_t>(~kOwesApplication);
  decider_.judge(slot.flow, snapshot, now);
}

bool Inspector::budget_left(const FlowCold& cold, const classify::PendingBudget& budget,
                            Timestamp now) const noexcept {
  const uint64_t packets = cold.packets_to_server + cold.packets_to_client;
  const uint64_t bytes = cold.bytes_to_server + cold.bytes_to_client;
  const Timestamp age = now - cold.start_us * kMicrosecond;
  return packets < budget.packets && bytes < budget.bytes && age < budget.seconds * kSecond;
}

}  // namespace postern::dataplane
