// SPDX-License-Identifier: Apache-2.0
// Packets that wait in lists, in a fixed number of nodes: fragments for the rest of their datagram, segments
// for the one before them. A Node has at least `Packet packet` and `uint16_t next`. One worker.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "dataplane/burst.h"

namespace postern::dataplane {

template <typename Node>
class HeldPackets {
 public:
  static constexpr uint16_t kNone = kNoFragments;

  explicit HeldPackets(uint16_t nodes) : nodes_(nodes) {
    for (uint16_t i = 0; i < nodes; ++i) nodes_[i].next = static_cast<uint16_t>(i + 1);
    nodes_.back().next = kNone;
  }

  bool full() const noexcept { return free_ == kNone; }
  uint64_t size() const noexcept { return size_; }  // packets held
  Node& operator[](uint16_t index) noexcept { return nodes_[index]; }
  const Node& operator[](uint16_t index) const noexcept { return nodes_[index]; }

  // A node for the packet, in no list yet. Not when full.
  uint16_t take_in(Packet packet) noexcept {
    const uint16_t index = free_;
    free_ = nodes_[index].next;
    nodes_[index].packet = std::move(packet);
    ++size_;
    return index;
  }
  // The first packet of a list, which then begins after it; empty when there is none.
  Packet take_next(uint16_t& list) noexcept {
    if (list == kNone) return {};
    const uint16_t index = list;
    Node& node = nodes_[index];
    Packet packet = std::move(node.packet);
    list = node.next;
    node.next = free_;
    free_ = index;
    --size_;
    return packet;
  }
  uint32_t longest(uint16_t list) const noexcept {  // frame of a list, bytes
    uint32_t length = 0;
    for (; list != kNone; list = nodes_[list].next) length = std::max(length, nodes_[list].packet.length());
    return length;
  }

 private:
  std::vector<Node> nodes_;
  uint16_t free_ = 0;
  uint64_t size_ = 0;
};

}  // namespace postern::dataplane
