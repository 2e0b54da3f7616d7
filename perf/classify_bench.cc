// SPDX-License-Identifier: Apache-2.0
// Rule lookup and compile time by number of rules.
//   classify_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>

#include "classify/policy_snapshot.h"
#include "tests/classify/policy_builder.h"

namespace postern::classify {
namespace {

constexpr Zone kInside{1}, kOutside{2};

enum class Family { V4, V6 };

IpAddress address_of(const uint8_t* four_bytes, Family family) {
  IpAddress address = IpAddress::from_v4(four_bytes);
  if (family == Family::V6) address.bytes[0] = 0xfd;
  return address;
}

// Like the rules of a data centre: services of hosts and subnets, open to subnets, sites or everyone.
Policy service_rules(size_t count, Family family) {
  std::mt19937 random(7);
  const auto below = [&random](uint32_t limit) { return static_cast<uint8_t>(random() % limit); };
  const auto network = [&](std::initializer_list<uint8_t> lengths) {
    const uint8_t bytes[4] = {10, below(200), below(255), below(255)};
    // The same plan under fd00::/96: an IPv6 subnet of the lab's size has as many bits to tell hosts apart.
    Prefix prefix{address_of(bytes, family),
                  static_cast<uint8_t>(96 + lengths.begin()[random() % lengths.size()])};
    for (unsigned bit = prefix.length; bit < 128; ++bit)
      prefix.address.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80u >> bit % 8));
    return prefix;
  };
  Policy policy;
  policy.applications.resize(1);
  policy.applications[0].id = kAnyApplication;
  policy.applications[0].name = "any_application";
  policy.applications[0].wildcard = true;
  for (uint32_t i = 0; i < count; ++i) {
    Rule rule;
    rule.pack = "site";
    rule.name = "rule" + std::to_string(i);
    rule.action = random() % 4 ? Action::Allow : Action::Drop;
    rule.source_zones = {kInside};
    rule.destination_zones = {kOutside};
    rule.application = kAnyApplication;
    if (random() % 5) rule.sources = {network({16, 22, 24, 24, 27, 32})};
    rule.destinations = {network({20, 24, 24, 28, 30, 32, 32, 32})};
    rule.protocol = random() % 4 ? kTcp : kUdp;
    const auto port = static_cast<uint16_t>(random() % 4000);
    if (random() % 6)
      rule.ports = {{port, static_cast<uint16_t>(port + (random() % 4 ? 0 : random() % 1000))}};
    policy.rules.push_back(std::move(rule));
  }
  return policy;
}

// Half of the flows fit the destination and port of some rule, the others fit none.
std::vector<FlowFacts> flows(const Policy& policy, Family family) {
  std::mt19937 random(8);
  std::vector<FlowFacts> all(16384);
  for (FlowFacts& facts : all) {
    const Rule& rule = policy.rules[random() % policy.rules.size()];
    const bool aimed = random() % 2;
    const uint8_t other[4] = {10, static_cast<uint8_t>(random()), static_cast<uint8_t>(random()), 9};
    facts.source = rule.sources.empty() || !aimed ? address_of(other, family) : rule.sources[0].address;
    facts.destination = aimed ? rule.destinations[0].address : address_of(other, family);
    facts.destination_port = rule.ports.empty() ? 80 : rule.ports[0].first;
    facts.protocol = rule.protocol;
    facts.source_zone = kInside;
    facts.destination_zone = kOutside;
  }
  return all;
}

void lookup(benchmark::State& state, Family family) {
  const auto snapshot = compiled(service_rules(static_cast<size_t>(state.range(0)), family));
  const auto facts = flows(snapshot->policy(), family);
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
  const auto facts = flows(policy, Family::V4);
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
