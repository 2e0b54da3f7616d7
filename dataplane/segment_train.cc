// SPDX-License-Identifier: Apache-2.0
#include "dataplane/segment_train.h"

#include <algorithm>
#include <cstring>

#include "dataplane/tcp_flags.h"

namespace postern::dataplane {
namespace {

// No options, or nothing but timestamps as everyone writes them: no SACK block, whose loss would cost.
bool plain_options(const uint8_t* tcp, size_t size) noexcept {
  constexpr uint32_t kTimestamps = 0x0101080a;
  return size == 20 || (size == 32 && load_be32(tcp + 20) == kTimestamps);
}

}  // namespace

bool SegmentTrain::has_sender_of(Bytes packet, const TcpPlace& place) const noexcept {
  if (place.tcp != place_.tcp) return false;
  const size_t addresses = is_v4(packet) ? 12 : 8, size = is_v4(packet) ? 8 : 32;
  const uint8_t *mine = headers_.data(), *its = packet.data();
  return mine[0] == its[0] && std::memcmp(mine + addresses, its + addresses, size) == 0 &&
         std::memcmp(mine + place.tcp, its + place.tcp, 4) == 0;
}

// Everything but sequence number, length, PSH and checksums is as in the first segment.
bool SegmentTrain::joins(Bytes packet, const TcpPlace& place) const noexcept {
  const size_t payload = packet.size() - place.payload;
  if (!open_ || count_ == kMostSegments || bytes_ + payload + place.payload > kLargest) return false;
  if (payload == 0 || payload > first_ || place.payload != place_.payload) return false;
  const uint8_t *mine = headers_.data(), *its = packet.data();
  const auto same = [&](size_t from, size_t to) {
    return std::memcmp(mine + from, its + from, to - from) == 0;
  };
  const bool same_ip =
      is_v4(packet) ? same(0, 2) && same(6, 10) && same(12, place.tcp) : same(0, 4) && same(6, place.tcp);
  const size_t tcp = place.tcp;
  return same_ip && (its[tcp + 13] & ~kPsh) == kAck && load_be32(its + tcp + 4) == next_ &&
         same(tcp + 8, tcp + 13) && same(tcp + 14, tcp + 16) && same(tcp + 18, place.payload);
}

// A bare acknowledgement that another one goes beyond. One that repeats its number may be a sign of loss.
bool SegmentTrain::outdated_by(Bytes packet, const TcpPlace& place) const noexcept {
  const uint8_t *mine = headers_.data() + place_.tcp, *its = packet.data() + place.tcp;
  const size_t size = place_.payload - size_t{place_.tcp};
  return bytes_ == 0 && mine[13] == kAck && (its[13] & ~kPsh) == kAck && place.payload == place_.payload &&
         plain_options(mine, size) && plain_options(its, size) && load_be32(its + 4) == load_be32(mine + 4) &&
         static_cast<int32_t>(load_be32(its + 8) - load_be32(mine + 8)) > 0;
}

bool SegmentTrain::take(Bytes packet, const TcpPlace& place) noexcept {
  if (empty() || outdated_by(packet, place)) {
    begin(packet, place);
  } else if (!joins(packet, place)) {
    return false;
  }
  append(packet);
  return true;
}

void SegmentTrain::begin(Bytes packet, const TcpPlace& place) noexcept {
  place_ = place;
  std::copy_n(packet.begin(), place.payload, headers_.begin());
  parts_[0] = {headers_.data(), place.payload};
  first_ = packet.size() - place.payload;
  bytes_ = count_ = 0;
}

void SegmentTrain::append(Bytes packet) noexcept {
  const size_t payload = packet.size() - place_.payload;
  const uint8_t flags = packet[place_.tcp + 13u];
  parts_[1 + count_++] = {const_cast<uint8_t*>(packet.data()) + place_.payload, payload};
  bytes_ += payload;
  next_ = load_be32(&packet[place_.tcp + 4u]) + static_cast<uint32_t>(payload);
  headers_[place_.tcp + 13u] |= flags & kPsh;
  // Only the last segment of a train may be shorter.
  open_ = payload > 0 && (flags & ~kPsh) == kAck && payload == first_;
}

SegmentTrain::Parts SegmentTrain::parts() noexcept {
  if (count_ > 1) write_ip_length(headers_.data(), place_.payload + bytes_);
  return {parts_.data(), count_ + 1, place_, count_ > 1 ? static_cast<uint16_t>(first_) : uint16_t{0}};
}

}  // namespace postern::dataplane
