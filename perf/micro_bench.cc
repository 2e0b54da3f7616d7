// SPDX-License-Identifier: Apache-2.0
// Pieces of the walk that no other program times by themselves: parse, the flow table (hit, miss, create and
// erase), ageing, streams, the swap of a policy, log records, DNS. Nanoseconds, for comparing two builds on
// one machine.
#include <benchmark/benchmark.h>
#include <rte_byteorder.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>

#include "classify/dns_message.h"
#include "control/eve.h"
#include "dataplane/eal.h"
#include "dataplane/log_ring.h"
#include "dataplane/parse.h"
#include "perf/bench_lane.h"
#include "tests/control/sample_records.h"
#include "tests/dataplane/policies.h"

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
BENCHMARK(create_and_erase)->Arg(10'000)->Arg(1'000'000)->Arg(8'000'000);

// The sweep over flows that stay: a look at every record within two seconds is what their number costs.
void age(benchmark::State& state) {
  constexpr Timestamp kBetweenCalls = 20 * kMillisecond;  // a hundredth of a sweep
  const auto flows = static_cast<uint32_t>(state.range(0));
  auto setup = dataplane::PipelineSetup::from({dataplane::Wire{}});
  setup.flows = flows;
  Sink sink;
  dataplane::Counters counters;
  std::vector<dataplane::QuestionTable> questions(1);
  dataplane::LogRing ring(64);
  dataplane::Pipeline pipeline(setup, sink, ring, counters, questions, 0);
  for (uint32_t n = 0; n < flows; ++n)
    pipeline.flows().hot(pipeline.flows().insert(key_of(n))).state = dataplane::FlowState::Established;
  classify::Policy policy = dataplane::wire_policy();
  policy.timeouts.tcp_established = 4'000'000;
  const auto snapshot = classify::compiled(std::move(policy));
  Timestamp now = kSecond;
  pipeline.age(now, *snapshot);
  for (auto _ : state) pipeline.age(now += kBetweenCalls, *snapshot);
  if (pipeline.flows().size() != flows) state.SkipWithError("a flow ended");
  state.SetItemsProcessed(state.iterations() * (flows / 100));
}
BENCHMARK(age)->Arg(10'000)->Arg(1'000'000)->Arg(8'000'000);

enum class Order { Kept, PairsSwapped };

// Segments of one direction of a stream, 32 until the receiver acknowledges them.
void stream(benchmark::State& state, Order order) {
  constexpr uint32_t kPayload = 1448;
  constexpr auto kWay = Direction::ToServer;
  dataplane::Counters counters;
  dataplane::StreamTable table({}, counters);
  Traffic traffic(order == Order::Kept ? "stream in order" : "stream swapped", 63);
  const dataplane::Tcp fields{.sequence = 1,
                              .acknowledgement = 1,
                              .flags = dataplane::kAck,
                              .options = {},
                              .payload = std::string(kPayload, 'x')};
  for (unsigned i = 0; i < kBurst; ++i)
    traffic.add(kFirstSide, tcp_frame(dataplane::ip("10.1.0.1"), dataplane::ip("10.3.0.1"), fields));
  dataplane::Stream* stream = table.open(1, 1, 1);
  table.forget_front(*stream, kWay);
  uint32_t next = 1;
  size_t scanned = 0;
  for (auto _ : state) {
    for (unsigned i = 0; i < kBurst; ++i) {
      const unsigned which = order == Order::Kept ? i : i ^ 1;
      dataplane::Slot slot;
      slot.packet = dataplane::Packet(traffic.arrivals()[which].packet);
      slot.kind = dataplane::Kind::Tcp;
      auto* header = rte_pktmbuf_mtod_offset(traffic.arrivals()[which].packet, uint8_t*, 34);
      const uint32_t sequence = rte_cpu_to_be_32(next + which * kPayload);
      std::memcpy(header + 4, &sequence, sizeof sequence);
      slot.segment = {header, 20 + kPayload};
      slot.payload = slot.segment.subspan(20);
      Bytes bytes = table.admit(*stream, slot, kWay);
      while (!bytes.empty()) {
        scanned += bytes.size();
        bytes = table.release(*stream, slot, kWay);
      }
      while (dataplane::Packet held = table.take_next(slot.released))
        benchmark::DoNotOptimize(held.release());
      benchmark::DoNotOptimize(slot.packet.release());
    }
    next += kBurst * kPayload;
    table.acknowledge(*stream, kWay, next);
  }
  if (scanned != static_cast<size_t>(state.iterations()) * kBurst * kPayload)
    state.SkipWithError("bytes are missing");
  state.SetItemsProcessed(state.iterations() * kBurst);
  state.SetBytesProcessed(static_cast<int64_t>(scanned));
}
BENCHMARK_CAPTURE(stream, in_order, Order::Kept);
BENCHMARK_CAPTURE(stream, reordered, Order::PairsSwapped);

enum class Swap { Never, BeforeEveryBurst };

// What a worker pays for another policy: each settled flow is judged anew, with its next packet.
void snapshot_swap(benchmark::State& state, Swap swap) {
  Traffic traffic(swap == Swap::Never ? "no swap" : "swap", 63);
  for (unsigned i = 0; i < kBurst; ++i)
    traffic.add(kFirstSide, dataplane::udp_frame(dataplane::ip("10.1.0.1"), dataplane::ip("10.3.0.1"),
                                                 static_cast<uint16_t>(20000 + i), 5001, "x"));
  BenchLane lane(classify::compiled(dataplane::allow_all(1)));
  auto other = classify::compiled(dataplane::allow_all(2));
  lane.pass(traffic);
  for (auto _ : state) {
    if (swap == Swap::BeforeEveryBurst) lane.take_up(other);
    lane.pass(traffic);
  }
  state.SetItemsProcessed(state.iterations() * kBurst);
}
BENCHMARK_CAPTURE(snapshot_swap, never, Swap::Never);
BENCHMARK_CAPTURE(snapshot_swap, before_every_burst, Swap::BeforeEveryBurst);

// From publication until the only reader uses nothing older: what a commit waits for. Two threads.
void snapshot_quiescence(benchmark::State& state) {
  const size_t size = rte_rcu_qsbr_get_memsize(1);
  const std::unique_ptr<rte_rcu_qsbr, void (*)(void*)> quiescence(
      static_cast<rte_rcu_qsbr*>(rte_zmalloc("quiescence", size, RTE_CACHE_LINE_SIZE)), rte_free);
  rte_rcu_qsbr_init(quiescence.get(), 1);
  const auto first = classify::compiled(dataplane::allow_all(1)),
             second = classify::compiled(dataplane::allow_all(2));
  std::atomic<const classify::PolicySnapshot*> current{first.get()};
  std::atomic<bool> stop{false}, running{false};
  std::thread worker([&] {
    rte_rcu_qsbr_thread_register(quiescence.get(), 0);
    rte_rcu_qsbr_thread_online(quiescence.get(), 0);
    running = true;
    while (!stop) {
      benchmark::DoNotOptimize(current.load(std::memory_order_acquire)->generation());
      rte_rcu_qsbr_quiescent(quiescence.get(), 0);
    }
    rte_rcu_qsbr_thread_offline(quiescence.get(), 0);
  });
  while (!running) std::this_thread::yield();
  for (auto _ : state) {
    current.store(current.load() == first.get() ? second.get() : first.get(), std::memory_order_release);
    rte_rcu_qsbr_check(quiescence.get(), rte_rcu_qsbr_start(quiescence.get()), true);
  }
  stop = true;
  worker.join();
}
BENCHMARK(snapshot_quiescence)->UseRealTime();

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

// The log thread's part: a line of JSON.
void log_line(benchmark::State& state) {
  const control::Sample sample;
  control::EveFormatter formatter(sample.names, "rack12");
  const dataplane::LogRecord record = sample.https();
  size_t bytes = 0;
  for (auto _ : state) bytes += formatter.line(record).size();
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}
BENCHMARK(log_line);

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
