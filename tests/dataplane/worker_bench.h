// SPDX-License-Identifier: Apache-2.0
// One real Worker on a thread of its own, between two ports that are rings in memory. Others of `workers`
// exist only as inboxes, which hold a single packet.
#pragma once

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_ring.h>

#include <string>
#include <thread>

#include "buffers.h"
#include "dataplane/owner.h"
#include "dataplane/worker.h"

namespace postern::dataplane {

class WorkerBench {
 public:
  WorkerBench(const classify::PolicySnapshot& snapshot, unsigned workers)
      : setup_(PipelineSetup::from({Wire{}})) {
    setup_.flows = 1024;
    shared_.workers = workers;
    shared_.snapshot.store(&snapshot);
    shared_.questions = std::vector<QuestionTable>(workers);
    for (unsigned side = 0; side < 2; ++side) open_port(side);
    for (unsigned n = 0; n < workers; ++n)
      shared_.inboxes.push_back(new_ring("inbox" + std::to_string(n), 2));
    shared_.quiescence =
        static_cast<rte_rcu_qsbr*>(rte_zmalloc(nullptr, rte_rcu_qsbr_get_memsize(workers), 64));
    rte_rcu_qsbr_init(shared_.quiescence, workers);
    worker_ = std::make_unique<Worker>(shared_, setup_, 0, 1 << 12);
  }
  ~WorkerBench() {
    stop();
    worker_.reset();
    for (unsigned side = 0; side < 2; ++side) {
      rte_eth_dev_stop(ports_[side].id);
      rte_eth_dev_close(ports_[side].id);
      free_ring(in_[side]);
      free_ring(out_[side]);
      free_ring(shared_.ports[side]->outbox);
    }
    for (rte_ring* inbox : shared_.inboxes) free_ring(inbox);
    rte_free(shared_.quiescence);
  }
  WorkerBench(const WorkerBench&) = delete;
  WorkerBench& operator=(const WorkerBench&) = delete;

  // Frames wait in the port until the worker comes.
  void arrive(PortIndex port, const Octets& frame) {
    Packet packet = buffers.packet(frame);
    ASSERT_EQ(rte_ring_enqueue(in_[port.value], packet.release()), 0);
  }
  void start() {
    thread_ = std::thread([this] { worker_->run(); });
  }
  void stop() {
    shared_.stop.store(true);
    if (thread_.joinable()) thread_.join();
  }
  // Once the worker has received `packets`; asks it as the control thread does.
  WorkerStats stats_after(uint64_t packets) {
    WorkerStats stats;
    for (int i = 0; i < 1000; ++i) {
      stats = WorkerStats{};
      if (worker_->stats(stats) && stats.received + stats.taken_over >= packets) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return stats;
  }
  void hand_to_worker(PortIndex port, const Octets& frame) {
    Packet packet = buffers.packet(frame);
    packet.get()->port = port.value;
    ASSERT_EQ(rte_ring_enqueue(shared_.inboxes[0], packet.release()), 0);
  }
  unsigned left_on(PortIndex port) const { return rte_ring_count(out_[port.value]); }
  unsigned handed_to(unsigned worker) const { return rte_ring_count(shared_.inboxes[worker]); }
  WorkersShared& shared() { return shared_; }
  Worker& worker() { return *worker_; }

  Buffers buffers;

 private:
  static rte_ring* new_ring(const std::string& name, unsigned size) {
    rte_ring* ring = rte_ring_create(name.c_str(), size, SOCKET_ID_ANY, 0);
    if (ring == nullptr) std::abort();
    return ring;
  }
  static void free_ring(rte_ring* ring) {
    void* packet = nullptr;
    while (rte_ring_dequeue(ring, &packet) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
    rte_ring_free(ring);
  }
  void open_port(unsigned side) {
    in_[side] = new_ring("in" + std::to_string(side), 256);
    out_[side] = new_ring("out" + std::to_string(side), 256);
    static unsigned number = 0;  // names of ring devices are used once
    const std::string name = "bench" + std::to_string(number++);
    const int id = rte_eth_from_rings(name.c_str(), &in_[side], 1, &out_[side], 1, 0);
    if (id < 0) std::abort();
    ports_[side] = {.id = static_cast<uint16_t>(id),
                    .rx_queues = 1,
                    .tx_queues = 1,
                    .device = name};
    const rte_eth_conf config{};
    if (rte_eth_dev_configure(ports_[side].id, 1, 1, &config) != 0 ||
        rte_eth_rx_queue_setup(ports_[side].id, 0, 64, 0, nullptr, buffers.pool()) != 0 ||
        rte_eth_tx_queue_setup(ports_[side].id, 0, 64, 0, nullptr) != 0 ||
        rte_eth_dev_start(ports_[side].id) != 0)
      std::abort();
    auto live = std::make_unique<LivePort>();
    live->outbox = new_ring("outbox" + std::to_string(side), 64);
    live->port.store(&ports_[side]);
    shared_.ports.push_back(std::move(live));
  }

  PipelineSetup setup_;
  WorkersShared shared_;
  Port ports_[2];
  rte_ring* in_[2];
  rte_ring* out_[2];
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

}  // namespace postern::dataplane
