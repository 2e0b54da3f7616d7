// SPDX-License-Identifier: Apache-2.0
#include "perf/captured_flows.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <tuple>

#include "classify/port_range.h"
#include "dataplane/capture_reader.h"
#include "dataplane/tcp_flags.h"

namespace postern::perf {
namespace {

constexpr size_t kMostPieces = 64;

struct Heard {  // one packet, down to its payload
  uint8_t protocol = 0;
  IpAddress source{}, destination{};
  uint16_t source_port = 0, destination_port = 0;
  uint32_t sequence = 0;
  uint8_t tcp_flags = 0;
  Bytes payload;
};

// The transport's bytes; none: neither IPv4 nor IPv6 without further headers, or a fragment.
std::optional<Bytes> transport_of(Bytes frame, Heard& heard) {
  ByteReader in(frame);
  in.skip(12);
  uint16_t type = in.be16();
  while (type == 0x8100 || type == 0x88a8) {
    in.skip(2);
    type = in.be16();
  }
  const Bytes packet = in.rest();
  if (type == 0x0800 && packet.size() >= 20) {
    const size_t header = size_t{packet[0]} % 16 * 4, total = load_be16(&packet[2]);
    if ((load_be16(&packet[6]) & 0x3fff) != 0 || total < header || packet.size() < total) return {};
    heard.protocol = packet[9];
    heard.source = IpAddress::from_v4(&packet[12]);
    heard.destination = IpAddress::from_v4(&packet[16]);
    return packet.subspan(header, total - header);
  }
  if (type != 0x86dd || packet.size() < 40) return {};
  const size_t length = load_be16(&packet[4]);
  if (packet.size() < 40 + length) return {};
  heard.protocol = packet[6];
  std::copy_n(&packet[8], 16, heard.source.bytes.begin());
  std::copy_n(&packet[24], 16, heard.destination.bytes.begin());
  return packet.subspan(40, length);
}

std::optional<Heard> heard_of(Bytes frame) {
  Heard heard;
  const auto transport = transport_of(frame, heard);
  if (!transport) return {};
  const Bytes bytes = *transport;
  if (heard.protocol == classify::kIcmp || heard.protocol == classify::kIcmpV6) {
    heard.payload = bytes;
    return heard;
  }
  const bool tcp = heard.protocol == classify::kTcp;
  if ((!tcp && heard.protocol != classify::kUdp) || bytes.size() < (tcp ? 20u : 8u)) return {};
  heard.source_port = load_be16(&bytes[0]);
  heard.destination_port = load_be16(&bytes[2]);
  const size_t header = tcp ? size_t{bytes[12]} / 16 * 4 : 8;
  if (bytes.size() < header) return {};
  if (tcp) {
    heard.sequence = load_be32(&bytes[4]);
    heard.tcp_flags = bytes[13];
  }
  heard.payload = bytes.subspan(header);
  return heard;
}

struct Talk {
  FlowStart halves[2];  // by Direction
  std::optional<uint32_t> next[2];
};

class Talks {
 public:
  explicit Talks(std::string name) : name_(std::move(name)) {}

  void hear(const Heard& heard) {
    const auto forth = std::tuple(heard.protocol, heard.source.bytes, heard.source_port,
                                  heard.destination.bytes, heard.destination_port);
    const auto back = std::tuple(heard.protocol, heard.destination.bytes, heard.destination_port,
                                 heard.source.bytes, heard.source_port);
    const bool answer = talks_.contains(back);
    const auto [at, is_new] = talks_.try_emplace(answer ? back : forth);
    if (is_new) start(at->second, heard);
    const auto direction = static_cast<size_t>(answer);
    add(at->second.halves[direction], at->second.next[direction], heard);
  }
  std::vector<FlowStart> take() {
    std::vector<FlowStart> out;
    for (auto& [key, talk] : talks_)
      for (FlowStart& half : talk.halves)
        if (!half.pieces.empty()) out.push_back(std::move(half));
    return out;
  }

 private:
  void start(Talk& talk, const Heard& heard) const {
    for (const Direction direction : {Direction::ToServer, Direction::ToClient})
      talk.halves[static_cast<size_t>(direction)] = {.name = name_,
                                                     .protocol = heard.protocol,
                                                     .client_port = heard.source_port,
                                                     .server_port = heard.destination_port,
                                                     .server = heard.destination,
                                                     .direction = direction,
                                                     .pieces = {}};
  }
  static void add(FlowStart& half, std::optional<uint32_t>& next, const Heard& heard) {
    if ((heard.tcp_flags & dataplane::kSyn) != 0) next = heard.sequence + 1;
    if (heard.payload.empty() || half.pieces.size() == kMostPieces) return;
    if (heard.protocol == classify::kTcp) {
      if (!next || *next != heard.sequence) return;
      *next += static_cast<uint32_t>(heard.payload.size());
    }
    half.pieces.emplace_back(as_text(heard.payload));
  }

  std::string name_;
  std::map<std::tuple<uint8_t, std::array<uint8_t, 16>, uint16_t, std::array<uint8_t, 16>, uint16_t>, Talk>
      talks_;
};

}  // namespace

std::vector<FlowStart> flows_of_capture(const std::string& file) {
  auto reader = must(dataplane::CaptureReader::open(file));
  Talks talks(std::filesystem::path(file).stem());
  while (const auto frame = must(reader.next()))
    if (const auto heard = heard_of(frame->frame)) talks.hear(*heard);
  return talks.take();
}

}  // namespace postern::perf
