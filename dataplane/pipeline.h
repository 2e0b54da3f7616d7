// SPDX-License-Identifier: Apache-2.0
// The walk of a burst: parse, track, decide, inspect, dispatch (docs/life_of_a_packet.md). Live workers and
// replays run the same one. One worker.
#pragma once

#include "classify/policy_snapshot.h"
#include "dataplane/adopter.h"
#include "dataplane/counters.h"
#include "dataplane/decide.h"
#include "dataplane/dispatch.h"
#include "dataplane/flow_log.h"
#include "dataplane/flow_table.h"
#include "dataplane/fragments.h"
#include "dataplane/inside.h"
#include "dataplane/inspect.h"
#include "dataplane/parse.h"
#include "dataplane/stream.h"
#include "dataplane/trace.h"
#include "dataplane/track.h"

namespace postern::dataplane {

struct PipelineSetup {
  std::vector<ParseRules> wires;   // by WireId
  std::vector<VlanMap> vlan_maps;  // by WireId
  uint32_t flows = 262144;
  uint64_t hash_seed = 0;  // random in a live process, fixed in a replay
  uint32_t max_frame = 1522;
  FragmentLimits fragments;
  StreamLimits streams;
  const TlsLinks* tls = nullptr;             // null: nothing can be decrypted
  uint32_t packet_drops_per_second = 8;      // log records, per reason
  uint32_t refused_flows_per_second = 1024;  // that get a record (RefusalBudget)

  static PipelineSetup from(const std::vector<Wire>& wires);
};

class Pipeline {
 public:
  // `setup` and `questions` (one table per worker, `own` is this one's) outlive the pipeline.
  Pipeline(const PipelineSetup& setup, Output& output, LogRing& log_ring, Counters& counters,
           std::span<QuestionTable> questions, unsigned own);

  void process(Burst& burst, const classify::PolicySnapshot& snapshot) noexcept;

  // What TLS cores sent: frames for the wire, reports of sessions, and what was found in them. The messages
  // are taken.
  void take_back(rte_mbuf** messages, unsigned count, const classify::PolicySnapshot& snapshot,
                 Timestamp now) noexcept;

  // Lets flows and fragments age; call it at least every few milliseconds.
  void age(Timestamp now, const classify::PolicySnapshot& snapshot) noexcept;

  // The same, but looks at every flow: a replay does so at whole seconds, so that the number of workers
  // changes nothing.
  void age_all(Timestamp now, const classify::PolicySnapshot& snapshot) noexcept;

  FlowTable& flows() noexcept { return flows_; }
  const FlowTable& flows() const noexcept { return flows_; }
  Tracker& tracker() noexcept { return tracker_; }
  TraceRecorder& trace() noexcept { return trace_; }
  // Packets taken in and neither sent nor dropped yet.
  uint64_t held() const noexcept { return fragments_.held() + streams_.held(); }

 private:
  Counters& counters_;
  FlowTable flows_;
  FragmentTable fragments_;
  StreamTable streams_;
  FlowLog log_;
  TraceRecorder trace_;
  Adopter adopter_;
  Parser parser_;
  Decider decider_;
  Tracker tracker_;
  Inspector inspector_;
  InsideJudge inside_;
  Dispatcher dispatcher_;
};

}  // namespace postern::dataplane
