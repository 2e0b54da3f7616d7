// SPDX-License-Identifier: Apache-2.0
#include "dataplane/worker.h"

#include <rte_ethdev.h>
#include <rte_ring.h>

#include <ctime>
#include <thread>

#include "dataplane/owner.h"

namespace postern::dataplane {
namespace {

constexpr unsigned kPollSize = 32;
constexpr Timestamp kAgeEvery = kMillisecond;

void sleep_for(Timestamp duration) noexcept {
  const timespec span{0, static_cast<long>(duration)};
  nanosleep(&span, nullptr);
}

}  // namespace

template <typename T>
bool Mailbox<T>::ask(T& question) noexcept {
  question_ = &question;
  state_.store(State::Asked, std::memory_order_release);
  for (unsigned i = 0; i < 10'000; ++i) {
    if (state_.load(std::memory_order_acquire) == State::Idle) return true;
    sleep_for(100 * kMicrosecond);
  }
  State asked = State::Asked;
  if (state_.compare_exchange_strong(asked, State::Idle)) return false;
  while (state_.load(std::memory_order_acquire) != State::Idle) sleep_for(100 * kMicrosecond);
  return true;
}

Worker::Worker(WorkersShared& shared, const PipelineSetup& setup, unsigned number, size_t log_records)
    : shared_(shared),
      setup_(setup),
      number_(number),
      log_ring_(log_records),
      pipeline_(setup, *this, log_ring_, counters_, shared.questions, number) {}

void Worker::run() noexcept {
  rte_rcu_qsbr_thread_register(shared_.quiescence, number_);
  rte_rcu_qsbr_thread_online(shared_.quiescence, number_);
  unsigned idle_rounds = 0;
  const classify::PolicySnapshot* used = nullptr;
  uint64_t round_before = rte_rdtsc();
  while (!shared_.stop.load(std::memory_order_relaxed)) {
    const uint64_t started = rte_rdtsc();
    const classify::PolicySnapshot& snapshot = *shared_.snapshot.load(std::memory_order_acquire);
    if (used != &snapshot) {
      used = &snapshot;
      switch_round_.store(started - round_before, std::memory_order_relaxed);
      switched_at_.store(started, std::memory_order_relaxed);
      switched_to_.store(snapshot.generation().value, std::memory_order_release);
    }
    round_before = started;
    unsigned packets = take_over(snapshot) + take_back();
    for (unsigned i = 0; i < shared_.ports.size(); ++i) {
      const PortIndex port{static_cast<uint8_t>(i)};
      packets += poll(port, snapshot);
      packets += send_for_others(port);
    }
    const Timestamp now = shared_.clock.now();
    if (now - aged_at_ >= kAgeEvery) {
      aged_at_ = now;
      pipeline_.age(now, snapshot);
    }
    answer(snapshot);
    rte_rcu_qsbr_quiescent(shared_.quiescence, number_);
    (packets > 0 ? busy_cycles_ : idle_cycles_) += rte_rdtsc() - started;
    idle_rounds = packets > 0 ? 0 : idle_rounds + 1;
    rest(idle_rounds);
  }
  end_flows();
  rte_rcu_qsbr_thread_offline(shared_.quiescence, number_);
  rte_rcu_qsbr_thread_unregister(shared_.quiescence, number_);
}

// The log thread still reads; what it does not take within a second is counted as lost.
void Worker::end_flows() noexcept {
  for (unsigned i = 0; i < 1000 && pipeline_.flows().size() > 0; ++i) {
    const size_t fit = log_ring_.room() / FlowLog::kMostSlotsOfAnEnd;
    pipeline_.tracker().end_some(fit, EndReason::Shutdown, shared_.clock.now());
    if (pipeline_.flows().size() > 0) sleep_for(kMillisecond);
  }
  pipeline_.tracker().end_some(pipeline_.flows().size(), EndReason::Shutdown, shared_.clock.now());
}

// Leaves the core to others: clients and servers of a small machine need it more than a look at empty queues.
void Worker::rest(unsigned idle_rounds) noexcept {
  constexpr unsigned kSpins = 32;
  if (shared_.idle == Idle::Spin || idle_rounds == 0) return;
  const uint64_t started = rte_rdtsc();
  if (wait_for_frames()) {
    idle_cycles_ += rte_rdtsc() - started;
    return;
  }
  if (idle_rounds < kSpins) return;
  sleep_for(idle_rounds < 4 * kSpins ? 20 * kMicrosecond : 200 * kMicrosecond);
  idle_cycles_ += rte_rdtsc() - started;
}

// Until one is there or a millisecond has passed, for flows age and questions come. False where frames come
// by ways that cannot be waited for: from other workers, TLS threads, rings, captures, TAPs. A port is not
// closed meanwhile, for this worker reports quiescence only when it is back.
bool Worker::wait_for_frames() noexcept {
  if (shared_.workers > 1 || setup_.tls != nullptr) return false;
  events_.clear();
  for (const auto& live : shared_.ports)
    if (const Port* port = live->port.load(std::memory_order_acquire)) events_.add(port->sockets);
  return events_.complete() && events_.wait(1);
}

// Queue n belongs to worker n. Ports with a single queue therefore all meet at worker 0, which receives and
// sends for everybody.
bool Worker::serves(unsigned queue) const noexcept { return queue % shared_.workers == number_; }

unsigned Worker::poll(PortIndex index, const classify::PolicySnapshot& snapshot) noexcept {
  const Port* port = shared_.ports[index.value]->port.load(std::memory_order_acquire);
  if (port == nullptr) return 0;
  unsigned count = 0;
  for (unsigned queue = 0; queue < port->rx_queues; ++queue)
    if (serves(queue)) count += poll_queue(index, *port, queue, snapshot);
  return count;
}

unsigned Worker::poll_queue(PortIndex index, const Port& port, unsigned queue,
                            const classify::PolicySnapshot& snapshot) noexcept {
  rte_mbuf* packets[kPollSize];
  const unsigned count = rte_eth_rx_burst(port.id, static_cast<uint16_t>(queue), packets, kPollSize);
  if (count == 0) return 0;
  uint64_t bytes = 0;
  burst_.now = shared_.clock.now();
  if (shared_.workers == 1) {
    for (unsigned i = 0; i < count; ++i) {
      bytes += rte_pktmbuf_pkt_len(packets[i]);
      burst_.add(Packet(packets[i]), index);
    }
  } else {
    unsigned owners[kPollSize];
    for (unsigned i = 0; i < count; ++i) {
      bytes += rte_pktmbuf_pkt_len(packets[i]);
      packets[i]->port = index.value;  // for who takes it over
      const Bytes frame{rte_pktmbuf_mtod(packets[i], const uint8_t*), rte_pktmbuf_data_len(packets[i])};
      owners[i] = owner_of_frame(frame, shared_.workers, number_);
      if (owners[i] == number_) burst_.add(Packet(packets[i]), index);
    }
    hand_over(packets, owners, count);
  }
  counters_.received.add(count);
  counters_.ports[index.value].received_packets.add(count);
  counters_.ports[index.value].received_bytes.add(bytes);
  if (!burst_.empty()) pipeline_.process(burst_, snapshot);
  return count;
}

void Worker::hand_over(rte_mbuf** packets, unsigned* owners, unsigned count) noexcept {
  for (unsigned owner = 0; owner < shared_.workers; ++owner) {
    if (owner == number_) continue;
    rte_mbuf* theirs[kPollSize];
    unsigned n = 0;
    for (unsigned i = 0; i < count; ++i)
      if (owners[i] == owner) theirs[n++] = packets[i];
    if (n == 0) continue;
    const unsigned taken =
        rte_ring_enqueue_burst(shared_.inboxes[owner], reinterpret_cast<void**>(theirs), n, nullptr);
    counters_.handed_off.add(taken);
    if (taken == n) continue;
    rte_pktmbuf_free_bulk(theirs + taken, n - taken);
    counters_.drop(DropReason::HandoffFull, n - taken);
  }
}

unsigned Worker::take_over(const classify::PolicySnapshot& snapshot) noexcept {
  if (shared_.workers == 1) return 0;
  rte_mbuf* packets[kPollSize];
  const unsigned count =
      rte_ring_dequeue_burst(shared_.inboxes[number_], reinterpret_cast<void**>(packets), kPollSize, nullptr);
  if (count == 0) return 0;
  taken_over_.add(count);
  burst_.now = shared_.clock.now();
  for (unsigned i = 0; i < count; ++i) {
    const PortIndex port{static_cast<uint8_t>(packets[i]->port)};
    burst_.add(Packet(packets[i]), port);
  }
  pipeline_.process(burst_, snapshot);
  return count;
}

unsigned Worker::take_back() noexcept {
  if (setup_.tls == nullptr) return 0;
  rte_mbuf* messages[kPollSize];
  const unsigned count = rte_ring_dequeue_burst(setup_.tls->workers[number_],
                                                reinterpret_cast<void**>(messages), kPollSize, nullptr);
  if (count > 0) pipeline_.take_back(messages, count, shared_.clock.now());
  return count;
}

unsigned Worker::transmit(const Port& port, unsigned queue, rte_mbuf** packets, unsigned count) noexcept {
  unsigned sent = 0;
  // Virtual ports take a burst in parts.
  while (sent < count) {
    const unsigned n = rte_eth_tx_burst(port.id, static_cast<uint16_t>(queue), packets + sent,
                                        static_cast<uint16_t>(count - sent));
    if (n == 0) break;
    sent += n;
  }
  return sent;
}

Output::Taken Worker::send(PortIndex index, rte_mbuf** packets, unsigned count, Timestamp) noexcept {
  const LivePort& live = *shared_.ports[index.value];
  const Port* port = live.port.load(std::memory_order_acquire);
  if (port == nullptr) return {};
  const bool own_queue = port->tx_queues >= shared_.workers;
  if (own_queue || serves(0)) {
    const unsigned sent = transmit(*port, own_queue ? number_ : 0, packets, count);
    return {sent, sent};
  }
  const unsigned taken =
      rte_ring_enqueue_burst(live.outbox, reinterpret_cast<void**>(packets), count, nullptr);
  counters_.handed_off.add(taken);
  return {taken, 0};
}

// Sends what other workers have for a port that this one serves.
unsigned Worker::send_for_others(PortIndex index) noexcept {
  if (shared_.workers == 1 || !serves(0)) return 0;
  const LivePort& live = *shared_.ports[index.value];
  rte_mbuf* packets[kPollSize];
  const unsigned count =
      rte_ring_dequeue_burst(live.outbox, reinterpret_cast<void**>(packets), kPollSize, nullptr);
  if (count == 0) return 0;
  taken_over_.add(count);
  uint32_t lengths[kPollSize];
  for (unsigned i = 0; i < count; ++i) lengths[i] = rte_pktmbuf_pkt_len(packets[i]);
  const Port* port = live.port.load(std::memory_order_acquire);
  const unsigned sent = port == nullptr ? 0 : transmit(*port, 0, packets, count);
  if (sent < count) {
    rte_pktmbuf_free_bulk(packets + sent, count - sent);
    counters_.drop(port == nullptr ? DropReason::PortDown : DropReason::TxFull, count - sent);
  }
  counters_.sent.add(sent);
  counters_.ports[index.value].sent_packets.add(sent);
  for (unsigned i = 0; i < sent; ++i) counters_.ports[index.value].sent_bytes.add(lengths[i]);
  return count;
}

bool Worker::link_up(PortIndex index) const noexcept {
  const LivePort& live = *shared_.ports[index.value];
  return live.port.load(std::memory_order_relaxed) != nullptr && live.link_up.load(std::memory_order_relaxed);
}

bool Worker::stats(WorkerStats& into) noexcept {
  into.ports.resize(shared_.ports.size());
  return stats_mailbox_.ask(into);
}

bool Worker::flows(FlowQuery& query) noexcept {
  query.found.reserve(query.limit);
  query.states.reserve(query.limit);
  return flows_mailbox_.ask(query);
}

bool Worker::trace(TraceQuery& query) {
  constexpr size_t kEvents = 256;
  if (query.ask == TraceQuery::Ask::Follow && trace_ring_ == nullptr)
    trace_ring_ = std::make_unique<TraceRing>(kEvents);
  query.found.reserve(TraceQuery::kMost);
  return trace_mailbox_.ask(query);
}

void Worker::answer(const classify::PolicySnapshot& snapshot) noexcept {
  stats_mailbox_.answer([&](WorkerStats& stats) { fill(stats, snapshot); });
  flows_mailbox_.answer([&](FlowQuery& query) { fill(query); });
  trace_mailbox_.answer([&](TraceQuery& query) { fill(query); });
}

void Worker::fill(WorkerStats& stats, const classify::PolicySnapshot& snapshot) noexcept {
  for (size_t i = 0; i < kDropReasons; ++i) stats.dropped[i] = counters_.dropped[i].value();
  for (size_t i = 0; i < stats.ports.size(); ++i) {
    const PortCounters& port = counters_.ports[i];
    stats.ports[i] = {port.received_packets.value(), port.received_bytes.value(), port.sent_packets.value(),
                      port.sent_bytes.value()};
  }
  stats.received = counters_.received.value();
  stats.sent = counters_.sent.value();
  stats.held = pipeline_.held();
  stats.terminated = counters_.terminated.value();
  stats.forged = counters_.forged.value();
  stats.handed_over = counters_.handed_off.value();
  stats.taken_over = taken_over_.value();
  stats.flows = pipeline_.flows().size();
  stats.half_open = pipeline_.tracker().half_open();
  stats.flows_created = counters_.flows_created.value();
  stats.flows_ended = counters_.flows_ended.value();
  stats.half_open_evicted = counters_.half_open_evicted.value();
  stats.log_records_lost = counters_.log_records_lost.value();
  stats.flow_table_bytes = pipeline_.flows().memory();
  stats.flow_capacity = pipeline_.flows().capacity();
  stats.busy_cycles = busy_cycles_;
  stats.idle_cycles = idle_cycles_;
  stats.generation = snapshot.generation().value;
}

// Walks the whole table in one go: `limit` is small, and free records are skipped at memory speed.
void Worker::fill(FlowQuery& query) noexcept {
  const FlowTable& flows = pipeline_.flows();
  const Timestamp now = shared_.clock.now();
  for (uint32_t i = 0; i < flows.high_water() && query.found.size() < query.limit; ++i) {
    const FlowHot& hot = flows.hot(i);
    if (hot.state == FlowState::Free) continue;
    query.found.push_back(describe(hot, flows.cold(i), setup_.vlan_maps[hot.key.wire], now));
    query.states.push_back(hot.state);
  }
}

void Worker::fill(TraceQuery& query) noexcept {
  TraceRecorder& trace = pipeline_.trace();
  switch (query.ask) {
    case TraceQuery::Ask::Find:
      return trace.find(query, shared_.clock.now());
    case TraceQuery::Ask::Follow:
      return trace.follow(query.target, *trace_ring_);
    case TraceQuery::Ask::Stop:
      query.lost = trace.lost();
      return trace.stop();
  }
}

}  // namespace postern::dataplane
