// SPDX-License-Identifier: Apache-2.0
// A whole data path lane for tests: pipeline, tables, log and an output that keeps what is sent. Frames go in
// as bytes; after every burst it checks that received + forged = sent + dropped + terminated +
// held.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "buffers.h"
#include "dataplane/pipeline.h"

namespace postern::dataplane {

inline constexpr PortIndex kFirstSide{0}, kSecondSide{1};  // the sides of wire 0

class KeptOutput : public Output {
 public:
  struct Sent {
    PortIndex port;
    Octets frame;
  };
  Taken send(PortIndex port, rte_mbuf** packets, unsigned count, Timestamp) noexcept override {
    const unsigned taken = std::min(count, room);
    for (unsigned i = 0; i < taken; ++i) {
      const auto* data = rte_pktmbuf_mtod(packets[i], const uint8_t*);
      if (keep) sent.push_back({port, Octets(data, data + rte_pktmbuf_data_len(packets[i]))});
      rte_pktmbuf_free(packets[i]);
    }
    return {taken, taken};
  }
  bool link_up(PortIndex port) const noexcept override { return up[port.value & 1]; }

  std::vector<Sent> sent;
  bool up[2] = {true, true};
  bool keep = true;
  unsigned room = 0xffffffff;  // packets taken of one burst
};

struct LaneSetup {
  PipelineSetup pipeline = PipelineSetup::from({Wire{}});
  size_t log_records = 1 << 12;
  std::vector<QuestionTable>* questions = nullptr;  // shared with other lanes; null: its own
  unsigned own = 0;
};

inline LaneSetup lane_setup(uint32_t flows = 1024) {
  LaneSetup setup;
  setup.pipeline.flows = flows;
  setup.pipeline.packet_drops_per_second = 0xffffffff;
  setup.pipeline.refused_flows_per_second = 0xffffffff;
  return setup;
}

class Lane {
 public:
  using Snapshot = classify::PolicySnapshot;
  using In = std::pair<PortIndex, Octets>;

  Lane(std::unique_ptr<const Snapshot> snapshot, LaneSetup setup = lane_setup())
      : setup_(std::move(setup)),
        snapshot_(std::move(snapshot)),
        own_questions_(1),
        ring_(setup_.log_records),
        pipeline_(setup_.pipeline, output, ring_, counters,
                  setup_.questions != nullptr ? *setup_.questions : own_questions_, setup_.own) {}

  void receive(PortIndex port, const Octets& frame) { receive_burst({{port, frame}}); }

  void receive_burst(const std::vector<In>& frames) {
    burst_.now = now;
    for (const auto& [port, frame] : frames) burst_.add(buffers.packet(frame), port);
    counters.received.add(frames.size());
    pipeline_.process(burst_, *snapshot_);
    EXPECT_TRUE(burst_.empty());
    check_accounting();
  }

  // True when exactly this frame left on the other side at once.
  bool passes(PortIndex port, const Octets& frame) {
    const size_t before = output.sent.size();
    receive(port, frame);
    if (output.sent.size() != before + 1) return false;
    return output.sent.back().port.value == port.opposite().value && output.sent.back().frame == frame;
  }

  // The reason one frame was dropped for; None when it was not dropped.
  DropReason verdict(PortIndex port, const Octets& frame) {
    uint64_t before[kDropReasons];
    for (size_t i = 0; i < kDropReasons; ++i) before[i] = counters.dropped[i].value();
    receive(port, frame);
    for (size_t i = 0; i < kDropReasons; ++i)
      if (counters.dropped[i].value() != before[i]) return static_cast<DropReason>(i);
    return DropReason::None;
  }

  void age(Timestamp later) {
    now += later;
    pipeline_.age_all(now, *snapshot_);
    check_accounting();
  }

  // The old snapshot stays alive as long as the new one needs to replace it.
  void publish(std::unique_ptr<const Snapshot> snapshot) { snapshot_ = std::move(snapshot); }

  uint64_t dropped(DropReason reason) const { return counters.dropped[static_cast<size_t>(reason)].value(); }
  uint64_t dropped() const {
    return std::accumulate(counters.dropped.begin(), counters.dropped.end(), uint64_t{0},
                           [](uint64_t sum, const Counter& counter) { return sum + counter.value(); });
  }

  // What was logged since the last call.
  std::vector<LogEvent> events() {
    std::vector<LogEvent> all;
    LogEvent one[64];
    while (const size_t count = ring_.read(one)) all.insert(all.end(), one, one + count);
    return all;
  }
  std::vector<LogRecord> records() {
    std::vector<LogRecord> all;
    for (const LogEvent& event : events()) all.push_back(event.record);
    return all;
  }
  std::vector<LogRecord> records(RecordKind kind) {
    std::vector<LogRecord> some;
    for (const LogRecord& record : records())
      if (record.kind == kind) some.push_back(record);
    return some;
  }

  void check_accounting() {
    EXPECT_EQ(counters.received.value() + counters.forged.value(),
              counters.sent.value() + dropped() + counters.terminated.value() + pipeline_.held());
    EXPECT_EQ(counters.dropped[0].value(), 0u) << "a drop without a reason";
  }

  Pipeline& pipeline() { return pipeline_; }
  const Snapshot& snapshot() const { return *snapshot_; }

  Buffers buffers;  // before everything that may hold packets
  Counters counters;
  KeptOutput output;
  Timestamp now = 1'700'000'000 * kSecond;

 private:
  LaneSetup setup_;
  std::unique_ptr<const Snapshot> snapshot_;
  std::vector<QuestionTable> own_questions_;
  LogRing ring_;
  Pipeline pipeline_;
  Burst burst_;
};

}  // namespace postern::dataplane
