// SPDX-License-Identifier: Apache-2.0
#include "perf/memory_traffic.h"

#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <numeric>
#include <random>
#include <sstream>

namespace postern::perf {
namespace {

constexpr size_t kIp = 14, kTransport = 34;
constexpr uint32_t kTogether = 32;       // flows that take a step before any takes the next one
constexpr size_t kShortestLoop = 16384;  // frames per port
constexpr uint32_t kClients = 4096, kServers = 251, kFirstPort = 20000;
constexpr uint8_t kEpochs = 60;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "memory ports: %s\n", what.c_str());
  std::_Exit(3);
}

std::vector<uint8_t> from_hex(const std::string& text) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

uint32_t client_of(uint32_t flow) { return (10u << 24 | 64u << 16) + 256 + flow % kClients; }
uint32_t server_of(uint32_t flow) { return (10u << 24 | 4u << 16) + 1 + flow % kServers; }
uint16_t port_of(uint32_t flow) { return static_cast<uint16_t>(kFirstPort + flow / kClients); }

// Flows by rank, the first as often as all others of Zipf's law with exponent 1 allow.
class Draw {
 public:
  Draw(uint32_t flows, bool zipf) : flows_(flows) {
    if (!zipf) return;
    double sum = 0;
    for (uint32_t i = 0; i < flows; ++i) below_.push_back(sum += 1.0 / (i + 1));
  }
  uint32_t operator()(std::mt19937_64& random) {
    if (below_.empty()) return static_cast<uint32_t>(random() % flows_);
    const double at = std::uniform_real_distribution<double>(0, below_.back())(random);
    const auto found = std::upper_bound(below_.begin(), below_.end(), at);
    const auto rank = static_cast<uint64_t>(std::min<ptrdiff_t>(found - below_.begin(), flows_ - 1));
    // Neighbours in rank are no neighbours in memory.
    return static_cast<uint32_t>(rank * 2'654'435'761u % flows_);
  }

 private:
  uint32_t flows_;
  std::vector<double> below_;
};

}  // namespace

MemoryTraffic::MemoryTraffic(const std::string& path) {
  read(path);
  if (flows_ == 0) fail(path + ": no line \"flows N\"");
  if (loop_.empty() == fresh_.empty()) fail(path + ": expected lines of loop or raw, or lines of fresh");
  if (fresh_.empty()) make_loops();
  in_turn_ = !fresh_.empty();
  if (open_.empty()) flow_ = flows_;
  if (opened() && in_turn_) make_fresh();
}

void MemoryTraffic::read(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail(path + ": cannot be opened");
  std::string line, word, hex;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    words >> word;
    if (word == "flows") {
      words >> flows_;
      continue;
    }
    if (word == "draw") {
      words >> hex;
      zipf_ = hex == "zipf";
      continue;
    }
    unsigned port = 0, weight = 1;
    words >> port;
    if (word == "loop" || word == "raw") words >> weight;
    words >> hex;
    Template made{static_cast<uint8_t>(port & 1), FrameKind::Raw, weight, from_hex(hex)};
    if (!words || made.bytes.size() < kTransport) fail(path + ": found \"" + line.substr(0, 40) + "\"");
    if (word != "raw") made.kind = made.bytes[kIp + 9] == 6 ? FrameKind::Tcp : FrameKind::Udp;
    (word == "open" ? open_ : word == "fresh" ? fresh_ : loop_).push_back(std::move(made));
  }
}

void MemoryTraffic::add(Part& part, const Template& frame, uint32_t flow) const {
  // Slots of whole cache lines, so that a short frame may be copied as one.
  const size_t offset = part.bytes.size();
  part.bytes.resize(offset + (frame.bytes.size() + 63) / 64 * 64);
  uint8_t* bytes = &part.bytes[offset];
  std::memcpy(bytes, frame.bytes.data(), frame.bytes.size());
  part.entries.push_back({static_cast<uint32_t>(offset / 64), static_cast<uint16_t>(frame.bytes.size()),
                          frame.port, frame.kind});
  if (frame.kind == FrameKind::Raw) return;
  auto* ip = reinterpret_cast<rte_ipv4_hdr*>(bytes + kIp);
  const uint32_t client = rte_cpu_to_be_32(client_of(flow)), server = rte_cpu_to_be_32(server_of(flow));
  ip->src_addr = frame.port == 0 ? client : server;
  ip->dst_addr = frame.port == 0 ? server : client;
  ip->hdr_checksum = 0;
  ip->hdr_checksum = rte_ipv4_cksum(ip);
  const uint16_t port = rte_cpu_to_be_16(port_of(flow));
  std::memcpy(bytes + kTransport + (frame.port == 0 ? 0 : 2), &port, 2);
  if (frame.kind == FrameKind::Tcp) {
    auto* tcp = reinterpret_cast<rte_tcp_hdr*>(bytes + kTransport);
    tcp->cksum = 0;
    tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
  } else {
    auto* udp = reinterpret_cast<rte_udp_hdr*>(bytes + kTransport);
    udp->dgram_cksum = 0;
    udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
  }
}

void MemoryTraffic::make_loops() {
  std::mt19937_64 random(7);
  Draw draw(flows_, zipf_);
  const size_t length = std::max<size_t>(2 * size_t{flows_}, kShortestLoop);
  for (uint8_t port = 0; port < 2; ++port) {
    std::vector<const Template*> by_weight;
    for (const Template& frame : loop_)
      if (frame.port == port) by_weight.insert(by_weight.end(), frame.weight, &frame);
    if (by_weight.empty()) continue;
    for (size_t i = 0; i < length; ++i)
      add(loops_[port], *by_weight[random() % by_weight.size()], draw(random));
  }
}

void MemoryTraffic::make_fresh() {
  sequence_ = {};
  for (uint32_t flow = 0; flow < flows_; flow += kTogether)
    for (const Template& step : fresh_)
      for (uint32_t i = 0; i < kTogether; ++i) add(sequence_, step, flow + i);
}

void MemoryTraffic::open_some() {
  sequence_ = {};
  const uint32_t end = std::min(flow_ + kTogether, flows_);
  for (const Template& step : open_)
    for (uint32_t flow = flow_; flow < end; ++flow) add(sequence_, step, flow);
}

uint16_t MemoryTraffic::ready(uint8_t port, uint16_t most) noexcept {
  if (opened() && !in_turn_) {
    Part& part = loops_[port];
    if (part.at == part.entries.size()) part.at = 0;
    return static_cast<uint16_t>(std::min<size_t>(most, part.entries.size() - part.at));
  }
  if (!opened() && sequence_.entries.empty()) open_some();
  if (sequence_.at == sequence_.entries.size()) {
    if (opened()) {
      epoch_ = static_cast<uint8_t>((epoch_ + 1) % kEpochs);
    } else {
      flow_ = std::min(flow_ + kTogether, flows_);
      if (opened() && !in_turn_) return ready(port, most);
      opened() ? make_fresh() : open_some();
    }
    sequence_.at = 0;
  }
  uint16_t count = 0;
  for (size_t at = sequence_.at; at < sequence_.entries.size() && count < most; ++at, ++count)
    if (sequence_.entries[at].port != port) break;
  return count;
}

}  // namespace postern::perf
