// SPDX-License-Identifier: Apache-2.0
// What a flow may take of a worker's memory, and how much of it there is for all flows together.
//   memory_table [FILE]   (JSON, besides the table)
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "dataplane/pipeline.h"

namespace postern::perf {
namespace {

struct Line {
  const char* what;
  size_t each, count;  // bytes; how many at most
};

void print(const char* title, const std::vector<Line>& lines) {
  std::printf("%s\n", title);
  size_t sum = 0;
  for (const Line& line : lines) {
    std::printf("  %-52s %8zu x %-8zu = %12zu bytes\n", line.what, line.each, line.count,
                line.each * line.count);
    sum += line.each * line.count;
  }
  std::printf("  %-52s %23s %12zu bytes\n\n", "together", "=", sum);
}

nlohmann::json json_of(const std::vector<Line>& lines) {
  nlohmann::json all = nlohmann::json::array();
  for (const Line& line : lines)
    all.push_back({{"what", line.what}, {"bytes", line.each}, {"most", line.count}});
  return all;
}

}  // namespace
}  // namespace postern::perf

int main(int count, char** words) {
  using namespace postern;
  using namespace postern::perf;
  const dataplane::StreamLimits limits;
  const dataplane::PipelineSetup setup;
  const size_t record = sizeof(dataplane::FlowHot) + sizeof(dataplane::FlowCold);
  const size_t block = dataplane::ByteStore::kBlock, buffer = RTE_MBUF_DEFAULT_BUF_SIZE;
  const size_t tls = sizeof(classify::TlsFacts), http = sizeof(profiles::HttpRequests),
               quic = sizeof(tls::QuicInitial);
  const std::vector<Line> flow = {
      {"record of every flow, hot and cold", record, 1},
      {"a stream, while its bytes are put in order", sizeof(dataplane::Stream), 1},
      {"the largest reader: TLS, HTTP or QUIC", std::max({tls, http, quic}), 1},
      {"packet buffers behind gaps, both directions", buffer, size_t{2} * limits.held_per_flow},
      {"blocks not acknowledged yet: no limit but the worker's", block, limits.blocks}};
  const std::vector<Line> worker = {
      {"flow records", record, setup.flows},
      {"streams", sizeof(dataplane::Stream), limits.streams},
      {"readers of TLS handshakes", tls, limits.tls},
      {"readers of HTTP", http, limits.http},
      {"readers of QUIC", quic, limits.quic},
      {"packet buffers behind gaps", buffer, limits.held},
      {"blocks for bytes that were not acknowledged yet", block, limits.blocks}};
  print("One flow in inspection takes at most", flow);
  print("One worker with the limits it starts with takes at most", worker);
  if (count < 2) return 0;
  std::ofstream out(words[1]);
  out << nlohmann::json{{"flow", json_of(flow)}, {"worker", json_of(worker)}}.dump(1) << "\n";
  return out.good() ? 0 : 1;
}
