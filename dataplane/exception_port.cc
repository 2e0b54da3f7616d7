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
  std::array<iovec, SegmentTrain::kMostSegments + 2> vector;
  vector[0] = {&header, sizeof header};
  std::copy_n(parts, count, vector.begin() + 1);
  if (::writev(interface_.get(), vector.data(), static_cast<int>(count + 1)) < 0) refused_ += packets;
}

// The sender's own, or one that is free; else another sender's leaves.
SegmentTrain& ExceptionPort::train_of(Bytes packet, const TcpPlace& place) noexcept {
  SegmentTrain* free = nullptr;
  for (SegmentTrain& train : trains_) {
    if (train.empty()) {
      if (free == nullptr) free = &train;
    } else if (train.has_sender_of(packet, place)) {
      return train;
    }
  }
  if (free != nullptr) return *free;
  SegmentTrain& other = trains_[evicted_++ % kTrains];
  flush(other);
  return other;
}

void ExceptionPort::put(Bytes packet) noexcept {
  const auto place = find_tcp(packet);
  if (!place) {
    flush();
    const iovec part{const_cast<uint8_t*>(packet.data()), packet.size()};
    return send({}, &part, 1, 1);
  }
  SegmentTrain& train = train_of(packet, *place);
  if (train.take(packet, *place)) return;
  flush(train);
  train.take(packet, *place);
}

void ExceptionPort::flush() noexcept {
  for (SegmentTrain& train : trains_) flush(train);
}

void ExceptionPort::flush(SegmentTrain& train) noexcept {
  if (train.empty()) return;
  const SegmentTrain::Parts whole = train.parts();
  VirtioHeader header{};
  header.flags = kNeedsChecksum;  // it was verified: the kernel need not look at it
  header.checksum_start = whole.place.tcp;
  header.checksum_offset = 16;
  header.headers = whole.place.payload;
  if (whole.segment_size != 0) {
    header.segmentation = is_v4({static_cast<const uint8_t*>(whole.parts[0].iov_base), 1}) ? kTcpV4 : kTcpV6;
    header.segment_size = whole.segment_size;
  }
  send(header, whole.parts, whole.count, train.segments());
  train.clear();
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
