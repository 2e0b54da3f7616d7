// SPDX-License-Identifier: Apache-2.0
// Rule lookup and compile time by number of rules.
//   classify_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "classify/policy_snapshot.h"
#include "perf/service_rules.h"

namespace postern::classify {
namespace {

using perf::address_of, perf::Family, perf::kInside, perf::kOutside, perf::service_flows, perf::service_rules;

void lookup(benchmark::State& state, Family family) {
  const auto snapshot = compiled(service_rules(static_cast<size_t>(state.range(0)), family));
  const auto facts = service_flows(snapshot->policy(), family);
  size_t i = 0, matched = 0;
  for (auto _ : state) {
    const Decision decision = snapshot->decide(facts[i++ % facts.size()]);
    matched += decision.rule != nullptr;
  }
  state.counters["matched"] = static_cast<double>(matched) / static_cast<double>(state.iterations());
  state.SetLabel(snapshot->rule_table_shape(kInside, kOutside));
}
BENCHMARK_CAPTURE(lookup, v4, Family::V4)->Arg(10)->Arg(1000)->Arg(10000)->Arg(100000);
BENCHMARK_CAPTURE(lookup, v6, Family::V6)->Arg(10)->Arg(1000)->Arg(10000)->Arg(100000);

// What the tables are for: the same rules one after the other.
void walk(benchmark::State& state) {
  const Policy policy = service_rules(static_cast<size_t>(state.range(0)), Family::V4);
  const auto facts = service_flows(policy, Family::V4);
  const auto fits = [](const Rule& rule, const FlowFacts& f) {
    if (rule.protocol != f.protocol) return false;
    if (!rule.ports.empty() && !rule.ports[0].contains(f.destination_port)) return false;
    if (!rule.sources.empty() && !rule.sources[0].contains(f.source)) return false;
    return rule.destinations[0].contains(f.destination);
  };
  size_t i = 0;
  for (auto _ : state) {
    const FlowFacts& f = facts[i++ % facts.size()];
    for (const Rule& rule : policy.rules) {
      benchmark::DoNotOptimize(&rule);
      if (fits(rule, f)) break;
    }
  }
}
BENCHMARK(walk)->Arg(10)->Arg(1000)->Arg(10000);

// The worst a policy can do to the tables: every rule for the same service, told apart by group only, and a
// source that is in none of them.
void lookup_same_service(benchmark::State& state) {
  Policy policy = service_rules(static_cast<size_t>(state.range(0)), Family::V4);
  for (Rule& rule : policy.rules) {
    rule.sources.clear();
    rule.destinations = policy.rules[0].destinations;
    rule.protocol = kTcp;
    rule.ports = {{443, 443}};
    rule.identity.groups = {rule.name};
  }
  FlowFacts facts;
  facts.source = policy.rules[0].destinations[0].address;
  facts.destination = facts.source;
  facts.protocol = kTcp;
  facts.destination_port = 443;
  facts.source_zone = kInside;
  facts.destination_zone = kOutside;
  Subject subject;
  subject.address = facts.source;
  subject.groups = {"none of them"};
  policy.subjects.push_back(subject);
  const auto snapshot = compiled(std::move(policy));
  for (auto _ : state) benchmark::DoNotOptimize(snapshot->decide(facts));
}
BENCHMARK(lookup_same_service)->Arg(1000)->Arg(10000);

void compile(benchmark::State& state) {
  const Policy policy = service_rules(static_cast<size_t>(state.range(0)), Family::V4);
  for (auto _ : state) benchmark::DoNotOptimize(compiled(policy));
}
BENCHMARK(compile)->Arg(10)->Arg(1000)->Arg(10000)->Arg(100000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace postern::classify

BENCHMARK_MAIN();
