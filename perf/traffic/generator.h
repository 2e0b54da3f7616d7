// SPDX-License-Identifier: Apache-2.0
// Sends frames of a source into one or two ports at a pace, receives what comes back and says what became of
// it. One thread runs trials, on one core: sending and receiving take turns, so a latency includes up to one
// burst of the generator's own. Others may read `progress` meanwhile.
#pragma once

#include <array>
#include <atomic>
#include <limits>
#include <span>
#include <vector>

#include "dataplane/counters.h"
#include "perf/traffic/frame_source.h"
#include "perf/traffic/latency_histogram.h"
#include "perf/traffic/pacer.h"
#include "perf/traffic/sequence_window.h"
#include "perf/traffic/tag.h"

struct rte_mbuf;
struct rte_mempool;

namespace postern::perf {

struct Phase {
  double packets_per_second = 0;  // both directions together; 0: as fast as possible
  double seconds = 1;
};

struct Trial {
  std::vector<Phase> phases;                               // one after the other
  uint64_t frames = std::numeric_limits<uint64_t>::max();  // at most, in all phases
  double linger = 0.2;                                     // seconds of silence that end the trial
};

struct SideResult {                // of the frames that entered at a side
  uint64_t sent = 0, refused = 0;  // refused: the port had no room
  uint64_t received = 0, lost = 0, duplicated = 0, reordered = 0, late = 0;
};

struct TrialResult {
  std::array<SideResult, 2> sides;
  uint64_t untagged_sent = 0, untagged_received = 0;  // part of sent and received; order is not known
  uint64_t skipped = 0;           // due and not sent, because the generator was too slow or off its core
  double seconds = 0;             // of sending
  double last_loss_seconds = -1;  // in the last phase; below 0: nothing was lost in it
  LatencyHistogram latency;

  uint64_t sent() const { return sides[0].sent + sides[1].sent; }
  uint64_t refused() const { return sides[0].refused + sides[1].refused; }
  uint64_t received() const { return sides[0].received + sides[1].received; }
  uint64_t lost() const { return sides[0].lost + sides[1].lost; }
  // Refused frames count as lost: the port is full because the device does not come by.
  double loss() const;
};

struct Progress {
  std::array<dataplane::Counter, 2> sent, received;  // by the side that frames enter
  dataplane::Counter sent_bytes, received_bytes, refused;
  LatencyHistogram latency;
};

// What became of each flow of Datagrams; empty unless wanted. Costs two cache misses per packet.
struct FlowLoss {
  std::vector<uint32_t> sent, received;
  uint32_t flows_with_loss() const;
};

class Generator {
 public:
  static constexpr unsigned kBurst = 32;

  // One port: frames of both sides leave and return there. Two: what enters one leaves the other. Everything
  // outlives the generator; `flows` may be empty.
  Generator(std::vector<uint16_t> ports, rte_mempool* pool, FrameSource& source, uint32_t flows);

  TrialResult run(const Trial& trial) noexcept;
  void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }  // any thread; ends the trial
  const Progress& progress() const noexcept { return progress_; }
  const FlowLoss& flow_loss() const noexcept { return flow_loss_; }

 private:
  static constexpr uint64_t kBetweenMoments = 64;

  struct Sending {
    std::array<SequenceWindow, 2> windows;
    std::array<uint64_t, 2> next{}, phase_begin{};
    std::array<std::vector<uint64_t>, 2> moments;  // of every kBetweenMoments-th packet of the phase
    uint64_t phase_start = 0;
    std::array<uint64_t, 2> untagged_sent{}, untagged_received{};
    uint64_t frames = 0;
  };
  void send(Sending& sending, TrialResult& result, unsigned count) noexcept;
  void transmit(Sending& sending, TrialResult& result, Side side, std::span<rte_mbuf*> packets,
                std::span<Frame> frames) noexcept;
  unsigned receive(Sending& sending) noexcept;
  void take(Sending& sending, Side by_port, Bytes frame, uint64_t now) noexcept;
  void count_flow(std::vector<uint32_t>& of, Bytes frame, Side side) noexcept;
  void settle(const Sending& sending, TrialResult& result) const noexcept;
  uint16_t port_of(Side side) const noexcept { return ports_[static_cast<size_t>(side) % ports_.size()]; }

  std::vector<uint16_t> ports_;
  rte_mempool* pool_;
  FrameSource& source_;
  Progress progress_;
  FlowLoss flow_loss_;
  double nanoseconds_per_cycle_;
  uint8_t run_ = 0;
  bool dry_ = false;  // the source has no more
  std::atomic<bool> stop_{false};
};

}  // namespace postern::perf
