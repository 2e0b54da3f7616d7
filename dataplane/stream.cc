// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stream.h"

#include <algorithm>
#include <bit>

#include "dataplane/flow.h"
#include "dataplane/tcp_flags.h"
#include "dataplane/tcp_options.h"

namespace postern::dataplane {
namespace {

constexpr size_t kLongestFront = 1 << 15;  // bytes that `front` copies at most

int32_t distance(uint32_t from, uint32_t to) noexcept { return static_cast<int32_t>(to - from); }
uint32_t later(uint32_t a, uint32_t b) noexcept { return sequence_before(a, b) ? b : a; }
uint32_t earlier(uint32_t a, uint32_t b) noexcept { return sequence_before(a, b) ? a : b; }

}  // namespace

StreamTable::StreamTable(const StreamLimits& limits, Counters& counters)
    : limits_(limits),
      counters_(counters),
      store_(limits.blocks),
      streams_(limits.streams),
      buckets_(std::bit_ceil(limits.streams), kNoStream),
      nodes_(limits.held),
      scratch_(kLongestFront),
      tls_(limits.tls),
      http_(limits.http),
      quic_(limits.quic),
      content_(limits.streams) {
  for (uint32_t i = 0; i < limits.streams; ++i) streams_[i].chain = i + 1;
  streams_.back().chain = kNoStream;
}

Stream* StreamTable::open(uint32_t flow, uint32_t first_to_server, uint32_t first_to_client) noexcept {
  if (free_stream_ == kNoStream) return nullptr;
  const uint32_t index = free_stream_;
  Stream& stream = streams_[index];
  free_stream_ = stream.chain;
  uint32_t& head = buckets_[flow & (buckets_.size() - 1)];
  stream = Stream{};
  stream.flow = flow;
  stream.chain = head;
  head = index;
  ++size_;
  const uint32_t first[2] = {first_to_server, first_to_client};
  for (size_t d = 0; d < 2; ++d)
    stream.halves[d].next = stream.halves[d].acked = stream.halves[d].base = first[d];
  return &stream;
}

void StreamTable::use_timestamps(Stream& stream, uint32_t of_client, uint32_t of_server) noexcept {
  stream.timestamps = true;
  stream.half(Direction::ToServer).timestamp = of_client;
  stream.half(Direction::ToClient).timestamp = of_server;
}

Stream* StreamTable::find(uint32_t flow) noexcept {
  uint32_t index = buckets_[flow & (buckets_.size() - 1)];
  while (index != kNoStream && streams_[index].flow != flow) index = streams_[index].chain;
  return index == kNoStream ? nullptr : &streams_[index];
}

void StreamTable::close(uint32_t flow) noexcept {
  uint32_t* link = &buckets_[flow & (buckets_.size() - 1)];
  while (*link != kNoStream && streams_[*link].flow != flow) link = &streams_[*link].chain;
  if (*link == kNoStream) return;
  const uint32_t index = *link;
  Stream& stream = streams_[index];
  *link = stream.chain;
  detach(stream);
  forget_content(stream);
  while (stream.waiting != kNone) {
    const Packet dropped = take_next(stream.waiting);
    counters_.drop(DropReason::TcpGap);
  }
  for (Half& half : stream.halves) {
    drop_held(half);
    store_.clear(half.kept);
  }
  stream.flow = kNoFlow;
  stream.chain = free_stream_;
  free_stream_ = index;
  --size_;
}

bool StreamTable::attach(Stream& stream, Reader reader) noexcept {
  const uint32_t index = reader == Reader::Tls    ? tls_.take()
                         : reader == Reader::Http ? http_.take()
                                                  : quic_.take();
  if (index == kNoStream) return false;
  stream.reader = reader;
  stream.reader_index = index;
  return true;
}

void StreamTable::detach(Stream& stream) noexcept {
  if (stream.reader == Reader::Tls) tls_.give(stream.reader_index);
  if (stream.reader == Reader::Http) http_.give(stream.reader_index);
  if (stream.reader == Reader::Quic) quic_.give(stream.reader_index);
  stream.reader = Reader::None;
}

profiles::ContentInspection& StreamTable::content(Stream& stream) noexcept {
  if (stream.content == kNoStream) stream.content = content_.take();
  return content_[stream.content];
}

void StreamTable::forget_content(Stream& stream) noexcept {
  if (stream.content == kNoStream) return;
  content_.give(stream.content);
  stream.content = kNoStream;
}

void StreamTable::drop_held(Half& half) noexcept {
  while (half.held != kNone) {
    const Packet dropped = take_next(half.held);
    counters_.drop(DropReason::TcpGap);
  }
  half.held_count = 0;
}

// Whether the segment tells another story than bytes that passed and were not acknowledged, or that wait.
bool StreamTable::differs(const Half& half, const Segment& segment) const noexcept {
  const auto part = [&segment](uint32_t from, uint32_t to) {
    return segment.data.subspan(from - segment.sequence, to - from);
  };
  const uint32_t kept_end = half.base + half.kept.size;
  const uint32_t from = later(later(segment.sequence, half.base), half.acked);
  const uint32_t to = earlier(segment.end(), kept_end);
  if (distance(from, to) > 0 && !store_.holds(half.kept, from - half.base, part(from, to))) return true;
  for (uint16_t i = half.held; i != kNone; i = nodes_[i].next) {
    const Segment& held = nodes_[i].segment;
    const uint32_t begin = later(held.sequence, segment.sequence);
    const uint32_t end = earlier(held.end(), segment.end());
    if (distance(begin, end) <= 0) continue;
    const Bytes first = held.data.subspan(begin - held.sequence, end - begin);
    const Bytes second = part(begin, end);
    if (!std::equal(first.begin(), first.end(), second.begin())) return true;
  }
  return false;
}

bool StreamTable::held_covers(const Half& half, const Segment& segment) const noexcept {
  uint32_t reached = segment.sequence;
  bool same_end = false;
  for (uint16_t i = half.held; i != kNone; i = nodes_[i].next) {
    const Segment& held = nodes_[i].segment;
    if (!sequence_before(reached, held.sequence)) reached = later(reached, held.end());
    same_end |= held.data.empty() && held.sequence == segment.sequence;
  }
  return segment.data.empty() ? same_end : !sequence_before(reached, segment.end());
}

// RFC 7323 section 5: the receiver ignores data that is older than what it had in order.
bool StreamTable::too_old(const Stream& stream, const Half& half, const Segment& segment) noexcept {
  return stream.timestamps && segment.timestamp && sequence_before(*segment.timestamp, half.timestamp);
}

void StreamTable::hold(Half& half, Slot& slot, const Segment& segment) noexcept {
  if (held_covers(half, segment)) return drop(slot, DropReason::TcpDuplicateHeld);
  // Reassembled bytes live as long as their burst; a sender whose path fragments sends it again in order.
  if (slot.fragments != kNoFragments) return drop(slot, DropReason::StreamFragments);
  if (nodes_.full() || half.held_count == limits_.held_per_flow) return drop(slot, DropReason::StreamFull);
  const uint16_t index = nodes_.take_in(std::move(slot.packet));
  Node& node = nodes_[index];
  node.segment = segment;
  uint16_t* link = &half.held;
  while (*link != kNone && !sequence_before(segment.sequence, nodes_[*link].segment.sequence))
    link = &nodes_[*link].next;
  node.next = *link;
  *link = index;
  ++half.held_count;
  slot.fate = Fate::Taken;
}

// False: no room to keep the bytes.
bool StreamTable::advance(Half& half, const Segment& segment, Bytes fresh) noexcept {
  if (half.kept.size + fresh.size() > limits_.kept_per_flow || !store_.append(half.kept, fresh)) return false;
  if (segment.timestamp) half.timestamp = *segment.timestamp;
  half.next += static_cast<uint32_t>(fresh.size());
  half.passed += fresh.size();
  return true;
}

Bytes StreamTable::admit(Stream& stream, Slot& slot, Direction direction) noexcept {
  Half& half = stream.half(direction);
  const Segment segment{load_be32(slot.segment.data() + 4), slot.payload, tcp_timestamp(slot)};
  const auto refuse = [&slot](DropReason reason) {
    drop(slot, reason);
    return Bytes{};
  };
  if (differs(half, segment)) return refuse(DropReason::TcpOverlapDiffers);
  if (!stream.scanning) return {};
  if (too_old(stream, half, segment)) return refuse(DropReason::TcpOldTimestamp);
  if (!sequence_before(half.next, segment.end())) return {};
  if (sequence_before(half.next, segment.sequence)) {
    hold(half, slot, segment);
    return {};
  }
  const Bytes fresh = segment.data.subspan(half.next - segment.sequence);
  if (!advance(half, segment, fresh)) return refuse(DropReason::StreamFull);
  return fresh;
}

void StreamTable::follow(Slot& slot, uint16_t node) noexcept {
  nodes_[node].next = kNone;
  if (slot.released == kNone) {
    slot.released = slot.released_last = node;
    return;
  }
  nodes_[slot.released_last].next = node;
  slot.released_last = node;
}

Bytes StreamTable::release(Stream& stream, Slot& slot, Direction direction) noexcept {
  Half& half = stream.half(direction);
  while (half.held != kNone) {
    const uint16_t index = half.held;
    const Segment segment = nodes_[index].segment;
    if (sequence_before(half.next, segment.sequence)) return {};
    if (segment.data.empty() && segment.sequence != half.next) {
      const Packet dropped = take_next(half.held);  // an end inside bytes that passed
      --half.held_count;
      counters_.drop(DropReason::TcpOverlapDiffers);
      continue;
    }
    Bytes fresh;
    if (sequence_before(half.next, segment.end())) {
      fresh = segment.data.subspan(half.next - segment.sequence);
      if (!advance(half, segment, fresh)) return {};  // it waits on until acknowledgements make room
    }
    half.held = nodes_[index].next;
    --half.held_count;
    follow(slot, index);
    if (!fresh.empty()) return fresh;
  }
  return {};
}

void StreamTable::note(Stream& stream, Slot& slot, Direction direction) noexcept {
  if (!stream.scanning) return;
  Half& half = stream.half(direction);
  const Segment segment{load_be32(slot.segment.data() + 4), {}, tcp_timestamp(slot)};
  if (sequence_before(half.next, segment.sequence)) {
    if ((slot.tcp_flags & kFin) != 0) hold(half, slot, segment);
    return;
  }
  const bool newer = segment.timestamp && sequence_before(half.timestamp, *segment.timestamp);
  if (stream.timestamps && newer) half.timestamp = *segment.timestamp;
}

bool StreamTable::acknowledge(Stream& stream, Direction direction, uint32_t acknowledgement) noexcept {
  Half& half = stream.half(direction);
  // RFC 5961 section 5.2; Linux counts no window from before the connection.
  if (stream.scanning && sequence_before(acknowledgement, half.first())) return false;
  const uint32_t reached = earlier(acknowledgement, half.next);
  if (!sequence_before(half.acked, reached)) return true;
  half.acked = reached;
  if (!half.keeps_front) free_acknowledged(half);
  return true;
}

void StreamTable::free_acknowledged(Half& half) noexcept {
  if (!sequence_before(half.base, half.acked)) return;
  store_.drop_front(half.kept, std::min(half.acked - half.base, half.kept.size));
  half.base = half.acked;
}

void StreamTable::forget_front(Stream& stream, Direction direction) noexcept {
  Half& half = stream.half(direction);
  half.keeps_front = false;
  free_acknowledged(half);
}

bool StreamTable::wait(Stream& stream, Slot& slot) noexcept {
  if (slot.fragments != kNone) return false;
  if (nodes_.full() || stream.waiting_count == limits_.held_per_flow) return false;
  const uint16_t node = nodes_.take_in(std::move(slot.packet));
  nodes_[node].segment = {};
  nodes_[node].next = slot.released;
  (stream.waiting == kNone ? stream.waiting : nodes_[stream.waiting_last].next) = node;
  stream.waiting_last = slot.released == kNone ? node : slot.released_last;
  slot.released = slot.released_last = kNone;
  ++stream.waiting_count;
  slot.fate = Fate::Taken;
  return true;
}

// The slot's own packet takes the place that the first of the waiting ones leaves. What came in fragments
// cannot be put behind: it goes first, and the receiver puts things in order.
void StreamTable::resume(Stream& stream, Slot& slot) noexcept {
  if (stream.waiting == kNone) return;
  if (slot.fragments == kNone) {
    Packet first = take_next(stream.waiting);
    const uint16_t own = nodes_.take_in(std::move(slot.packet));
    nodes_[own].segment = {};
    nodes_[own].next = slot.released;
    slot.packet = std::move(first);
    if (slot.released == kNone) slot.released_last = own;
    (stream.waiting == kNone ? stream.waiting : nodes_[stream.waiting_last].next) = own;
    slot.released = stream.waiting;
  } else {
    nodes_[stream.waiting_last].next = slot.released;
    if (slot.released == kNone) slot.released_last = stream.waiting_last;
    slot.released = stream.waiting;
  }
  stream.waiting = stream.waiting_last = kNone;
  stream.waiting_count = 0;
}

void StreamTable::stop(Stream& stream) noexcept {
  stream.scanning = false;
  for (const Direction direction : {Direction::ToServer, Direction::ToClient})
    forget_front(stream, direction);
}

void StreamTable::flush(Stream& stream, Slot& slot, Direction direction) noexcept {
  Half& half = stream.half(direction);
  while (half.held != kNone) {
    const uint16_t index = half.held;
    half.held = nodes_[index].next;
    follow(slot, index);
  }
  half.held_count = 0;
}

bool StreamTable::drained(const Stream& stream) noexcept {
  return !stream.scanning && std::all_of(stream.halves.begin(), stream.halves.end(), [](const Half& half) {
    return half.kept.size == 0 && half.held == kNone;
  });
}

bool StreamTable::over(const Stream& stream, const uint32_t (&ends)[2]) noexcept {
  const auto is_over = [](const Half& half, uint32_t end) {
    return half.ended && half.held == kNone && half.next + 1 == end;
  };
  return is_over(stream.halves[0], ends[0]) && is_over(stream.halves[1], ends[1]);
}

Bytes StreamTable::front(const Stream& stream, Direction direction) noexcept {
  return store_.front(stream.half(direction).kept, scratch_);
}

}  // namespace postern::dataplane
