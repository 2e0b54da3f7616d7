// SPDX-License-Identifier: Apache-2.0
#include "dataplane/fragments.h"

#include <algorithm>

namespace postern::dataplane {
namespace {

constexpr uint32_t kMaxDatagram = 65535;

// Linux refuses a first IPv6 fragment that does not hold the whole header chain (RFC 7112).
bool chain_is_complete(const IpHeader& header) noexcept {
  if (header.source.is_v4() || header.fragment_offset != 0) return true;
  const ExtensionWalk walk = walk_extensions(header.protocol, header.payload);
  if (walk.reason != DropReason::None) return false;
  switch (walk.protocol) {
    case 6:
      return walk.payload.size() >= 20;
    case 17:
      return walk.payload.size() >= 8;
    default:
      return !walk.payload.empty();
  }
}

}  // namespace

FragmentTable::FragmentTable(const FragmentLimits& limits, Counters& counters)
    : limits_(limits),
      counters_(counters),
      nodes_(limits.fragments),
      datagrams_(limits.datagrams),
      buckets_(limits.datagrams, kNone) {
  for (size_t i = 0; i < datagrams_.size(); ++i) datagrams_[i].chain = static_cast<uint16_t>(i + 1);
  datagrams_.back().chain = kNone;
}

size_t FragmentTable::bucket(const Key& key) const noexcept {
  FlowKey flow;
  flow.address[0] = key.source;
  flow.address[1] = key.destination;
  flow.port[0] = static_cast<uint16_t>(key.identification);
  flow.port[1] = static_cast<uint16_t>(key.identification >> 16);
  return hash_of(flow, 0) % buckets_.size();
}

uint16_t FragmentTable::find(const Key& key) const noexcept {
  uint16_t index = buckets_[bucket(key)];
  while (index != kNone && !(datagrams_[index].key == key)) index = datagrams_[index].chain;
  return index;
}

uint16_t FragmentTable::open(const Key& key, Timestamp now) noexcept {
  const uint16_t index = free_datagram_;
  if (index == kNone) return kNone;
  Datagram& datagram = datagrams_[index];
  free_datagram_ = datagram.chain;
  uint16_t& head = buckets_[bucket(key)];
  datagram = {.key = key, .deadline = now + limits_.timeout, .chain = head, .older = newest_};
  head = index;
  if (newest_ != kNone) datagrams_[newest_].newer = index;
  newest_ = index;
  if (oldest_ == kNone) oldest_ = index;
  return index;
}

// Forgets the datagram; its nodes must have been taken or freed.
void FragmentTable::close(uint16_t index) noexcept {
  Datagram& datagram = datagrams_[index];
  uint16_t* link = &buckets_[bucket(datagram.key)];
  while (*link != index) link = &datagrams_[*link].chain;
  *link = datagram.chain;
  (datagram.older == kNone ? oldest_ : datagrams_[datagram.older].newer) = datagram.newer;
  (datagram.newer == kNone ? newest_ : datagrams_[datagram.newer].older) = datagram.older;
  datagram.chain = free_datagram_;
  free_datagram_ = index;
}

void FragmentTable::discard(uint16_t index, DropReason reason) noexcept {
  uint16_t list = datagrams_[index].head;
  while (list != kNone) {
    const Packet dropped = take_next(list);
    counters_.drop(reason);
  }
  close(index);
}

void FragmentTable::expire(Timestamp now) noexcept {
  while (oldest_ != kNone && datagrams_[oldest_].deadline <= now)
    discard(oldest_, DropReason::FragmentTimeout);
}

FragmentTable::Place FragmentTable::place_of(const Datagram& datagram, uint32_t begin,
                                             uint32_t end) const noexcept {
  uint32_t run_begin = 0, run_end = 0;  // held bytes without a gap
  for (uint16_t i = datagram.head; i != kNone; i = nodes_[i].next) {
    const uint32_t node_begin = nodes_[i].offset;
    const uint32_t node_end = node_begin + static_cast<uint32_t>(nodes_[i].data.size());
    if (i == datagram.head || node_begin != run_end) run_begin = node_begin;
    run_end = node_end;
    if (begin >= run_begin && end <= run_end) return Place::Duplicate;
    const bool run_goes_on = nodes_[i].next != kNone && nodes_[nodes_[i].next].offset == run_end;
    if (!run_goes_on && begin < run_end && end > run_begin) return Place::Overlap;
  }
  return Place::Fits;
}

void FragmentTable::insert(Datagram& datagram, Slot& slot, const IpHeader& header) noexcept {
  const uint16_t index = nodes_.take_in(std::move(slot.packet));
  Node& node = nodes_[index];
  node.data = header.payload;
  node.offset = header.fragment_offset;
  node.protocol = header.protocol;
  uint16_t* link = &datagram.head;
  while (*link != kNone && nodes_[*link].offset < node.offset) link = &nodes_[*link].next;
  node.next = *link;
  *link = index;
  ++datagram.count;
  datagram.received += static_cast<uint32_t>(header.payload.size());
  slot.fate = Fate::Taken;
}

void FragmentTable::complete(uint16_t index, Slot& slot) noexcept {
  Datagram& datagram = datagrams_[index];
  if (scratch_.empty()) scratch_.resize(Burst::kCapacity * (kMaxDatagram + 1));
  uint8_t* whole = scratch_.data() + scratch_used_;
  scratch_used_ += kMaxDatagram + 1;
  for (uint16_t i = datagram.head; i != kNone; i = nodes_[i].next)
    std::memcpy(whole + nodes_[i].offset, nodes_[i].data.data(), nodes_[i].data.size());
  slot.segment = {whole, datagram.total};
  uint16_t list = datagram.head;
  slot.key.protocol = nodes_[list].protocol;
  slot.packet = take_next(list);
  slot.fragments = list;
  slot.fate = Fate::Open;
  close(index);
}

void FragmentTable::add(Slot& slot, const IpHeader& header, Timestamp now) noexcept {
  const uint32_t begin = header.fragment_offset;
  const uint32_t end = begin + static_cast<uint32_t>(header.payload.size());
  const bool unaligned = header.more_fragments && header.payload.size() % 8 != 0;
  if (header.payload.empty() || unaligned || end > kMaxDatagram || !chain_is_complete(header))
    return drop(slot, DropReason::FragmentBad);

  const Key key{header.source,
                header.destination,
                header.identification,
                {slot.key.vlan[0], slot.key.vlan[1]},
                // RFC 8200 section 4.5: the next header is no part of what identifies an IPv6 datagram.
                header.source.is_v4() ? header.protocol : uint8_t{0},
                slot.port.value};
  uint16_t index = find(key);
  const bool full = nodes_.full() || (index != kNone && datagrams_[index].count >= limits_.per_datagram);
  if (full) return drop(slot, DropReason::FragmentsFull);
  if (index == kNone) index = open(key, now);
  if (index == kNone) return drop(slot, DropReason::FragmentsFull);

  Datagram& datagram = datagrams_[index];
  const bool wrong_end = header.more_fragments ? datagram.total != 0 && end > datagram.total
                                               : datagram.total != 0 && end != datagram.total;
  uint32_t furthest = 0;
  for (uint16_t i = datagram.head; i != kNone; i = nodes_[i].next)
    furthest = nodes_[i].offset + static_cast<uint32_t>(nodes_[i].data.size());
  if (wrong_end || (!header.more_fragments && end < furthest)) {
    discard(index, DropReason::FragmentBad);
    return drop(slot, DropReason::FragmentBad);
  }
  switch (place_of(datagram, begin, end)) {
    case Place::Duplicate:
      return drop(slot, DropReason::FragmentOverlap);
    case Place::Overlap:
      discard(index, DropReason::FragmentOverlap);
      return drop(slot, DropReason::FragmentOverlap);
    case Place::Fits:
      break;
  }
  if (!header.more_fragments) datagram.total = end;
  insert(datagram, slot, header);
  if (datagram.total != 0 && datagram.received == datagram.total) complete(index, slot);
}

}  // namespace postern::dataplane
