// SPDX-License-Identifier: Apache-2.0
#include "dataplane/exception_port.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "dataplane/tcp_flags.h"

namespace postern::dataplane {
namespace {

// VIRTIO 1.2 section 5.1.6.
constexpr uint8_t kNeedsChecksum = 1;
constexpr uint8_t kWhole = 0, kTcpV4 = 1, kTcpV6 = 4;

}  // namespace

ExceptionPort::ExceptionPort(UniqueFd interface)
    : interface_(std::move(interface)),
      room_(std::make_unique<std::array<uint8_t, sizeof(VirtioHeader) + kLargest + 1>>()) {}

void ExceptionPort::send(VirtioHeader header, const iovec* parts, size_t count, size_t packets) noexcept {
  std::array<iovec, kMostSegments + 2> vector;
  vector[0] = {&header, sizeof header};
  std::copy_n(parts, count, vector.begin() + 1);
  if (::writev(interface_.get(), vector.data(), static_cast<int>(count + 1)) < 0) refused_ += packets;
}

// Everything but sequence number, length, PSH and checksums is as in the train's first segment.
bool ExceptionPort::joins(Bytes packet, const TcpPlace& place) const noexcept {
  const Train& t = train_;
  const size_t payload = packet.size() - place.payload;
  if (!t.open || t.count == kMostSegments || t.bytes + payload + place.payload > kLargest) return false;
  if (place.tcp != t.place.tcp || place.payload != t.place.payload || payload > t.first) return false;
  const uint8_t *mine = t.headers.data(), *its = packet.data();
  const auto same = [&](size_t from, size_t to) {
    return std::memcmp(mine + from, its + from, to - from) == 0;
  };
  const bool same_ip =
      is_v4(packet) ? same(0, 2) && same(6, 10) && same(12, place.tcp) : same(0, 4) && same(6, place.tcp);
  const size_t tcp = place.tcp;
  return same_ip && same(tcp, tcp + 4) && load_be32(its + tcp + 4) == t.next && same(tcp + 8, tcp + 13) &&
         same(tcp + 14, tcp + 16) && same(tcp + 18, place.payload);
}

void ExceptionPort::begin(Bytes packet, const TcpPlace& place) noexcept {
  train_.place = place;
  std::copy_n(packet.begin(), place.payload, train_.headers.begin());
  train_.parts[0] = {train_.headers.data(), place.payload};
  train_.first = packet.size() - place.payload;
  train_.bytes = train_.count = 0;
}

void ExceptionPort::put(Bytes packet) noexcept {
  const auto place = find_tcp(packet);
  if (!place) {
    flush();
    const iovec part{const_cast<uint8_t*>(packet.data()), packet.size()};
    return send({}, &part, 1, 1);
  }
  const uint8_t flags = packet[place->tcp + 13u];
  const size_t payload = packet.size() - place->payload;
  const bool plain = payload > 0 && (flags & ~kPsh) == kAck;
  if (!plain || !joins(packet, *place)) {
    flush();
    begin(packet, *place);
  }
  train_.parts[1 + train_.count++] = {const_cast<uint8_t*>(packet.data()) + place->payload, payload};
  train_.bytes += payload;
  train_.next = load_be32(&packet[place->tcp + 4u]) + static_cast<uint32_t>(payload);
  train_.headers[place->tcp + 13u] |= flags & kPsh;
  // A pushed or shorter segment is the end of what its sender had to say.
  train_.open = plain && (flags & kPsh) == 0 && payload == train_.first;
  if (!train_.open) flush();
}

void ExceptionPort::flush() noexcept {
  Train& t = train_;
  if (t.count == 0) return;
  VirtioHeader header{};
  header.flags = kNeedsChecksum;  // it was verified: the kernel need not look at it
  header.checksum_start = t.place.tcp;
  header.checksum_offset = 16;
  header.headers = t.place.payload;
  if (t.count > 1) {
    header.segmentation = is_v4(t.headers) ? kTcpV4 : kTcpV6;
    header.segment_size = static_cast<uint16_t>(t.first);
    write_ip_length(t.headers.data(), t.place.payload + t.bytes);
  }
  send(header, t.parts.data(), t.count + 1, t.count);
  t.count = 0;
  t.open = false;
}

std::optional<ExceptionPort::Outgoing> ExceptionPort::take() noexcept {
  const ssize_t got = ::read(interface_.get(), room_->data(), room_->size());
  if (got <= static_cast<ssize_t>(sizeof(VirtioHeader))) return std::nullopt;
  VirtioHeader header;
  std::memcpy(&header, room_->data(), sizeof header);
  Outgoing outgoing;
  outgoing.packet = Bytes(*room_).first(static_cast<size_t>(got)).subspan(sizeof header);
  if (header.segmentation != kWhole) outgoing.segment_size = header.segment_size;
  return outgoing;
}

size_t FrameCutter::next_payload() const noexcept {
  const size_t rest = outgoing_.packet.size() - place_.payload - offset_;
  return outgoing_.segment_size == 0 ? rest : std::min<size_t>(rest, outgoing_.segment_size);
}

size_t FrameCutter::next_size() const noexcept { return ethernet_.size() + place_.payload + next_payload(); }

void FrameCutter::write_next(uint8_t* frame) noexcept {
  constexpr uint8_t kCwr = 0x80;
  const Bytes all = outgoing_.packet;
  const size_t payload = next_payload();
  const bool first = offset_ == 0, last = place_.payload + offset_ + payload == all.size();
  uint8_t* packet = std::copy(ethernet_.begin(), ethernet_.end(), frame);
  std::copy_n(all.begin(), place_.payload, packet);
  std::copy_n(all.begin() + static_cast<ptrdiff_t>(place_.payload + offset_), payload,
              packet + place_.payload);
  uint8_t* tcp = packet + place_.tcp;
  store_be32(tcp + 4, load_be32(tcp + 4) + static_cast<uint32_t>(offset_));
  if (!first) tcp[13] = static_cast<uint8_t>(tcp[13] & ~kCwr);
  if (!last) tcp[13] = static_cast<uint8_t>(tcp[13] & ~(kFin | kPsh));
  if (is_v4(all)) store_be16(packet + 4, static_cast<uint16_t>(load_be16(packet + 4) + number_));
  write_ip_length(packet, place_.payload + payload);
  write_tcp_checksum(packet, place_.tcp, place_.payload + payload);
  offset_ += payload;
  ++number_;
  done_ = last;
}

}  // namespace postern::dataplane
