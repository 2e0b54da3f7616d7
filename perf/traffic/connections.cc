// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/connections.h"

#include <algorithm>

#include "dataplane/tcp_flags.h"
#include "perf/traffic/frame_writer.h"
#include "perf/traffic/random.h"

namespace postern::perf {
namespace {

using dataplane::kAck, dataplane::kFin, dataplane::kPsh, dataplane::kSyn;

constexpr uint32_t kSegment = 1440;  // fits beside a VLAN tag
constexpr size_t kTcpHeader = 20, kIpHeader = 20;
constexpr uint8_t kTcp = 6;

uint32_t initial_number(uint64_t seed, uint32_t flow, Side side) {
  return static_cast<uint32_t>(Random(seed ^ uint64_t{flow} << 1 ^ static_cast<uint64_t>(side)).next());
}

}  // namespace

Connections::Connections(const ConnectionShape& shape) : shape_(shape) {
  shape_.open = std::min(shape_.open, shape_.flows);
  request_ = "GET /redfish/v1/Systems/1 HTTP/1.1\r\nHost: bmc.example\r\nAccept: application/json\r\n\r\n";
  answer_ = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
            std::to_string(shape_.answer_bytes) + "\r\n\r\n" + std::string(shape_.answer_bytes, ' ');
  plan();
}

void Connections::plan() {
  const auto asked = static_cast<uint32_t>(request_.size()), told = static_cast<uint32_t>(answer_.size());
  steps_ = {{Side::First, kSyn, 0, 0, 0, 0},
            {Side::Second, kSyn | kAck, 0, 1, 0, 0},
            {Side::First, kAck, 1, 1, 0, 0},
            {Side::First, kAck | kPsh, 1, 1, 0, asked}};
  for (uint32_t at = 0; at < told; at += kSegment) {
    const uint32_t size = std::min(kSegment, told - at);
    steps_.push_back({Side::Second, kAck | kPsh, 1 + at, 1 + asked, at, size});
    steps_.push_back({Side::First, kAck, 1 + asked, 1 + at + size, 0, 0});
  }
  steps_.push_back({Side::First, kAck | kFin, 1 + asked, 1 + told, 0, 0});
  steps_.push_back({Side::Second, kAck | kFin, 1 + told, 2 + asked, 0, 0});
  steps_.push_back({Side::First, kAck, 2 + asked, 2 + told, 0, 0});
}

size_t Connections::make(std::span<Frame> frames) noexcept {
  for (Frame& frame : frames) {
    write(frame, (round_ + static_cast<uint32_t>(member_)) % shape_.flows, steps_[step_]);
    if (++member_ < shape_.open) continue;
    member_ = 0;
    if (++step_ < steps_.size()) continue;
    step_ = 0;
    round_ = (round_ + shape_.open) % shape_.flows;
  }
  return frames.size();
}

void Connections::write(Frame& frame, uint32_t flow, const Step& step) noexcept {
  const FlowEnds ends = FlowEnds::of(flow);
  const bool by_client = step.from == Side::First;
  const Side other = by_client ? Side::Second : Side::First;
  const uint32_t from = by_client ? ends.client : ends.server, to = by_client ? ends.server : ends.client;
  const size_t segment = kTcpHeader + step.size;
  uint8_t* at = frame.room;
  at += write_ethernet(at, by_client ? kServerMac : kClientMac, by_client ? kClientMac : kServerMac,
                       shape_.vlan);
  at += write_ipv4(at, from, to, kTcp, segment);
  store_be16(at, by_client ? ends.client_port : shape_.server_port);
  store_be16(at + 2, by_client ? shape_.server_port : ends.client_port);
  store_be32(at + 4, initial_number(shape_.seed, flow, step.from) + step.sent);
  const bool acknowledges = (step.flags & kAck) != 0;
  store_be32(at + 8, acknowledges ? initial_number(shape_.seed, flow, other) + step.acknowledged : 0);
  store_be32(at + 12, 0x50000000 | uint32_t{step.flags} << 16 | 64240);
  store_be32(at + 16, 0);
  std::memcpy(at + kTcpHeader, (by_client ? request_ : answer_).data() + step.begin, step.size);
  store_be16(at + 16, checksum_of(pseudo_sum(from, to, kTcp, segment) + sum_of(at, segment)));
  frame.length = static_cast<uint16_t>(std::max<size_t>(static_cast<size_t>(at - frame.room) + segment, 60));
  std::fill(at + segment, frame.room + frame.length, uint8_t{0});
  frame.side = step.from;
  frame.tag_at = 0;
}

}  // namespace postern::perf
