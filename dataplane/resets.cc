// SPDX-License-Identifier: Apache-2.0
#include "dataplane/resets.h"

#include <algorithm>

#include "dataplane/segment_headers.h"
#include "dataplane/tcp_flags.h"

namespace postern::dataplane {
namespace {

Packet frame_of(const BareSegment& segment, const EthernetHeader& ethernet, rte_mempool& pool) noexcept {
  Packet packet(rte_pktmbuf_alloc(&pool));
  if (!packet) return {};
  auto* room = reinterpret_cast<uint8_t*>(rte_pktmbuf_append(packet.get(), kMostBareFrame));
  const size_t size = write_frame(segment, ethernet.view(), room);
  rte_pktmbuf_trim(packet.get(), static_cast<uint16_t>(kMostBareFrame - size));
  return packet;
}

}  // namespace

EthernetHeader forwarded(const Slot& slot) noexcept {
  EthernetHeader header = ethernet_of(slot.packet.bytes());
  if (slot.vlan_changes && header.size > 14)
    store_be16(&header.bytes[14],
               static_cast<uint16_t>((load_be16(&header.bytes[14]) & 0xf000) | slot.vlan_out));
  return header;
}

EthernetHeader answering(EthernetHeader header) noexcept {
  std::swap_ranges(header.bytes.begin(), header.bytes.begin() + 6, header.bytes.begin() + 6);
  return header;
}

bool Resets::may(Timestamp now) noexcept {
  constexpr unsigned kMostPerSecond = 1000;
  if (now - since_ >= kSecond) {
    since_ = now;
    made_ = 0;
  }
  return made_++ < kMostPerSecond;
}

Packet Resets::for_sender(const Slot& slot, rte_mempool& pool, Timestamp now) noexcept {
  if ((slot.tcp_flags & (kAck | kRst | kSyn)) != kAck || !may(now)) return {};
  const auto sender = static_cast<size_t>(slot.port.side());
  const BareSegment segment{.from = {slot.key.address[1 - sender], slot.key.port[1 - sender]},
                            .to = {slot.key.address[sender], slot.key.port[sender]},
                            .sequence = load_be32(slot.segment.data() + 8),
                            .flags = kRst};
  return frame_of(segment, answering(ethernet_of(slot.packet.bytes())), pool);
}

Packet Resets::for_receiver(const Slot& slot, rte_mempool& pool, Timestamp now) noexcept {
  if (slot.payload.empty() || (slot.tcp_flags & kRst) != 0 || !may(now)) return {};
  const auto sender = static_cast<size_t>(slot.port.side());
  const BareSegment segment{.from = {slot.key.address[sender], slot.key.port[sender]},
                            .to = {slot.key.address[1 - sender], slot.key.port[1 - sender]},
                            .sequence = load_be32(slot.segment.data() + 4),
                            .flags = kRst};
  return frame_of(segment, forwarded(slot), pool);
}

}  // namespace postern::dataplane
