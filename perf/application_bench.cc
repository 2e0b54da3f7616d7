// SPDX-License-Identifier: Apache-2.0
// The application engine against Hyperscan on the same patterns and first bytes of flows, in one run, in
// turns (perf/pairs.h). `ratio` is the throughput of the engine over that of the yardstick: median of the
// pairs, with least and most. Three questions, in the names of the benchmarks:
//   same_work     signatures with a pattern, their decoders taken out, against a bare hs_scan: what finding
//   the
//                 answer among the matches costs
//   with_decoders the whole engine against hs_scan and a call of every decoder that is due
//   whole         the whole engine against a bare hs_scan, which decodes nothing
//   application_bench [--captures FOLDER]
#include <benchmark/benchmark.h>

#include <cstring>
#include <functional>
#include <map>

#include "classify/app_ids.h"
#include "perf/flow_corpus.h"
#include "perf/pairs.h"
#include "perf/plain_hyperscan.h"
#include "perf/text_corpus.h"

namespace postern::perf {
namespace {

using classify::ApplicationEngine;
using classify::Layer;

struct Question {
  Layer layer;
  classify::Evidence evidence;
};
using Questions = std::vector<Question>;

enum class Yardstick { Scan, ScanAndDecode };

Layer layer_of(uint8_t protocol) {
  if (protocol == classify::kTcp) return Layer::Tcp;
  return protocol == classify::kUdp ? Layer::Udp : Layer::Icmp;
}

class Bench {
 public:
  explicit Bench(const std::string& captures)
      : flows_(sample_flows(shipped_)),
        http_(http_texts()),
        tls_(tls_texts()),
        whole_(engine_of(shipped_.signatures, shipped_.applications)),
        patterns_(engine_of(without_decoders(shipped_.signatures), shipped_.applications)),
        hyperscan_(shipped_.signatures),
        whole_scratch_(must(whole_.make_scratch())),
        patterns_scratch_(must(patterns_.make_scratch())) {
    for (FlowStart& flow : captured_flows(captures)) flows_.push_back(std::move(flow));
    const size_t known = flows_.size();
    for (FlowStart& flow : unknown_flows(256)) flows_.push_back(std::move(flow));
    for (size_t i = 0; i < flows_.size(); ++i) {
      if (flows_[i].protocol == classify::kIcmp || flows_[i].protocol == classify::kIcmpV6) continue;
      add(flows_[i], i < known);
    }
    add("http_client", Layer::Http, http_);
    add("tls_client", Layer::Tls, tls_);
  }
  Bench(const Bench&) = delete;

  void register_all() {
    for (const auto& [name, questions] : rows_) {
      const Questions* all = &questions;
      const auto add = [&](const char* what, const ApplicationEngine& engine, classify::ScanScratch& scratch,
                           Yardstick yardstick) {
        benchmark::RegisterBenchmark((name + "/" + what).c_str(),
                                     [this, all, &engine, &scratch, yardstick](benchmark::State& state) {
                                       run(state, *all, engine, scratch, yardstick);
                                     })
            ->Iterations(Pairs::kPairs)
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
      };
      add("same_work", patterns_, patterns_scratch_, Yardstick::Scan);
      add("with_decoders", whole_, whole_scratch_, Yardstick::ScanAndDecode);
      add("whole", whole_, whole_scratch_, Yardstick::Scan);
    }
  }

 private:
  static std::vector<classify::Signature> without_decoders(std::vector<classify::Signature> signatures) {
    std::erase_if(signatures, [](const classify::Signature& s) { return s.pattern.empty(); });
    for (classify::Signature& signature : signatures) signature.decoder.clear();
    return signatures;
  }
  void add(const FlowStart& flow, bool known) {
    const Question question{layer_of(flow.protocol), flow.evidence(as_bytes(flow.pieces[0]))};
    const std::string layer = question.layer == Layer::Tcp ? "tcp" : "udp";
    const std::string sender = flow.direction == Direction::ToServer ? "_client" : "_server";
    rows_[layer + sender + (known ? "" : "_unknown")].push_back(question);
    rows_["all"].push_back(question);
  }
  void add(const std::string& name, Layer layer, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const Question question{layer,
                              {.protocol = classify::kTcp, .server_port = 80, .payload = as_bytes(text)}};
      rows_[name].push_back(question);
      rows_["all"].push_back(question);
    }
  }

  static AppId answer(const ApplicationEngine& engine, const Question& question,
                      classify::ScanScratch& scratch) {
    const AppId base = question.layer == Layer::Http ? classify::app::kHttp : classify::app::kTls;
    if (question.layer == Layer::Http || question.layer == Layer::Tls)
      return engine.refine(question.layer, base, as_text(question.evidence.payload), question.evidence,
                           scratch);
    return engine.identify(question.evidence, scratch).application;
  }

  void run(benchmark::State& state, const Questions& questions, const ApplicationEngine& engine,
           classify::ScanScratch& scratch, Yardstick yardstick) {
    size_t bytes = 0;
    for (const Question& question : questions) bytes += question.evidence.payload.size();
    const auto ours = [&] {
      for (const Question& question : questions) benchmark::DoNotOptimize(answer(engine, question, scratch));
    };
    const auto scan = [&] {
      for (const Question& q : questions) benchmark::DoNotOptimize(hyperscan_.scan(q.layer, q.evidence));
    };
    const auto scan_and_decode = [&] {
      for (const Question& q : questions)
        benchmark::DoNotOptimize(hyperscan_.scan_and_decode(q.layer, q.evidence));
    };
    Pairs pairs;
    const size_t rounds = Pairs::rounds_of(scan_and_decode);
    for (auto _ : state)
      state.SetIterationTime(yardstick == Yardstick::Scan ? pairs.measure(ours, scan, rounds)
                                                          : pairs.measure(ours, scan_and_decode, rounds));
    const auto flows = static_cast<double>(questions.size());
    state.counters["flows"] = flows;
    state.counters["bytes_per_flow"] = static_cast<double>(bytes) / flows;
    state.counters["ns_per_flow"] = pairs.seconds_of_ours() * 1e9 / flows;
    state.counters["yardstick_ns"] = pairs.seconds_of_yardstick() * 1e9 / flows;
    state.counters["MB_per_s"] = static_cast<double>(bytes) / pairs.seconds_of_ours() / 1e6;
    state.counters["ratio"] = pairs.ratio();
    state.counters["least"] = pairs.least();
    state.counters["most"] = pairs.most();
  }

  Shipped shipped_ = shipped();
  std::vector<FlowStart> flows_;
  std::vector<std::string> http_, tls_;
  std::map<std::string, Questions> rows_;
  ApplicationEngine whole_, patterns_;
  PlainHyperscan hyperscan_;
  classify::ScanScratch whole_scratch_, patterns_scratch_;
};

}  // namespace
}  // namespace postern::perf

int main(int count, char** words) {
  std::string captures = postern::perf::captures_of_tests();
  benchmark::Initialize(&count, words);
  if (count == 3 && std::strcmp(words[1], "--captures") == 0) {
    captures = words[2];
  } else if (count != 1) {
    std::fprintf(stderr, "usage: application_bench [--captures FOLDER] [--benchmark_...]\n");
    return 2;
  }
  postern::perf::Bench bench(captures);
  bench.register_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
