// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/management_mix.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "dataplane/capture_reader.h"
#include "perf/traffic/frame_writer.h"

namespace postern::perf {
namespace {

constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17;
constexpr size_t kEthernet = 14;

bool is_whole_ipv4(Bytes frame) {
  if (frame.size() < kEthernet + 20 || frame.size() > kFrameRoom || load_be16(&frame[12]) != 0x0800)
    return false;
  const Bytes packet = frame.subspan(kEthernet);
  const size_t header = size_t{packet[0]} % 16 * 4, total = load_be16(&packet[2]);
  return header >= 20 && total >= header + 8 && total <= packet.size() &&
         (load_be16(&packet[6]) & 0x3fff) == 0;
}

// Multicast stays what it is; the rest become hosts of the plan in flow_ends.h, as many as that has.
uint32_t moved(uint32_t address, uint32_t client, uint32_t conversation) {
  if (address >> 28 == 14) return address;
  const FlowEnds ends = FlowEnds::of(conversation);
  return address == client ? ends.client : ends.server;
}

void set_checksum(uint8_t* at, size_t offset, uint64_t pseudo, size_t length) {
  store_be16(at + offset, 0);
  const uint64_t sum = pseudo + sum_of(at, length);
  store_be16(at + offset, offset == 6 ? udp_checksum_of(sum) : checksum_of(sum));
}

}  // namespace

std::vector<MixPart> management_parts(const std::string& folder) {
  constexpr struct {
    const char* name;
    uint32_t weight;
  } kParts[] = {{"tls_1_3", 25},      {"tls_1_2", 15}, {"redfish_read", 10}, {"redfish_session", 5},
                {"redfish_power", 2}, {"dns_udp", 15}, {"slp_unicast", 5},   {"slp_multicast", 3},
                {"ipmi_lanplus", 5},  {"ipmi_lan", 3}, {"icmp_echo", 5},     {"ssh_login", 3},
                {"cim_xml", 2},       {"tftp_get", 1}, {"rfc913", 1}};
  std::vector<MixPart> parts;
  for (const auto& [name, weight] : kParts) parts.push_back({folder + "/" + name + ".pcapng", weight});
  return parts;
}

Result<ManagementMix> ManagementMix::read(const std::vector<MixPart>& parts, uint32_t conversations,
                                          uint32_t total, uint64_t seed) {
  ManagementMix mix(total, seed);
  uint32_t weights = 0;
  for (const MixPart& one : parts) {
    auto part = part_of(one);
    if (!part) return part.error();
    part->up_to = weights += one.weight;
    mix.parts_.push_back(std::move(*part));
  }
  for (uint32_t i = 0; i < conversations; ++i)
    if (Running running; mix.begin(running)) mix.running_.push_back(running);
  return mix;
}

Result<ManagementMix::Part> ManagementMix::part_of(const MixPart& mix) {
  auto reader = dataplane::CaptureReader::open(mix.capture);
  if (!reader) return reader.error();
  Part part;
  for (;;) {
    const auto next = reader->next();
    if (!next) return next.error();
    if (!next->has_value()) break;
    const Bytes frame = (*next)->frame;
    if (!is_whole_ipv4(frame)) continue;
    const uint32_t from = load_be32(&frame[kEthernet + 12]);
    if (part.said.empty()) part.client = from;
    part.said.push_back({{frame.begin(), frame.end()}, from == part.client ? Side::First : Side::Second});
  }
  if (part.said.empty()) return Error{"found no IPv4 packets, expected some", mix.capture};
  return part;
}

bool ManagementMix::begin(Running& running) noexcept {
  if (left_ == 0) return false;
  --left_;
  const uint32_t drawn = random_.below(parts_.back().up_to);
  const auto part =
      std::find_if(parts_.begin(), parts_.end(), [&](const Part& one) { return drawn < one.up_to; });
  running = {begun_++, static_cast<uint32_t>(part - parts_.begin()), 0};
  return true;
}

size_t ManagementMix::make(std::span<Frame> frames) noexcept {
  size_t made = 0;
  while (made < frames.size() && !running_.empty()) {
    if (at_ >= running_.size()) at_ = 0;
    Running& running = running_[at_];
    const Part& part = parts_[running.part];
    write(frames[made++], part, part.said[running.next], running.number);
    if (++running.next < part.said.size() || begin(running)) {
      ++at_;
      continue;
    }
    running = running_.back();
    running_.pop_back();
  }
  return made;
}

void ManagementMix::write(Frame& frame, const Part& part, const Said& said,
                          uint32_t conversation) const noexcept {
  std::memcpy(frame.room, said.frame.data(), said.frame.size());
  frame.length = static_cast<uint16_t>(said.frame.size());
  frame.side = said.side;
  frame.tag_at = 0;
  const bool by_client = said.side == Side::First;
  if ((frame.room[0] & 1) == 0) std::memcpy(frame.room, by_client ? kServerMac : kClientMac, 6);
  std::memcpy(frame.room + 6, by_client ? kClientMac : kServerMac, 6);

  uint8_t* ip = frame.room + kEthernet;
  const size_t header = size_t{ip[0]} % 16 * 4, length = load_be16(ip + 2) - header;
  const uint32_t from = moved(load_be32(ip + 12), part.client, conversation);
  const uint32_t to = moved(load_be32(ip + 16), part.client, conversation);
  store_be32(ip + 12, from);
  store_be32(ip + 16, to);
  set_checksum(ip, 10, 0, header);
  uint8_t* segment = ip + header;
  // After 4096 conversations the clients come again, with other ports.
  if (ip[9] == kTcp || ip[9] == kUdp) {
    uint8_t* port = segment + (by_client ? 0 : 2);
    const uint16_t other = load_be16(segment + (by_client ? 2 : 0));
    if (load_be16(port) != other)
      store_be16(port, static_cast<uint16_t>(load_be16(port) ^ (conversation / FlowEnds::kClients & 0x3ff)));
  }
  const uint64_t pseudo = pseudo_sum(from, to, ip[9], length);
  if (ip[9] == kTcp && length >= 20) set_checksum(segment, 16, pseudo, length);
  if (ip[9] == kUdp) set_checksum(segment, 6, pseudo, length);
  if (ip[9] == kIcmp) set_checksum(segment, 2, 0, length);
}

}  // namespace postern::perf
