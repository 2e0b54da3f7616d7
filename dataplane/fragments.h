// SPDX-License-Identifier: Apache-2.0
// Holds IP fragments until their datagram is whole, so that it is judged as the receiver will see it (RFC
// 791, RFC 8200 section 4.5, RFC 5722). Fragments stay in their mbufs and are forwarded as they came, in
// order; the first data wins, a fragment inside held data is dropped, a partial overlap drops the datagram.
// Fixed memory. One worker.
#pragma once

#include <vector>

#include "base/time.h"
#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/held_packets.h"
#include "dataplane/parse_ip.h"

namespace postern::dataplane {

struct FragmentLimits {
  uint16_t datagrams = 1024;  // being reassembled at once
  uint16_t fragments = 8192;  // held at once
  uint16_t per_datagram = 256;
  Timestamp timeout = 30 * kSecond;  // of a datagram from its first fragment; Linux: ipfrag_time
};

class FragmentTable {
 public:
  FragmentTable(const FragmentLimits& limits, Counters& counters);

  // Takes the slot's packet. The slot ends Taken (held), Drop, or Open with the datagram's first fragment,
  // the whole `segment` (valid until begin_burst), the protocol that fragment names in slot.key, and a list
  // of further fragments to collect with take_next. FragmentsFull leaves the packet in the slot, so that the
  // exception policy can decide.
  void add(Slot& slot, const IpHeader& header, Timestamp now) noexcept;

  // Next fragment of a complete datagram; empty when there is none left, and then the list is free again.
  Packet take_next(uint16_t& list) noexcept { return nodes_.take_next(list); }
  uint32_t longest(uint16_t list) const noexcept { return nodes_.longest(list); }  // frame among them, bytes

  void begin_burst() noexcept { scratch_used_ = 0; }
  void expire(Timestamp now) noexcept;
  uint64_t held() const noexcept { return nodes_.size(); }

 private:
  static constexpr uint16_t kNone = kNoFragments;

  struct Key {
    IpAddress source, destination;
    uint32_t identification = 0;
    uint16_t vlan[2] = {};
    uint8_t protocol = 0;
    uint8_t port = 0;
    bool operator==(const Key&) const = default;
  };
  struct Node {
    Packet packet;
    Bytes data;           // of this fragment, inside its packet
    uint16_t offset = 0;  // of data in the datagram
    uint16_t next = kNone;
    uint8_t protocol = 0;  // of the header the datagram starts with, as this fragment has it
  };
  struct Datagram {
    Key key;
    Timestamp deadline = 0;
    uint32_t received = 0;  // bytes
    uint32_t total = 0;     // bytes; 0: last fragment not seen
    uint16_t head = kNone;  // nodes in order of offset
    uint16_t count = 0;
    uint16_t chain = kNone;  // next datagram of the same bucket, or next free one
    uint16_t older = kNone, newer = kNone;
  };
  enum class Place : uint8_t { Fits, Duplicate, Overlap };

  uint16_t find(const Key& key) const noexcept;
  uint16_t open(const Key& key, Timestamp now) noexcept;
  void close(uint16_t index) noexcept;
  void discard(uint16_t index, DropReason reason) noexcept;
  Place place_of(const Datagram& datagram, uint32_t begin, uint32_t end) const noexcept;
  void insert(Datagram& datagram, Slot& slot, const IpHeader& header) noexcept;
  void complete(uint16_t index, Slot& slot) noexcept;
  size_t bucket(const Key& key) const noexcept;

  FragmentLimits limits_;
  Counters& counters_;
  HeldPackets<Node> nodes_;
  std::vector<Datagram> datagrams_;
  std::vector<uint16_t> buckets_;
  std::vector<uint8_t> scratch_;
  size_t scratch_used_ = 0;
  uint16_t free_datagram_ = 0;
  uint16_t oldest_ = kNone, newest_ = kNone;
};

}  // namespace postern::dataplane
