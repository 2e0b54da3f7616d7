// SPDX-License-Identifier: Apache-2.0
// How much of a flow the engine must see before it answers: per application, layer and sender the bytes (fed
// one by one; of datagrams: those that came whole) and the packets with payload, least, median and most of
// the corpus.
//   verdict_cost [--captures FOLDER] [--json FILE]
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "perf/flow_corpus.h"

namespace postern::perf {
namespace {

struct Cost {
  AppId application = kApplicationPending;  // pending: no answer from these bytes
  size_t bytes = 0, packets = 0;
};

class Meter {
 public:
  explicit Meter(const Shipped& shipped)
      : engine_(engine_of(shipped.signatures, shipped.applications)),
        scratch_(must(engine_.make_scratch())) {}

  Cost cost_of(const FlowStart& flow) {
    return flow.protocol == classify::kTcp ? of_stream(flow) : of_datagrams(flow);
  }

 private:
  AppId answer(const FlowStart& flow, const std::string& seen) {
    return engine_.identify(flow.evidence(as_bytes(seen)), scratch_).application;
  }
  Cost of_datagrams(const FlowStart& flow) {
    Cost cost;
    for (const std::string& piece : flow.pieces) {
      cost.bytes += piece.size();
      ++cost.packets;
      cost.application = answer(flow, piece);
      if (cost.application != kApplicationPending) break;
    }
    return cost;
  }
  // By segments the answer may come later than its last byte, and may be another one: that of the segments
  // is what the data path gives, so it names the row.
  Cost of_stream(const FlowStart& flow) {
    Cost cost;
    std::string seen;
    for (const std::string& piece : flow.pieces) {
      seen += piece;
      ++cost.packets;
      cost.application = answer(flow, seen);
      if (cost.application != kApplicationPending) break;
    }
    for (cost.bytes = 1; cost.bytes < seen.size(); ++cost.bytes)
      if (answer(flow, seen.substr(0, cost.bytes)) != kApplicationPending) break;
    return cost;
  }

  classify::ApplicationEngine engine_;
  classify::ScanScratch scratch_;
};

struct Spread {
  std::vector<size_t> values;
  void sort() { std::sort(values.begin(), values.end()); }
  size_t least() const { return values.front(); }
  size_t median() const { return values[values.size() / 2]; }
  size_t most() const { return values.back(); }
  std::string text() const {
    return std::to_string(least()) + " " + std::to_string(median()) + " " + std::to_string(most());
  }
  nlohmann::json json() const { return {{"least", least()}, {"median", median()}, {"most", most()}}; }
};

struct Row {
  Spread bytes, packets;
};
using Rows = std::map<std::tuple<std::string, std::string, std::string>, Row>;  // application, layer, sender

std::string layer_of(uint8_t protocol) {
  if (protocol == classify::kTcp) return "tcp";
  return protocol == classify::kUdp ? "udp" : "icmp";
}

Rows rows_of(const std::vector<FlowStart>& flows, const Shipped& shipped) {
  Rows rows;
  Meter meter(shipped);
  for (const FlowStart& flow : flows) {
    const Cost cost = meter.cost_of(flow);
    const bool none = cost.application == kApplicationPending;
    Row& row = rows[{none ? "(no answer yet)" : shipped.names->application_name(cost.application),
                     layer_of(flow.protocol), flow.direction == Direction::ToServer ? "client" : "server"}];
    row.bytes.values.push_back(cost.bytes);
    row.packets.values.push_back(cost.packets);
  }
  for (auto& [key, row] : rows) {
    row.bytes.sort();
    row.packets.sort();
  }
  return rows;
}

void print(const Rows& rows) {
  std::printf("%-22s %-5s %-7s %5s  %-18s %s\n", "application", "layer", "sender", "flows",
              "bytes least median most", "packets least median most");
  for (const auto& [key, row] : rows)
    std::printf("%-22s %-5s %-7s %5zu  %-23s %s\n", std::get<0>(key).c_str(), std::get<1>(key).c_str(),
                std::get<2>(key).c_str(), row.bytes.values.size(), row.bytes.text().c_str(),
                row.packets.text().c_str());
}

bool write(const Rows& rows, const char* file) {
  nlohmann::json all = nlohmann::json::array();
  for (const auto& [key, row] : rows)
    all.push_back({{"application", std::get<0>(key)},
                   {"layer", std::get<1>(key)},
                   {"sender", std::get<2>(key)},
                   {"flows", row.bytes.values.size()},
                   {"bytes", row.bytes.json()},
                   {"packets", row.packets.json()}});
  std::ofstream out(file);
  out << nlohmann::json{{"verdict_cost", all}}.dump(1) << "\n";
  return out.good();
}

}  // namespace
}  // namespace postern::perf

int main(int count, char** words) {
  using namespace postern::perf;
  std::string captures = captures_of_tests();
  const char* json = nullptr;
  int at = 1;
  for (; at + 1 < count; at += 2) {
    if (std::strcmp(words[at], "--captures") == 0)
      captures = words[at + 1];
    else if (std::strcmp(words[at], "--json") == 0)
      json = words[at + 1];
    else
      break;
  }
  if (at < count) {
    std::fprintf(stderr, "usage: verdict_cost [--captures FOLDER] [--json FILE]\n");
    return 2;
  }
  const Shipped catalogue = shipped();
  std::vector<FlowStart> flows = sample_flows(catalogue);
  for (FlowStart& flow : captured_flows(captures)) flows.push_back(std::move(flow));
  const Rows rows = rows_of(flows, catalogue);
  print(rows);
  if (json == nullptr || write(rows, json)) return 0;
  std::fprintf(stderr, "verdict_cost: cannot write %s\n", json);
  return 1;
}
