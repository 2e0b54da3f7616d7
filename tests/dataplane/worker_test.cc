// SPDX-License-Identifier: Apache-2.0
// A worker on its thread: what it polls, hands over, answers and counts.
#include "dataplane/worker.h"

#include <gtest/gtest.h>

#include "lane.h"
#include "policies.h"
#include "worker_bench.h"

namespace postern::dataplane {
namespace {

const IpAddress kServer = ip("10.3.0.1");

// A host of the first side whose flows with the server are this worker's of two.
IpAddress client_of(unsigned worker) {
  for (unsigned host = 1;; ++host) {
    const IpAddress address = ip("10.1.0." + std::to_string(host));
    if (owner_of(address, kServer, 2) == worker) return address;
  }
}

void expect_accounted(const WorkerStats& stats) {
  uint64_t dropped = 0;
  for (const uint64_t count : stats.dropped) dropped += count;
  EXPECT_EQ(stats.received + stats.taken_over, stats.sent + dropped + stats.handed_over + stats.held);
}

TEST(Worker, CarriesPacketsFromPortToPort) {
  const auto snapshot = compiled(allow_all());
  WorkerBench bench(*snapshot, 1);
  const IpAddress client = client_of(0);
  for (uint16_t port = 1; port <= 100; ++port)
    bench.arrive(kFirstSide, udp_frame(client, kServer, port, 2, "x"));
  bench.arrive(kSecondSide, udp_frame(kServer, client, 2, 1, "y"));
  bench.arrive(kFirstSide, Octets(13));
  bench.start();
  const WorkerStats stats = bench.stats_after(102);
  EXPECT_EQ(stats.received, 102u);
  EXPECT_EQ(stats.sent, 101u);
  EXPECT_EQ(stats.dropped[static_cast<size_t>(DropReason::Truncated)], 1u);
  EXPECT_EQ(stats.flows, 100u);
  EXPECT_EQ(stats.ports.at(0).received_packets, 101u);
  EXPECT_EQ(stats.ports.at(1).sent_packets, 100u);
  EXPECT_EQ(bench.left_on(kSecondSide), 100u);
  EXPECT_EQ(bench.left_on(kFirstSide), 1u);
  expect_accounted(stats);
}

TEST(Worker, HandsOverWhatIsNotItsOwnAndTakesWhatIs) {
  const auto snapshot = compiled(allow_all());
  WorkerBench bench(*snapshot, 2);
  bench.arrive(kFirstSide, udp_frame(client_of(0), kServer, 1, 2, "mine"));
  bench.arrive(kFirstSide, udp_frame(client_of(1), kServer, 1, 2, "theirs"));
  bench.hand_to_worker(kFirstSide, udp_frame(client_of(0), kServer, 3, 2, "mine, seen by another"));
  bench.start();
  const WorkerStats stats = bench.stats_after(3);
  EXPECT_EQ(stats.received, 2u);
  EXPECT_EQ(stats.taken_over, 1u);
  EXPECT_EQ(stats.flows, 2u);
  EXPECT_EQ(bench.handed_to(1), 1u);
  expect_accounted(stats);
}

TEST(Worker, KeepsFramesWithoutIpToItself) {
  const auto snapshot = compiled(allow_all());
  WorkerBench bench(*snapshot, 2);
  for (int i = 0; i < 5; ++i) bench.arrive(kFirstSide, ethernet(0x0806, Octets(28)));
  bench.start();
  const WorkerStats stats = bench.stats_after(5);
  EXPECT_EQ(bench.handed_to(1), 0u);
  expect_accounted(stats);
}

TEST(Worker, TakesUpAnotherPolicyWithinARoundAndSaysWhen) {
  const auto first = compiled(allow_all()), second = compiled(allow_all());
  WorkerBench bench(*first, 1);
  bench.start();
  bench.stats_after(0);
  const PolicySwitch before = bench.worker().last_switch();
  EXPECT_GT(before.at, 0u);
  const uint64_t published = rte_rdtsc();
  bench.shared().snapshot.store(second.get());
  for (int answers = 0; answers < 2; ++answers) bench.stats_after(0);  // the second is of a later round
  const PolicySwitch after = bench.worker().last_switch();
  EXPECT_GT(after.at, before.at);
  EXPECT_EQ(after.generation, second->generation().value);
  EXPECT_LE(after.at - after.round, published) << "it was published while the round before ran";
}

TEST(Worker, TellsItsFlowsWhenAsked) {
  const auto snapshot = compiled(allow_all());
  WorkerBench bench(*snapshot, 1);
  for (uint16_t port = 1; port <= 20; ++port)
    bench.arrive(kFirstSide, udp_frame(client_of(0), kServer, port, 2, "x"));
  bench.start();
  bench.stats_after(20);
  FlowQuery query{.limit = 7, .found = {}, .states = {}};
  ASSERT_TRUE(bench.worker().flows(query));
  EXPECT_EQ(query.found.size(), 7u);
  EXPECT_EQ(query.states.size(), 7u);
  EXPECT_EQ(query.found[0].destination, kServer);
}

TEST(Worker, DoesNotAnswerWhenItDoesNotRun) {
  const auto snapshot = compiled(allow_all());
  WorkerBench bench(*snapshot, 1);
  WorkerStats stats;
  EXPECT_FALSE(bench.worker().stats(stats)) << "the asker must not wait for ever";
}

TEST(Worker, WritesTheEndOfEveryFlowWhenItStops) {
  const auto snapshot = compiled(allow_all());
  WorkerBench bench(*snapshot, 1);
  for (uint16_t port = 1; port <= 30; ++port)
    bench.arrive(kFirstSide, udp_frame(client_of(0), kServer, port, 2, "x"));
  bench.start();
  bench.stats_after(30);
  bench.stop();
  std::vector<LogEvent> events(64);
  const size_t count = bench.worker().log_ring().read(events);
  ASSERT_EQ(count, 30u);
  for (size_t i = 0; i < count; ++i) EXPECT_EQ(events[i].record.end_reason, EndReason::Shutdown);
}

TEST(Worker, DropsForAPortThatWasTakenAway) {
  const auto snapshot = compiled(allow_all());
  WorkerBench bench(*snapshot, 1);
  bench.shared().ports[1]->port.store(nullptr);
  bench.arrive(kFirstSide, udp_frame(client_of(0), kServer, 1, 2, "x"));
  bench.start();
  const WorkerStats stats = bench.stats_after(1);
  EXPECT_EQ(stats.dropped[static_cast<size_t>(DropReason::PortDown)], 1u);
  expect_accounted(stats);
}

TEST(Worker, JudgesByTheSnapshotThatWasPublishedLast) {
  const auto allowing = compiled(allow_all(1)), refusing = compiled(wire_policy(2));
  WorkerBench bench(*allowing, 1);
  bench.start();
  bench.arrive(kFirstSide, udp_frame(client_of(0), kServer, 1, 2, "x"));
  EXPECT_EQ(bench.stats_after(1).sent, 1u);
  bench.shared().snapshot.store(refusing.get());
  rte_rcu_qsbr_synchronize(bench.shared().quiescence, RTE_QSBR_THRID_INVALID);
  bench.arrive(kFirstSide, udp_frame(client_of(0), kServer, 1, 2, "x"));
  const WorkerStats stats = bench.stats_after(2);
  EXPECT_EQ(stats.dropped[static_cast<size_t>(DropReason::PolicyDefault)], 1u);
  EXPECT_EQ(stats.generation, 2u);
  expect_accounted(stats);
}

}  // namespace
}  // namespace postern::dataplane
