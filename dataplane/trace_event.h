// SPDX-License-Identifier: Apache-2.0
// What passes between a worker and the control thread about flows that somebody asked about: who is meant,
// what happened, and the ring on the way. Plain values; a ring has one writer and one reader.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <span>
#include <vector>

#include "classify/signature.h"
#include "dataplane/flow.h"
#include "dataplane/log_record.h"

namespace postern::dataplane {

// Which flows: one by its number, or all between two ends, whoever opened them.
struct TraceTarget {
  uint64_t flow_id = 0;  // 0: by the ends
  IpAddress address[2];
  uint16_t port[2] = {};  // only of protocols that have ports
  uint8_t protocol = 0;

  bool names(const FlowKey& key, uint64_t start_us) const noexcept;
  bool names_ends(const FlowKey& key) const noexcept;  // false when it is by number
};

enum class TraceStep : uint8_t {
  Now,  // how the flow stands when somebody asks, once for each direction that has bytes
  Opened,
  Looked,   // first bytes of `direction` were shown to the application engine, which says `found`
  Refined,  // a text of `layer` was, inside an application that is known
  GaveUp,   // the flow could not say in time what it is, or its bytes could not be put in order
  Judged,   // the policy was asked
  Held,     // a segment waits for the bytes before it
  Refused,  // a packet was dropped; by the flow's verdict only the first one
  Ended,
};

struct TraceEvent {
  static constexpr size_t kBytes = 2048;  // what patterns ever look at

  TraceStep step{};
  Direction direction{};  // Looked: as the engine was told, see `related`
  FlowVerdict verdict{};
  FlowState state{};
  uint8_t owes = 0;         // Owed bits
  bool related = false;     // an expected answer: the engine was told the other end is the server
  uint16_t asked_port = 0;  // of that server, when the answer comes from another one
  bool known = true;        // false: a packet without a flow
  classify::Layer layer{};
  AppId found;
  uint16_t kept = 0;    // of `bytes`
  uint32_t size = 0;    // bytes there were: of the direction so far, of the datagram, of the packet's payload
  uint64_t packet = 0;  // its number in a replay; 0: live
  LogRecord flow;
  std::array<uint8_t, kBytes> bytes;

  Bytes seen() const noexcept { return {bytes.data(), kept}; }
};

// Bounded; when it is full the event is lost and the writer counts it.
class TraceRing {
 public:
  // Room for at least `events`.
  explicit TraceRing(size_t events) : events_(std::bit_ceil(events)), mask_(events_.size() - 1) {}

  bool push(const TraceEvent& event) noexcept {
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == events_.size()) return false;
    events_[tail & mask_] = event;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Copies up to `into.size()` events, oldest first; returns how many.
  size_t read(std::span<TraceEvent> into) noexcept {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    const uint64_t ready = tail_.load(std::memory_order_acquire) - head;
    const size_t count = ready < into.size() ? ready : into.size();
    for (size_t i = 0; i < count; ++i) into[i] = events_[(head + i) & mask_];
    head_.store(head + count, std::memory_order_release);
    return count;
  }

 private:
  std::vector<TraceEvent> events_;
  size_t mask_;
  alignas(64) std::atomic<uint64_t> tail_{0};
  alignas(64) std::atomic<uint64_t> head_{0};
};

// A question of the control thread, answered between two bursts in portions of the flow table.
struct TraceQuery {
  static constexpr uint32_t kPortion = 4096;  // records: under a millisecond
  static constexpr size_t kMost = 32;         // events

  enum class Ask : uint8_t { Find, Follow, Stop };
  Ask ask{};
  TraceTarget target;
  uint32_t from = 0;              // Find: first record; the answer says where to go on, kNoFlow at the end
  uint64_t lost = 0;              // Stop: events that found the ring full
  std::vector<TraceEvent> found;  // reserved by the asker, so the worker allocates nothing
};

}  // namespace postern::dataplane
