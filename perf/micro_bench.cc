// SPDX-License-Identifier: Apache-2.0
// Pieces of the walk that no other program times by themselves: parse, the flow table (hit, miss, create and
// erase), a log record, DNS. Nanoseconds, for comparing two builds on one machine.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>

#include "classify/dns_message.h"
#include "dataplane/eal.h"
#include "dataplane/log_ring.h"
#include "dataplane/parse.h"
#include "perf/bench_lane.h"

namespace postern::perf {
namespace {

using dataplane::Burst, dataplane::FlowKey, dataplane::FlowTable;

constexpr unsigned kBurst = 32;

FlowKey key_of(uint32_t n) {
  const uint8_t client[4] = {10, static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 8),
                             static_cast<uint8_t>(n)};
  FlowKey key;
  key.address[0] = IpAddress::from_v4(client);
  key.address[1] = dataplane::ip("10.3.0.1");
  key.port[0] = static_cast<uint16_t>(n % 50021);
  key.port[1] = 443;
  key.protocol = classify::kTcp;
  return key;
}

enum class Sums { ByPort, BySoftware };

void parse(benchmark::State& state, Sums sums) {
  const auto setup = dataplane::PipelineSetup::from({dataplane::Wire{}});
  dataplane::Counters counters;
  dataplane::FragmentTable fragments(setup.fragments, counters);
  dataplane::Parser parser(setup.wires, fragments);
  Traffic traffic(sums == Sums::ByPort ? "parse by port" : "parse by software", 63);
  const dataplane::Tcp fields{.source_port = 20000,
                              .destination_port = 443,
                              .sequence = 1,
                              .acknowledgement = 1,
                              .flags = dataplane::kAck,
                              .options = {},
                              .payload = std::string(6, 'x')};
  for (unsigned i = 0; i < kBurst; ++i)
    traffic.add(kFirstSide, tcp_frame(dataplane::ip("10.1.0.1"), dataplane::ip("10.3.0.1"), fields));
  for (const Traffic::Arrival& arrival : traffic.arrivals())
    if (sums == Sums::ByPort)
      arrival.packet->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
  const auto burst = std::make_unique<Burst>();
  for (auto _ : state) {
    for (const Traffic::Arrival& arrival : traffic.arrivals())
      burst->add(dataplane::Packet(arrival.packet), arrival.port);
    parser.run(*burst, {});
    if ((*burst)[kBurst - 1].kind != dataplane::Kind::Tcp) state.SkipWithError("a frame did not parse");
    for (unsigned i = 0; i < kBurst; ++i) benchmark::DoNotOptimize(burst->take(i).release());
    burst->clear();
  }
  state.SetItemsProcessed(state.iterations() * kBurst);
}
BENCHMARK_CAPTURE(parse, sums_by_port, Sums::ByPort);
BENCHMARK_CAPTURE(parse, sums_by_software, Sums::BySoftware);

enum class Lookup { Hit, Miss };

void lookup(benchmark::State& state, Lookup kind) {
  const auto flows = static_cast<uint32_t>(state.range(0));
  FlowTable table(flows + flows / 8, 7);
  for (uint32_t n = 0; n < flows; ++n) table.insert(key_of(n));
  std::mt19937 random(5);
  std::vector<Burst> bursts(1024);
  for (Burst& burst : bursts)
    for (unsigned i = 0; i < kBurst; ++i) {
      burst.add(dataplane::Packet(), kFirstSide);
      burst[i].kind = dataplane::Kind::Tcp;
      burst[i].key = key_of(static_cast<uint32_t>(random() % flows));
      if (kind == Lookup::Miss) burst[i].key.port[1] = 80;
    }
  size_t at = 0;
  for (auto _ : state) {
    Burst& burst = bursts[at++ % bursts.size()];
    table.find(burst);
    if ((burst[0].flow == dataplane::kNoFlow) != (kind == Lookup::Miss))
      state.SkipWithError("another answer");
  }
  state.SetItemsProcessed(state.iterations() * kBurst);
}
BENCHMARK_CAPTURE(lookup, hit, Lookup::Hit)->Arg(10'000)->Arg(1'000'000)->Arg(8'000'000);
BENCHMARK_CAPTURE(lookup, miss, Lookup::Miss)->Arg(10'000)->Arg(1'000'000)->Arg(8'000'000);

// The oldest of `range` flows goes, a new one comes.
void create_and_erase(benchmark::State& state) {
  const auto flows = static_cast<uint32_t>(state.range(0));
  FlowTable table(flows + flows / 8, 7);
  std::vector<uint32_t> records(flows);
  for (uint32_t n = 0; n < flows; ++n) records[n] = table.insert(key_of(n));
  uint32_t next = flows;
  for (auto _ : state) {
    uint32_t& record = records[next % flows];
    table.erase(record);
    record = table.insert(key_of(next++ & 0xffffff));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(create_and_erase)->Arg(10'000)->Arg(1'000'000);

void log_record(benchmark::State& state) {
  dataplane::LogRing ring(1024);
  std::array<dataplane::LogEvent, 64> read;
  dataplane::LogRecord record;
  record.kind = dataplane::RecordKind::FlowEnd;
  for (auto _ : state) {
    for (unsigned i = 0; i < kBurst; ++i) benchmark::DoNotOptimize(ring.push(record));
    benchmark::DoNotOptimize(ring.read(read));
  }
  state.SetItemsProcessed(state.iterations() * kBurst);
}
BENCHMARK(log_record);

void dns_decode(benchmark::State& state) {
  static constexpr std::string_view kQuery(
      "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"
      "example\x03"
      "com\x00\x00\x01\x00\x01",
      33);
  for (auto _ : state)
    benchmark::DoNotOptimize(classify::is_dns_datagram(as_bytes(kQuery), classify::DnsRole::Query));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(dns_decode);

}  // namespace
}  // namespace postern::perf

int main(int count, char** words) {
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
  if (!postern::dataplane::start_eal({.workers = 0, .cores = {}, .pci_devices = {}, .memory = 64u << 20}))
    return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
