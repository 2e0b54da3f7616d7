// SPDX-License-Identifier: Apache-2.0
// Runs the pipeline over captures: same steps, same tables, time from the capture, no clock and no
// randomness, so the same capture and policy give the same result every time. One thread plays all workers in
// turn.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "classify/policy_snapshot.h"
#include "dataplane/capture_reader.h"
#include "dataplane/capture_writer.h"
#include "dataplane/output.h"
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

struct rte_mempool;

namespace postern::dataplane {

struct ReplaySetup {
  std::vector<Wire> wires;
  unsigned workers = 1;
  uint32_t flows = 262144;
};

class Replay : private Output {
 public:
  using Sink = std::function<void(const LogEvent&)>;
  using TraceSink = std::function<void(const TraceEvent&)>;

  // Needs a started EAL. `writer` may be null; `sink` gets every record in order.
  static Result<std::unique_ptr<Replay>> create(const ReplaySetup& setup,
                                                const classify::PolicySnapshot& snapshot,
                                                CaptureWriter* writer, Sink sink);
  ~Replay() override;

  // Before play: tells `sink` what happens to these flows, with the number of the packet, from 1 on.
  void follow(const TraceTarget& target, TraceSink sink);

  // Plays one capture; the error is the reader's (what came before the damage was played).
  Status play(CaptureReader& capture);

  // Ends every flow and writes its record. Fragments still waiting count as held.
  void finish();

  uint64_t trace_events_lost() const;

  WorkerStats stats() const;
  Timestamp now() const { return now_; }  // of the last packet

 private:
  struct Lane {  // one worker
    Counters counters;
    LogRing log_ring{1 << 14};
    std::unique_ptr<TraceRing> trace_ring;  // null: nobody asks
    std::unique_ptr<Pipeline> pipeline;
    Burst burst;
  };

  Replay(const ReplaySetup& setup, const classify::PolicySnapshot& snapshot, CaptureWriter* writer,
         Sink sink);
  Taken send(PortIndex port, rte_mbuf** packets, unsigned count, Timestamp now) noexcept override;
  bool link_up(PortIndex) const noexcept override { return true; }

  void feed(const CapturedFrame& frame);
  PortIndex port_of(const CapturedFrame& frame);
  PortIndex guess(Bytes frame);
  int fit(WireId wire, Side side, const IpAddress& source, const IpAddress& destination) const;
  void advance(Timestamp now);
  void drain(Lane& lane);

  ReplaySetup setup_;
  PipelineSetup pipeline_setup_;
  const classify::PolicySnapshot& snapshot_;
  CaptureWriter* writer_;
  Sink sink_;
  TraceSink trace_sink_;
  std::vector<LogEvent> events_ = std::vector<LogEvent>(64);  // on their way from a lane to the sink
  std::vector<QuestionTable> questions_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unordered_map<std::string, PortIndex> ports_;    // "wire:side"
  std::unordered_map<std::string, PortIndex> talkers_;  // address pair -> side its first packet came from
  std::vector<uint32_t> interfaces_;                    // of the writer, by PortIndex
  rte_mempool* pool_ = nullptr;
  Timestamp now_ = 0;
  uint64_t packets_ = 0;
};

}  // namespace postern::dataplane
