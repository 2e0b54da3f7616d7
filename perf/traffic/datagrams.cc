// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/datagrams.h"

#include "perf/traffic/flow_ends.h"
#include "perf/traffic/frame_writer.h"

namespace postern::perf {

namespace {
constexpr uint8_t kUdp = 17;
constexpr size_t kUdpHeader = 8, kIpHeader = 20;
}  // namespace

Datagrams::Datagrams(const DatagramShape& shape)
    : shape_(shape), choice_(shape.flows, shape.zipf, shape.seed), asked_(kAnswerLag + 1) {}

size_t Datagrams::make(std::span<Frame> frames) noexcept {
  for (Frame& frame : frames) {
    frame.side = next_;
    if (next_ == Side::Second) {
      write(frame, asked_[questions_ % asked_.size()]);  // the oldest
      next_ = Side::First;
      continue;
    }
    const uint32_t flow = choice_.next();
    asked_[questions_++ % asked_.size()] = flow;
    write(frame, flow);
    if (shape_.directions == Directions::Both && questions_ > kAnswerLag) next_ = Side::Second;
  }
  return frames.size();
}

void Datagrams::write(Frame& frame, uint32_t flow) noexcept {
  const FlowEnds ends = FlowEnds::of(flow);
  const bool asks = frame.side == Side::First;
  const uint32_t from = asks ? ends.client : ends.server, to = asks ? ends.server : ends.client;
  frame.length = static_cast<uint16_t>(shape_.sizes.next() - kFcs);
  uint8_t* at = frame.room;
  at += write_ethernet(at, asks ? kServerMac : kClientMac, asks ? kClientMac : kServerMac, shape_.vlan);
  const auto headers = static_cast<size_t>(at - frame.room) + kIpHeader;
  const size_t least = headers + kUdpHeader + Tag::kSize;
  if (frame.length < least) frame.length = static_cast<uint16_t>(least);
  const size_t segment = frame.length - headers;
  at += write_ipv4(at, from, to, kUdp, segment);
  store_be16(at, asks ? ends.client_port : shape_.server_port);
  store_be16(at + 2, asks ? shape_.server_port : ends.client_port);
  store_be16(at + 4, static_cast<uint16_t>(segment));
  store_be16(at + 6, 0);
  std::memset(at + kUdpHeader, 0, segment - kUdpHeader);
  frame.tag_at = static_cast<uint16_t>(headers + kUdpHeader);
}

void tag_frame(const Frame& frame, const Tag& tag) noexcept {
  uint8_t* payload = frame.room + frame.tag_at;
  uint8_t* udp = payload - kUdpHeader;
  const uint8_t* addresses = udp - 8;
  write_tag(payload, tag);
  // All that follows the tag is zero and does not count.
  const size_t length = load_be16(udp + 4);
  store_be16(udp + 6, 0);
  const uint64_t sum = sum_of(addresses, 8) + kUdp + length + sum_of(udp, kUdpHeader + Tag::kSize);
  store_be16(udp + 6, udp_checksum_of(sum));
}

}  // namespace postern::perf
