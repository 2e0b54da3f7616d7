// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline.h"

namespace postern::dataplane {

PipelineSetup PipelineSetup::from(const std::vector<Wire>& wires) {
  PipelineSetup setup;
  for (const Wire& wire : wires) {
    setup.vlan_maps.emplace_back(wire.vlan_map);
    setup.wires.push_back({wire.l2, VlanMap(wire.vlan_map)});
  }
  return setup;
}

Pipeline::Pipeline(const PipelineSetup& setup, Output& output, LogRing& log_ring, Counters& counters,
                   std::span<QuestionTable> questions, unsigned own)
    : counters_(counters),
      flows_(setup.flows, setup.hash_seed),
      fragments_(setup.fragments, counters),
      streams_(setup.streams, counters),
      log_(log_ring, counters, setup.vlan_maps, setup.packet_drops_per_second),
      trace_(flows_, streams_, setup.vlan_maps),
      adopter_(setup.tls, flows_, log_, counters, own),
      parser_(setup.wires, fragments_),
      decider_(flows_, log_, counters, setup.vlan_maps, questions, own, trace_,
               RefusalBudget(setup.refused_flows_per_second, setup.hash_seed)),
      tracker_(flows_, streams_, log_, counters, trace_, adopter_, decider_),
      inspector_(flows_, streams_, decider_, log_, trace_, adopter_, own),
      inside_(flows_, decider_, log_, adopter_),
      dispatcher_(flows_, fragments_, streams_, log_, counters, output, trace_, adopter_, setup.max_frame) {}

void Pipeline::process(Burst& burst, const classify::PolicySnapshot& snapshot) noexcept {
  const classify::Policy& policy = snapshot.policy();
  if (parser_.run(burst, policy.exceptions) > 0) {
    tracker_.run(burst, snapshot);
    decider_.run(burst, snapshot);
    inspector_.run(burst, snapshot);
  }
  dispatcher_.run(burst, policy);
}

void Pipeline::take_back(rte_mbuf** messages, unsigned count, const classify::PolicySnapshot& snapshot,
                         Timestamp now) noexcept {
  for (unsigned i = 0; i < count; ++i) {
    Packet message(messages[i]);
    const TlsTag tag = read_tag(*messages[i]);
    if (tag.kind == TlsMessage::Frame)
      dispatcher_.forge(std::move(message), tag.port, now);
    else if (tag.kind == TlsMessage::Finding)
      inside_.take_finding(*message.get(), snapshot, now);
    else
      adopter_.take_report(*message.get(), now);
  }
  dispatcher_.flush(now);
}

void Pipeline::age(Timestamp now, const classify::PolicySnapshot& snapshot) noexcept {
  fragments_.expire(now);
  tracker_.age(now, snapshot.policy().timeouts);
}

void Pipeline::age_all(Timestamp now, const classify::PolicySnapshot& snapshot) noexcept {
  fragments_.expire(now);
  tracker_.age_all(now, snapshot.policy().timeouts);
}

}  // namespace postern::dataplane
