// SPDX-License-Identifier: Apache-2.0
// Flows through the whole pipeline of one worker in memory (perf/bench_lane.h), in turns (perf/pairs.h)
// against the same traffic under a policy without signatures that admits any application. `ratio`: the
// throughput with recognition over that without.
//   new/...      flows that open, are recognised and end, all their packets and their aging included
//   settled/...  packets of flows that owe nothing any more; `midstream`: against flows that were never
//   looked at flow_bench
#include <benchmark/benchmark.h>

#include "dataplane/eal.h"
#include "perf/bench_lane.h"
#include "perf/pairs.h"
#include "perf/shipped.h"
#include "tests/classify/tls_hello_builder.h"
#include "tests/dataplane/policies.h"

namespace postern::perf {
namespace {

using dataplane::Octets;

constexpr unsigned kFlowsOfPass = 1024;
constexpr std::string_view kDnsQuery(
    "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"
    "example\x03"
    "com"
    "\x00\x00\x01\x00\x01",
    33);
constexpr std::string_view kDnsAnswer(
    "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03www\x07"
    "example\x03"
    "com"
    "\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x00\x00\x04\x0a\x01\x02\x03",
    49);

struct Talk {
  const char* application;
  uint8_t protocol;
  uint16_t port;
  std::string question, answer;
};

// TLS 1.3: all that a server shows before it encrypts.
std::string server_hello() {
  using classify::hex;
  const std::string extensions = classify::extension(43, hex("0304"));
  const std::string body = hex("0303") + std::string(32, 'r') + hex("20") + std::string(32, 's') +
                           hex("1301 00") + classify::be16(extensions.size()) + extensions;
  return classify::record(hex("02") + classify::be24(body.size()) + body) + hex("140303 0001 01") +
         hex("170303 0040") + std::string(64, 'c');
}

// Each with the application that a rule names.
std::vector<Talk> talks() {
  const std::string request =
      "GET /redfish/v1/Systems HTTP/1.1\r\nHost: bmc.example\r\nUser-Agent: curl/7.88.1\r\nAccept: "
      "*/*\r\n\r\n";
  return {{"tls", classify::kTcp, 443, classify::usual_hello(), server_hello()},
          {"redfish_read", classify::kTcp, 80, request, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
          {"dns", classify::kUdp, 53, std::string(kDnsQuery), std::string(kDnsAnswer)}};
}

// Frames of one conversation; flows differ in address and port of the client.
class Ends {
 public:
  Ends(const Talk& talk, unsigned flow)
      : talk_(talk), client_(client_address(flow)), client_port_(static_cast<uint16_t>(20000 + flow)) {}

  Octets segment(Side from, uint8_t flags, uint32_t sent, uint32_t received, const std::string& data) const {
    const bool by_client = from == Side::First;
    const uint32_t own = by_client ? 1000 : 5000, others = by_client ? 5000 : 1000;
    const dataplane::Tcp fields{.source_port = by_client ? client_port_ : talk_.port,
                                .destination_port = by_client ? talk_.port : client_port_,
                                .sequence = own + sent,
                                .acknowledgement = (flags & dataplane::kAck) != 0 ? others + received : 0,
                                .flags = flags,
                                .options = {},
                                .payload = data};
    return by_client ? tcp_frame(client_, server_, fields) : tcp_frame(server_, client_, fields);
  }
  Octets datagram(Side from, const std::string& data) const {
    return from == Side::First ? dataplane::udp_frame(client_, server_, client_port_, talk_.port, data)
                               : dataplane::udp_frame(server_, client_, talk_.port, client_port_, data);
  }

 private:
  static IpAddress client_address(unsigned flow) {
    const uint8_t bytes[4] = {10, 1, static_cast<uint8_t>(1 + flow / 250),
                              static_cast<uint8_t>(1 + flow % 250)};
    return IpAddress::from_v4(bytes);
  }
  const Talk& talk_;
  IpAddress client_, server_ = dataplane::ip("10.3.0.1");
  uint16_t client_port_;
};

struct Step {
  Side from;
  uint8_t flags;
  uint32_t sent, received;
  std::string data;
};

using dataplane::kAck, dataplane::kFin, dataplane::kPsh, dataplane::kSyn;

std::vector<Step> opening(const Talk& talk) {
  const auto asked = static_cast<uint32_t>(talk.question.size()),
             told = static_cast<uint32_t>(talk.answer.size());
  if (talk.protocol == classify::kUdp)
    return {{Side::First, 0, 0, 0, talk.question}, {Side::Second, 0, 0, 0, talk.answer}};
  return {{Side::First, kSyn, 0, 0, ""},
          {Side::Second, kSyn | kAck, 0, 1, ""},
          {Side::First, kAck, 1, 1, ""},
          {Side::First, kAck | kPsh, 1, 1, talk.question},
          {Side::Second, kAck | kPsh, 1, 1 + asked, talk.answer},
          {Side::First, kAck, 1 + asked, 1 + told, ""}};
}

std::vector<Step> closing(const Talk& talk) {
  const auto asked = static_cast<uint32_t>(talk.question.size()),
             told = static_cast<uint32_t>(talk.answer.size());
  if (talk.protocol == classify::kUdp) return {};
  return {{Side::First, kAck | kFin, 1 + asked, 1 + told, ""},
          {Side::Second, kAck | kFin, 1 + told, 2 + asked, ""},
          {Side::First, kAck, 2 + asked, 2 + told, ""}};
}

// What a settled flow goes on with, over and over: data and its acknowledgement.
std::vector<Step> steady(const Talk& talk) {
  const auto asked = static_cast<uint32_t>(talk.question.size()),
             told = static_cast<uint32_t>(talk.answer.size());
  if (talk.protocol == classify::kUdp) return opening(talk);
  return {{Side::First, kAck | kPsh, 1 + asked, 1 + told, std::string(64, 'x')},
          {Side::Second, kAck, 1 + told, 1 + asked + 64, ""}};
}

// Step by step, every flow takes its step before the next one comes.
void add(Traffic& traffic, const Talk& talk, const std::vector<Step>& steps) {
  for (const Step& step : steps)
    for (unsigned flow = 0; flow < kFlowsOfPass; ++flow) {
      const Ends ends(talk, flow);
      const auto port = step.from == Side::First ? kFirstSide : kSecondSide;
      traffic.add(port, talk.protocol == classify::kUdp
                            ? ends.datagram(step.from, step.data)
                            : ends.segment(step.from, step.flags, step.sent, step.received, step.data));
    }
}

enum class Recognition { Whole, None };

std::unique_ptr<const classify::PolicySnapshot> policy(const Talk& talk, Recognition recognition) {
  Shipped catalogue = shipped();
  classify::Policy policy = dataplane::wire_policy();
  const bool whole = recognition == Recognition::Whole;
  policy.applications = std::move(catalogue.applications);
  if (whole) policy.signatures = std::move(catalogue.signatures);
  policy.workers = 1;
  policy.exceptions.midstream = classify::ExceptionAction::Bypass;
  dataplane::add_wire_rule(policy, Action::Allow,
                           catalogue.names->application(whole ? talk.application : "any_application"));
  return classify::compiled(std::move(policy));
}

void report(benchmark::State& state, const Pairs& pairs, const char* unit, double count) {
  state.counters[std::string(unit) + "_per_s"] = count / pairs.seconds_of_ours();
  state.counters[std::string("ns_per_") + unit] = pairs.seconds_of_ours() * 1e9 / count;
  state.counters["yardstick_ns"] = pairs.seconds_of_yardstick() * 1e9 / count;
  state.counters["ratio"] = pairs.ratio();
  state.counters["least"] = pairs.least();
  state.counters["most"] = pairs.most();
}

void new_flows(benchmark::State& state, const Talk& talk) {
  Traffic traffic("new flows", 16383);
  add(traffic, talk, opening(talk));
  add(traffic, talk, closing(talk));
  BenchLane with(policy(talk, Recognition::Whole)), without(policy(talk, Recognition::None));
  const auto turn = [&traffic](BenchLane& lane) {
    lane.pass(traffic);
    lane.end_flows();
  };
  const auto ours = [&] { turn(with); };
  const auto yardstick = [&] { turn(without); };
  Pairs pairs;
  const size_t rounds = std::max(Pairs::rounds_of(ours), Pairs::rounds_of(yardstick));
  for (auto _ : state) state.SetIterationTime(pairs.measure(ours, yardstick, rounds));
  state.counters["packets_per_flow"] = static_cast<double>(traffic.arrivals().size()) / kFlowsOfPass;
  report(state, pairs, "flow", kFlowsOfPass);
}

enum class Against { Unrecognised, Midstream };

void settled_flows(benchmark::State& state, const Talk& talk, Against against) {
  Traffic start("opening", 16383), traffic("settled", 4095);
  add(start, talk, opening(talk));
  add(traffic, talk, steady(talk));
  BenchLane with(policy(talk, Recognition::Whole)), without(policy(talk, Recognition::None));
  with.pass(start);
  if (against == Against::Unrecognised) without.pass(start);
  const auto ours = [&] { with.pass(traffic); };
  const auto yardstick = [&] { without.pass(traffic); };
  Pairs pairs;
  const size_t rounds = std::max(Pairs::rounds_of(ours), Pairs::rounds_of(yardstick));
  if (with.settled() != kFlowsOfPass || without.settled() != kFlowsOfPass) {
    std::fprintf(stderr, "%s: %u and %u flows owe nothing, expected %u\n", talk.application, with.settled(),
                 without.settled(), kFlowsOfPass);
    std::exit(1);
  }
  for (auto _ : state) state.SetIterationTime(pairs.measure(ours, yardstick, rounds));
  report(state, pairs, "packet", static_cast<double>(traffic.arrivals().size()));
}

template <typename Run>
void add_benchmark(const std::string& name, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), run)
      ->Iterations(Pairs::kPairs)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace
}  // namespace postern::perf

int main(int count, char** words) {
  using namespace postern::perf;
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
  must(postern::dataplane::start_eal({.workers = 0, .cores = {}, .pci_devices = {}, .memory = 256u << 20}));
  const std::vector<Talk> all = talks();
  for (const Talk& talk : all)
    add_benchmark(std::string("new/") + talk.application,
                  [&talk](benchmark::State& state) { new_flows(state, talk); });
  // Connections with requests never settle under such a rule: the next one may be another application.
  for (const Talk& talk : all) {
    if (std::string_view(talk.application) == "redfish_read") continue;
    add_benchmark(std::string("settled/") + talk.application,
                  [&talk](benchmark::State& state) { settled_flows(state, talk, Against::Unrecognised); });
  }
  add_benchmark("settled/tls_midstream",
                [&all](benchmark::State& state) { settled_flows(state, all[0], Against::Midstream); });
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
