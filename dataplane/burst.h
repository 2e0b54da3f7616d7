// SPDX-License-Identifier: Apache-2.0
// A burst of packets on its walk through the pipeline, each with what the steps found out so far. The burst
// owns its packets until a step takes one out. One worker.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"
#include "base/verdict.h"
#include "dataplane/flow_key.h"
#include "dataplane/packet.h"

namespace postern::dataplane {

inline constexpr uint32_t kNoFlow = 0xffffffff;
inline constexpr uint16_t kNoFragments = 0xffff;

// A side of a wire as a small number: wire * 2 + side.
struct PortIndex {
  uint8_t value = 0;
  static PortIndex of(WireId wire, Side side) noexcept {
    return {static_cast<uint8_t>(wire.value * 2 + static_cast<uint8_t>(side))};
  }
  WireId wire() const noexcept { return {static_cast<uint8_t>(value >> 1)}; }
  Side side() const noexcept { return static_cast<Side>(value & 1); }
  PortIndex opposite() const noexcept { return {static_cast<uint8_t>(value ^ 1)}; }
};

enum class Fate : uint8_t {
  Open,  // still to be judged
  Forward,
  Drop,    // for `reason`
  Taken,   // no longer in the burst: held back by a step
  Divert,  // to the TLS core that has its flow
};

// What kind of packet it is for `track`.
enum class Kind : uint8_t { Layer2, Tcp, Udp, IcmpQuery, IcmpError, OtherIp };

struct Slot {
  Packet packet;
  FlowKey key;     // IcmpError: of the flow the error speaks of
  PortIndex port;  // where it came in
  Kind kind{};
  Fate fate{};
  DropReason reason{};
  uint8_t tcp_flags = 0;
  uint8_t icmp_type = 0, icmp_code = 0;
  bool vlan_changes = false;  // outer VLAN id is rewritten on the way out
  bool told = false;          // the drop is in the log, or will not be
  uint16_t vlan_out = 0;
  uint16_t fragments = kNoFragments;  // further fragments of this datagram, held by FragmentTable
  uint16_t released = kNoFragments,
           released_last = kNoFragments;  // segments that waited for this one (StreamTable)
  uint32_t flow = kNoFlow;
  Bytes segment;  // transport header and payload, reassembled if it came in fragments
  Bytes payload;  // after the transport header
};

class Burst {
 public:
  static constexpr unsigned kCapacity = 64;

  Timestamp now = 0;

  unsigned size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  bool full() const noexcept { return size_ == kCapacity; }
  Slot& operator[](unsigned i) noexcept { return slots_[i]; }
  Slot* begin() noexcept { return slots_.data(); }
  Slot* end() noexcept { return slots_.data() + size_; }
  const Slot* begin() const noexcept { return slots_.data(); }
  const Slot* end() const noexcept { return slots_.data() + size_; }

  void add(Packet packet, PortIndex port) noexcept {
    Slot& slot = slots_[size_++];
    slot.packet = std::move(packet);
    slot.port = port;
    slot.fate = Fate::Open;
    slot.reason = DropReason::None;
    slot.tcp_flags = slot.icmp_type = slot.icmp_code = 0;
    slot.vlan_changes = slot.told = false;
    slot.fragments = slot.released = slot.released_last = kNoFragments;
    slot.flow = kNoFlow;
    // One by one: copied from each other, the second waits for the first store.
    slot.segment = {};
    slot.payload = {};
  }
  Packet take(unsigned i) noexcept { return std::move(slots_[i].packet); }
  void clear() noexcept { size_ = 0; }  // after dispatch: every packet has been taken

 private:
  std::array<Slot, kCapacity> slots_;
  unsigned size_ = 0;
};

// Some of the flows of a burst. Spares a walk over the burst for each packet of a flood, in which no two
// belong to the same flow; may be wrong only in saying that it holds one.
class FlowFilter {
 public:
  void add(uint32_t flow) noexcept { bits_[flow / 64 % 4] |= bit(flow); }
  bool may_hold(uint32_t flow) const noexcept { return (bits_[flow / 64 % 4] & bit(flow)) != 0; }

 private:
  static uint64_t bit(uint32_t flow) noexcept { return uint64_t{1} << (flow % 64); }
  std::array<uint64_t, 4> bits_{};
};

inline void drop(Slot& slot, DropReason reason) noexcept {
  slot.fate = Fate::Drop;
  slot.reason = reason;
}

}  // namespace postern::dataplane
