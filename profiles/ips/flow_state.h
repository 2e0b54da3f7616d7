// SPDX-License-Identifier: Apache-2.0
// What the rules remember of one flow: its flowbits and flowints, where its streams are in the pattern
// engine, the last bytes of each, and the buffers of the message that is under way. The caller owns one for
// every inspected flow and may use it again after `reset`; memory grows to what a flow needs and is kept. One
// worker.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "classify/pattern_set.h"
#include "profiles/ips/buffers.h"

namespace postern::profiles::ips {

class FlowState {
 public:
  static constexpr size_t kWindow = 4096;            // bytes of a stream that a rule can look back to
  static constexpr size_t kMostMessage = 64 * 1024;  // bytes of all kept buffers of a message
  // A stream's patterns are looked for anew after so many bytes, a little overlapping: a pattern is told once
  // in that time, and a rule that waits for more bytes is forgotten after twice of it.
  static constexpr size_t kEpoch = 16 * 1024, kOverlap = 512;
  static constexpr size_t kMostWaiting = 256;  // rules that wait for more bytes, each time and message
  static constexpr uint32_t kFlowints = 64;
  // Work that a flow may make: a unit for every two of its bytes, saved up to a burst, at least a little each
  // time.
  static constexpr uint32_t kMostAllowance = 16'384, kLeastAllowance = 512;

  explicit FlowState(uint64_t id = 0) : id_(id) {}  // `id` is another for every flow
  void reset(uint64_t id) noexcept;

  uint64_t id() const noexcept { return id_; }
  bool passed() const noexcept {
    return passed_;
  }  // by a rule with action pass: nothing is inspected any more

  // A message ended (an HTTP request, a name that was asked for): what its buffers said is forgotten.
  void end_message(Direction direction) noexcept;

 private:
  friend class Inspection;

  struct Stream {
    classify::PatternStream position;
    std::vector<uint8_t> window;  // of at most 2 * kWindow bytes; the last kWindow count
    uint64_t end = 0;             // bytes so far
    uint64_t epoch = 0;           // where it began
    bool begun = false, ended = false;
    std::vector<uint32_t> waiting, waiting_longer;  // entries, since this epoch and since the one before
    std::vector<uint32_t> matched;                  // entries, in this epoch
    void restart() noexcept;
    void begin_epoch() noexcept;
    void keep(Bytes piece);
    Bytes tail() const noexcept;
  };
  struct Kept {
    BufferKind kind;
    uint32_t begin, size;
  };
  struct Lane {  // of a direction
    std::array<Stream, kStreamedKinds> streams;
    std::vector<uint8_t> bytes;  // of the kept buffers
    std::vector<Kept> kept;
    std::vector<uint32_t> waiting;  // entries that wait for other buffers of the message
  };

  bool bit(uint32_t number) const noexcept;
  void set_bit(uint32_t number, bool value);
  uint32_t allow(size_t bytes, uint32_t most) noexcept;  // units for this call
  Lane& lane(Direction direction) noexcept { return lanes_[static_cast<size_t>(direction)]; }

  uint64_t id_;
  uint64_t rules_ = 0;  // the rule set that streams and waiting rules belong to
  uint32_t allowance_ = kMostAllowance;
  bool passed_ = false;
  std::vector<uint64_t> bits_;
  std::array<uint32_t, kFlowints> ints_{};
  uint64_t ints_set_ = 0;
  std::array<Lane, 2> lanes_;
};

}  // namespace postern::profiles::ips
