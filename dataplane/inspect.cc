// SPDX-License-Identifier: Apache-2.0
#include "dataplane/inspect.h"

namespace postern::dataplane {

void Inspector::run(Burst& burst, const classify::PolicySnapshot& snapshot) noexcept {
  for (Slot& slot : burst) {
    if (slot.fate != Fate::Open || slot.flow == kNoFlow || slot.kind == Kind::IcmpError) continue;
    const FlowHot& hot = flows_.hot(slot.flow);
    if ((hot.flags & kOwesApplication) == 0) continue;
    if (!slot.payload.empty()) identify(slot, snapshot, burst.now);
    const bool waits = hot.verdict == FlowVerdict::Pending;
    if (waits && !budget_left(burst, slot, snapshot.policy().pending))
      decider_.give_up(slot.flow, snapshot, burst.now);
  }
}

void Inspector::identify(const Slot& slot, const classify::PolicySnapshot& snapshot, Timestamp now) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  FlowCold& cold = flows_.cold(slot.flow);
  const auto opener = static_cast<size_t>(hot.opener());
  const bool related = (hot.flags & kRelated) != 0;
  const Direction direction = related ? Direction::ToClient : hot.direction_from(slot.port.side());
  const size_t server = related ? opener : 1 - opener;
  const classify::Identification found =
      snapshot.engine().identify({.protocol = slot.key.protocol,
                                  .client_port = slot.key.port[1 - server],
                                  .server_port = slot.key.port[server],
                                  .server = slot.key.address[server],
                                  .direction = direction,
                                  .payload = slot.payload},
                                 snapshot.scratch(worker_));
  if (found.application == kApplicationPending) return;
  // What the server says may fit nothing as long as the client has not spoken.
  const bool server_alone = direction == Direction::ToClient && !related;
  if (found.application == kApplicationUnidentified && server_alone) return;
  cold.identified = found.application.value;
  hot.flags &= static_cast<uint16_t>(~kOwesApplication);
  decider_.judge(slot.flow, snapshot, now);
}

// What has passed, and what would pass before `slot` in this burst: a flow that uses up its budget with one
// burst has none of its packets forwarded.
bool Inspector::budget_left(Burst& burst, const Slot& slot,
                            const classify::PendingBudget& budget) const noexcept {
  const FlowCold& cold = flows_.cold(slot.flow);
  uint64_t packets = cold.packets_to_server + cold.packets_to_client;
  uint64_t bytes = cold.bytes_to_server + cold.bytes_to_client;
  for (const Slot* earlier = burst.begin(); earlier != &slot; ++earlier) {
    if (earlier->fate != Fate::Open || earlier->flow != slot.flow) continue;
    ++packets;
    bytes += earlier->packet.length();
  }
  const Timestamp age = burst.now - cold.start_us * kMicrosecond;
  return packets < budget.packets && bytes < budget.bytes && age < budget.seconds * kSecond;
}

}  // namespace postern::dataplane
