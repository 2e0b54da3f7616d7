// SPDX-License-Identifier: Apache-2.0
#include "perf/flow_corpus.h"

#include <algorithm>
#include <filesystem>
#include <random>

#include "perf/captured_flows.h"
#include "tests/classify/datagram_samples.h"
#include "tests/classify/stream_samples.h"

namespace postern::perf {
namespace {

constexpr size_t kSegment = 1448;  // of a path with 1500 bytes and timestamps

uint16_t port_of(const Shipped& shipped, const std::string& decoder) {
  for (const classify::Signature& signature : shipped.signatures) {
    if (signature.decoder != decoder) continue;
    if (!signature.ports.empty()) return signature.ports.front().first;
    for (const classify::Application& application : shipped.applications)
      for (const classify::Member& member : application.members)
        if (application.id == signature.application && !member.ports.empty())
          return member.ports.front().first;
  }
  return FlowStart{}.server_port;
}

FlowStart sample(const Shipped& shipped, const std::string& decoder, uint8_t protocol, Direction direction,
                 const std::string& bytes) {
  FlowStart flow{.name = decoder, .protocol = protocol, .direction = direction};
  flow.server_port = port_of(shipped, decoder);
  if (protocol != classify::kTcp) flow.pieces = {bytes};
  for (size_t at = 0; protocol == classify::kTcp && at < bytes.size(); at += kSegment)
    flow.pieces.push_back(bytes.substr(at, kSegment));
  return flow;
}

}  // namespace

std::vector<FlowStart> sample_flows(const Shipped& shipped) {
  std::vector<FlowStart> flows;
  for (const classify::StreamSample& s : classify::stream_samples())
    flows.push_back(sample(shipped, s.decoder, s.protocol, s.direction, s.bytes));
  for (const classify::decoders::Sample& s : classify::decoders::samples())
    flows.push_back(sample(shipped, s.decoder, s.protocol, s.direction, s.bytes));
  std::erase_if(flows, [](const FlowStart& flow) { return flow.pieces.empty() || flow.pieces[0].empty(); });
  return flows;
}

std::vector<FlowStart> captured_flows(const std::string& folder) {
  std::vector<FlowStart> flows;
  if (!std::filesystem::is_directory(folder)) return flows;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".pcapng" || entry.path().extension() == ".pcap")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files)
    for (FlowStart& flow : flows_of_capture(file)) flows.push_back(std::move(flow));
  return flows;
}

std::vector<FlowStart> unknown_flows(size_t count) {
  std::mt19937 random(11);
  std::vector<FlowStart> flows;
  for (size_t i = 0; i < count; ++i) {
    const bool text = i % 2 != 0;
    std::string bytes(16 + random() % (kSegment - 16), ' ');
    for (char& c : bytes) c = static_cast<char>(text ? ' ' + random() % 95 : random() % 256);
    flows.push_back({.name = text ? "unknown text" : "unknown bytes",
                     .protocol = i / 2 % 2 == 0 ? classify::kTcp : classify::kUdp,
                     .direction = i / 4 % 2 == 0 ? Direction::ToServer : Direction::ToClient,
                     .pieces = {std::move(bytes)}});
  }
  return flows;
}

std::string captures_of_tests() { return POSTERN_SOURCE_ROOT "/tests/captures"; }

}  // namespace postern::perf
