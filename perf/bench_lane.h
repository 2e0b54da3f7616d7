// SPDX-License-Identifier: Apache-2.0
// The data path of one worker in memory, for measuring: no ports, and packets that were sent are used again,
// so neither allocation nor copying is measured. Traffic is prepared once and may pass as often as wanted.
// Needs the EAL. One thread.
#pragma once

#include <rte_mbuf.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "dataplane/pipeline.h"
#include "tests/dataplane/packets.h"

namespace postern::perf {

inline constexpr dataplane::PortIndex kFirstSide{0}, kSecondSide{1};

class Traffic {
 public:
  struct Arrival {
    rte_mbuf* packet;
    dataplane::PortIndex port;
  };

  explicit Traffic(const char* name, unsigned most)
      : pool_(rte_pktmbuf_pool_create(name, most, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY)) {
    if (pool_ == nullptr) std::abort();
  }
  ~Traffic() { rte_mempool_free(pool_); }
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  void add(dataplane::PortIndex port, const dataplane::Octets& frame) {
    rte_mbuf* packet = rte_pktmbuf_alloc(pool_);
    char* room =
        packet == nullptr ? nullptr : rte_pktmbuf_append(packet, static_cast<uint16_t>(frame.size()));
    if (room == nullptr) std::abort();
    std::memcpy(room, frame.data(), frame.size());
    arrivals_.push_back({packet, port});
  }
  const std::vector<Arrival>& arrivals() const { return arrivals_; }

 private:
  rte_mempool* pool_;
  std::vector<Arrival> arrivals_;
};

// The packets stay those of the traffic.
class Sink : public dataplane::Output {
 public:
  Taken send(dataplane::PortIndex, rte_mbuf**, unsigned count, Timestamp) noexcept override {
    return {count, count};
  }
  bool link_up(dataplane::PortIndex) const noexcept override { return true; }
};

class BenchLane {
 public:
  static constexpr unsigned kBurst = 32;
  // Odd, so that a record's later flow does not start at the same time modulo 64 us (Tracker's stamps).
  static constexpr Timestamp kBetweenBursts = 11 * kMicrosecond;
  static constexpr uint32_t kFlows = 8192;  // a quarter of them may be half open

  explicit BenchLane(std::unique_ptr<const classify::PolicySnapshot> snapshot)
      : snapshot_(std::move(snapshot)),
        setup_(setup()),
        questions_(1),
        ring_(2 * kFlows),
        pipeline_(setup_, sink_, ring_, counters_, questions_, 0) {}

  // All of it, in bursts; every packet must come out again.
  void pass(const Traffic& traffic) {
    for (const Traffic::Arrival& arrival : traffic.arrivals()) {
      burst_.add(dataplane::Packet(arrival.packet), arrival.port);
      if (burst_.size() == kBurst) process();
    }
    if (!burst_.empty()) process();
    passed_ += traffic.arrivals().size();
    if (counters_.sent.value() == passed_) return;
    std::fprintf(stderr, "the traffic does not pass: %llu of %llu packets were sent\n",
                 static_cast<unsigned long long>(counters_.sent.value()),
                 static_cast<unsigned long long>(passed_));
    for (size_t i = 0; i < kDropReasons; ++i)
      if (counters_.dropped[i].value() != 0)
        std::fprintf(stderr, "  reason %zu: %llu\n", i,
                     static_cast<unsigned long long>(counters_.dropped[i].value()));
    std::exit(1);
  }

  // From now on by another policy; the one so far comes back instead.
  void take_up(std::unique_ptr<const classify::PolicySnapshot>& snapshot) noexcept {
    std::swap(snapshot_, snapshot);
  }

  // Every flow ends; its records are thrown away.
  void end_flows() {
    now_ += 7200 * kSecond + kBetweenBursts;
    pipeline_.age_all(now_, *snapshot_);
    dataplane::LogEvent records[64];
    while (ring_.read(records) != 0) {
    }
  }

  // Flows that owe nothing any more, which is what settled means.
  uint32_t settled() const {
    uint32_t count = 0;
    for (uint32_t flow = 0; flow < pipeline_.flows().capacity(); ++flow) {
      const dataplane::FlowHot& hot = pipeline_.flows().hot(flow);
      count += hot.state != dataplane::FlowState::Free && hot.owes == 0;
    }
    return count;
  }

 private:
  static dataplane::PipelineSetup setup() {
    auto setup = dataplane::PipelineSetup::from({dataplane::Wire{}});
    setup.flows = kFlows;
    setup.max_frame = 4096;
    return setup;
  }
  void process() {
    now_ += kBetweenBursts;
    burst_.now = now_;
    counters_.received.add(burst_.size());
    pipeline_.process(burst_, *snapshot_);
  }

  std::unique_ptr<const classify::PolicySnapshot> snapshot_;
  dataplane::PipelineSetup setup_;
  Sink sink_;
  std::vector<dataplane::QuestionTable> questions_;
  dataplane::LogRing ring_;
  dataplane::Counters counters_;
  dataplane::Pipeline pipeline_;
  dataplane::Burst burst_;
  Timestamp now_ = 1'700'000'000 * kSecond;
  uint64_t passed_ = 0;
};

}  // namespace postern::perf
