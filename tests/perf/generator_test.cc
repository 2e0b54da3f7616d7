// SPDX-License-Identifier: Apache-2.0
// The generator on ports that are rings in memory. A thread plays the device between them, and treats packets
// as a test wants.
#include "perf/traffic/generator.h"

#include <gtest/gtest.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <functional>
#include <thread>

#include "dataplane/port.h"
#include "perf/traffic/connections.h"
#include "perf/traffic/datagrams.h"
#include "perf/traffic/probed.h"

namespace postern::perf {
namespace {

using dataplane::PortSpec;

class Lab {
 public:
  // How often the n-th packet of a port goes on.
  using Treatment = std::function<unsigned(unsigned port, uint64_t packet)>;

  explicit Lab(Treatment treatment) : treatment_(std::move(treatment)) {
    static unsigned number = 0;
    const std::string name = "lab" + std::to_string(number++);
    pool_ = rte_pktmbuf_pool_create(name.c_str(), 16383, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    for (unsigned i = 0; i < 2; ++i) {
      const std::string port = name + (i == 0 ? "a" : "b");
      const auto opened = dataplane::open_port(
          {.spec = {.kind = PortSpec::Kind::Ring, .device = port, .output = "", .text = port},
           .pool = pool_});
      if (!opened) std::abort();
      ports_.push_back(*opened);
      into_[i] = rte_ring_lookup((port + "-rx").c_str());
      out_of_[i] = rte_ring_lookup((port + "-tx").c_str());
    }
    device_ = std::thread([this] { forward(); });
  }
  ~Lab() {
    stop_.store(true);
    device_.join();
    for (const dataplane::Port& port : ports_) dataplane::close_port(port);
    for (unsigned i = 0; i < 2; ++i)
      for (rte_ring* ring : {into_[i], out_of_[i]}) {
        void* packet = nullptr;
        while (rte_ring_dequeue(ring, &packet) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
        rte_ring_free(ring);
      }
    EXPECT_EQ(rte_mempool_in_use_count(pool_), 0u) << "packets have leaked";
    rte_mempool_free(pool_);
  }
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  std::vector<uint16_t> ports() const { return {ports_[0].id, ports_[1].id}; }
  rte_mempool* pool() const { return pool_; }

 private:
  void forward() {
    uint64_t packets[2] = {0, 0};
    while (!stop_.load())
      for (unsigned i = 0; i < 2; ++i) {
        void* packet = nullptr;
        while (rte_ring_dequeue(out_of_[i], &packet) == 0)
          pass(static_cast<rte_mbuf*>(packet), i, packets[i]++);
      }
  }
  void pass(rte_mbuf* packet, unsigned from, uint64_t number) {
    for (unsigned times = treatment_(from, number); times > 0; --times) {
      rte_mbuf* copy = rte_pktmbuf_copy(packet, pool_, 0, UINT32_MAX);
      while (copy != nullptr && rte_ring_enqueue(into_[1 - from], copy) != 0 && !stop_.load())
        std::this_thread::yield();
    }
    rte_pktmbuf_free(packet);
  }

  Treatment treatment_;
  rte_mempool* pool_ = nullptr;
  std::vector<dataplane::Port> ports_;
  rte_ring *into_[2], *out_of_[2];
  std::atomic<bool> stop_{false};
  std::thread device_;
};

constexpr uint64_t kFrames = 20'000;

Trial trial_of(double packets_per_second = 100'000) {
  return {.phases = {{packets_per_second, 10}}, .frames = kFrames, .linger = 0.3};
}

TEST(Generator, LosesNothingOnAWireThatLosesNothing) {
  Lab lab([](unsigned, uint64_t) { return 1; });
  Datagrams source({.flows = 1000, .directions = Directions::Both});
  Generator generator(lab.ports(), lab.pool(), source, 0);
  const TrialResult result = generator.run(trial_of());
  EXPECT_EQ(result.sent(), kFrames);
  EXPECT_EQ(result.received(), kFrames);
  EXPECT_EQ(result.lost() + result.refused(), 0u);
  EXPECT_EQ(result.sides[1].sent, (kFrames - Datagrams::kAnswerLag) / 2);
  EXPECT_EQ(result.latency.count(), kFrames);
  EXPECT_GT(result.latency.quantile(0.5), 0u);
}

TEST(Generator, CountsExactlyWhatWasLost) {
  Lab lab([](unsigned port, uint64_t packet) { return port == 0 && packet % 10 == 3 ? 0 : 1; });
  Datagrams source({.flows = 10});
  Generator generator(lab.ports(), lab.pool(), source, 10);
  const TrialResult result = generator.run(trial_of());
  EXPECT_EQ(result.sides[0].lost, kFrames / 10);
  EXPECT_EQ(result.received(), kFrames - kFrames / 10);
  EXPECT_DOUBLE_EQ(result.loss(), 0.1);
  EXPECT_EQ(generator.flow_loss().flows_with_loss(), 1u) << "every tenth packet is of the same of ten flows";
}

TEST(Generator, CountsWhatCameTwice) {
  Lab lab([](unsigned, uint64_t packet) { return packet % 100 == 0 ? 2 : 1; });
  Datagrams source(DatagramShape{});
  Generator generator(lab.ports(), lab.pool(), source, 0);
  const TrialResult result = generator.run(trial_of());
  EXPECT_EQ(result.sides[0].duplicated, kFrames / 100);
  EXPECT_EQ(result.lost(), 0u);
}

TEST(Generator, WhatAnEarlierTrialLeftBehindDoesNotCount) {
  std::atomic<unsigned> times{1};
  Lab lab([&](unsigned, uint64_t) { return times.load(); });
  Datagrams source(DatagramShape{});
  Generator generator(lab.ports(), lab.pool(), source, 0);
  Trial hasty = trial_of();
  hasty.linger = 0;
  generator.run(hasty);
  times = 0;
  const TrialResult result = generator.run(trial_of());
  EXPECT_EQ(result.received(), 0u);
  EXPECT_EQ(result.lost(), kFrames);
}

TEST(Generator, KeepsThePace) {
  Lab lab([](unsigned, uint64_t) { return 1; });
  Datagrams source(DatagramShape{});
  Generator generator(lab.ports(), lab.pool(), source, 0);
  const TrialResult result = generator.run({.phases = {{20'000, 0.5}}});
  EXPECT_NEAR(static_cast<double>(result.sent() + result.skipped), 10'000, 2);
}

TEST(Generator, KnowsWhenTheLastLossOfTheLastPhaseWas) {
  std::atomic<uint64_t> dropped_at{0};
  Lab lab([&](unsigned, uint64_t packet) {
    if (packet >= 15'000) return 1;
    dropped_at = rte_rdtsc();
    return 0;
  });
  Datagrams source(DatagramShape{});
  Generator generator(lab.ports(), lab.pool(), source, 0);
  const uint64_t begun = rte_rdtsc();
  const TrialResult result = generator.run({.phases = {{1e6, 0.01}, {10'000, 3}}, .linger = 0.3});
  const double expected =
      static_cast<double>(dropped_at - begun) / static_cast<double>(rte_get_tsc_hz()) - 0.01;
  EXPECT_GT(result.last_loss_seconds, 0.1);
  EXPECT_NEAR(result.last_loss_seconds, expected, 0.1);
}

TEST(Generator, ALossBeforeTheLastPhaseIsNotOfIt) {
  Lab lab([](unsigned, uint64_t packet) { return packet < 100 ? 0 : 1; });
  Datagrams source(DatagramShape{});
  Generator generator(lab.ports(), lab.pool(), source, 0);
  const TrialResult result = generator.run({.phases = {{100'000, 0.1}, {10'000, 0.1}}});
  EXPECT_EQ(result.lost(), 100u);
  EXPECT_LT(result.last_loss_seconds, 0);
}

TEST(Generator, CountsFramesWithoutATagToo) {
  Lab lab([](unsigned port, uint64_t packet) { return port == 1 && packet < 7 ? 0 : 1; });
  Probed source(std::make_unique<Connections>(ConnectionShape{.flows = 100, .open = 20}), DatagramShape{}, 9);
  Generator generator(lab.ports(), lab.pool(), source, 0);
  const TrialResult result = generator.run(trial_of());
  EXPECT_EQ(result.untagged_sent, kFrames / 10 * 9);
  EXPECT_EQ(result.latency.count(), kFrames / 10);
  EXPECT_EQ(result.sides[1].lost, 7u);
  EXPECT_EQ(result.sides[0].lost, 0u);
}

TEST(Generator, APortThatTakesNoMoreRefuses) {
  Lab lab([](unsigned, uint64_t) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return 1;
  });
  Datagrams source(DatagramShape{});
  Generator generator(lab.ports(), lab.pool(), source, 0);
  const TrialResult result = generator.run({.phases = {{0, 0.05}}, .linger = 0.05});
  EXPECT_GT(result.refused(), 0u);
  EXPECT_GT(result.loss(), 0.5);
}

}  // namespace
}  // namespace postern::perf
