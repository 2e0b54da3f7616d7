// SPDX-License-Identifier: Apache-2.0
// A data path thread: polls its queue of every port, hands packets of other workers' flows over, runs the
// pipeline and answers the control thread's questions between bursts. Everything but `Shared` belongs to the
// worker.
#pragma once

#include <rte_rcu_qsbr.h>

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "classify/policy_snapshot.h"
#include "dataplane/clock.h"
#include "dataplane/output.h"
#include "dataplane/pipeline.h"
#include "dataplane/port.h"
#include "dataplane/port_events.h"

struct rte_ring;

namespace postern::dataplane {

// One side of a wire as the workers see it. The control thread takes `port` away and waits for quiescence
// before it closes the device.
struct LivePort {
  std::atomic<const Port*> port{nullptr};
  std::atomic<bool> link_up{true};
  // Where a port has fewer transmit queues than workers, its worker sends for all; the others put packets
  // here.
  rte_ring* outbox = nullptr;
};

// A worker's numbers at one moment between bursts: received + taken_over + forged = sent + dropped +
// handed_over + terminated + held.
struct WorkerStats {
  std::array<uint64_t, kDropReasons> dropped{};
  struct PortStats {
    uint64_t received_packets = 0, received_bytes = 0, sent_packets = 0, sent_bytes = 0;
  };
  std::vector<PortStats> ports;
  uint64_t received = 0, sent = 0, held = 0, handed_over = 0, taken_over = 0;
  uint64_t terminated = 0, forged = 0;  // packets that TLS cores took, and that they made
  uint64_t flows = 0, half_open = 0, flows_created = 0, flows_ended = 0, half_open_evicted = 0,
           log_records_lost = 0, flows_unrecorded = 0;
  uint64_t flow_table_bytes = 0, flow_capacity = 0;
  uint64_t busy_cycles = 0, idle_cycles = 0;
  uint32_t generation = 0;
};

// When a worker took up the policy it uses, and how long its round before that was: a policy that was
// published meanwhile cannot be seen sooner than with the next round. Time stamp counter.
struct PolicySwitch {
  uint64_t at = 0, round = 0;
  uint32_t generation = 0;
};

struct FlowQuery {
  uint32_t limit = 100;
  std::vector<LogRecord> found;  // reserved by the asker, so the worker allocates nothing
  std::vector<FlowState> states;
};

// A question of the control thread that the worker answers between two bursts.
template <typename T>
class Mailbox {
 public:
  // False when the worker does not come by within a second: it hangs.
  bool ask(T& question) noexcept;
  void answer(auto&& fill) noexcept {
    if (state_.load(std::memory_order_acquire) != State::Asked) return;
    State asked = State::Asked;
    if (!state_.compare_exchange_strong(asked, State::Answering)) return;
    fill(*question_);
    state_.store(State::Idle, std::memory_order_release);
  }

 private:
  enum class State : uint8_t { Idle, Asked, Answering };
  std::atomic<State> state_{State::Idle};
  T* question_ = nullptr;
};

struct WorkersShared {
  std::vector<std::unique_ptr<LivePort>> ports;  // by PortIndex
  std::atomic<const classify::PolicySnapshot*> snapshot{nullptr};
  rte_rcu_qsbr* quiescence = nullptr;      // of the workers
  rte_rcu_qsbr* tls_quiescence = nullptr;  // of the TLS threads; null: there are none
  std::vector<rte_ring*> inboxes;          // by worker
  std::vector<QuestionTable> questions;    // by worker
  std::atomic<bool> stop{false};
  Clock clock;
  Idle idle = Idle::Sleep;
  unsigned workers = 1;
};

class Worker : private Output {
 public:
  // `shared` and `setup` outlive the worker.
  Worker(WorkersShared& shared, const PipelineSetup& setup, unsigned number, size_t log_records);

  void run() noexcept;  // until shared.stop

  LogRing& log_ring() noexcept { return log_ring_; }
  const Counters& counters() const noexcept { return counters_; }
  PolicySwitch last_switch() const noexcept {
    const uint32_t generation = switched_to_.load(std::memory_order_acquire);
    return {switched_at_.load(std::memory_order_relaxed), switch_round_.load(std::memory_order_relaxed),
            generation};
  }

  // Control thread: asks and waits up to a second for the worker's answer; false when it does not come.
  bool stats(WorkerStats& into) noexcept;
  bool flows(FlowQuery& query) noexcept;
  // Follow makes the ring on first use; it lives as long as the worker.
  bool trace(TraceQuery& query);
  TraceRing* trace_ring() noexcept { return trace_ring_.get(); }  // null: nothing was followed yet

 private:
  Taken send(PortIndex port, rte_mbuf** packets, unsigned count, Timestamp now) noexcept override;
  bool link_up(PortIndex port) const noexcept override;

  bool serves(unsigned queue) const noexcept;
  unsigned transmit(const Port& port, unsigned queue, rte_mbuf** packets, unsigned count) noexcept;
  unsigned send_for_others(PortIndex index) noexcept;
  unsigned poll(PortIndex index, const classify::PolicySnapshot& snapshot) noexcept;
  unsigned poll_queue(PortIndex index, const Port& port, unsigned queue,
                      const classify::PolicySnapshot& snapshot) noexcept;
  unsigned take_over(const classify::PolicySnapshot& snapshot) noexcept;
  unsigned take_back(const classify::PolicySnapshot& snapshot) noexcept;
  void hand_over(rte_mbuf** packets, unsigned* owners, unsigned count) noexcept;
  void answer(const classify::PolicySnapshot& snapshot) noexcept;
  void fill(WorkerStats& stats, const classify::PolicySnapshot& snapshot) noexcept;
  void fill(FlowQuery& query) noexcept;
  void fill(TraceQuery& query) noexcept;
  void rest(unsigned idle_rounds) noexcept;
  bool wait_for_frames() noexcept;
  void end_flows() noexcept;

  WorkersShared& shared_;
  const PipelineSetup& setup_;
  const unsigned number_;
  Counters counters_;
  LogRing log_ring_;
  Pipeline pipeline_;
  Burst burst_;
  PortEvents events_;
  Counter taken_over_;
  Timestamp aged_at_ = 0;
  uint64_t busy_cycles_ = 0, idle_cycles_ = 0;
  std::atomic<uint64_t> switched_at_{0}, switch_round_{0};
  std::atomic<uint32_t> switched_to_{0};
  Mailbox<WorkerStats> stats_mailbox_;
  Mailbox<FlowQuery> flows_mailbox_;
  Mailbox<TraceQuery> trace_mailbox_;
  std::unique_ptr<TraceRing> trace_ring_;
};

}  // namespace postern::dataplane
