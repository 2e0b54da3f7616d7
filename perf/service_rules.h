// SPDX-License-Identifier: Apache-2.0
// Rules like those of a data centre and flows to look up in them, the same at every run. One thread.
#pragma once

#include <random>
#include <vector>

#include "classify/policy_snapshot.h"
#include "tests/classify/policy_builder.h"

namespace postern::perf {

using classify::FlowFacts, classify::Policy, classify::Rule, classify::kAnyApplication, classify::kTcp,
    classify::kUdp;

inline constexpr Zone kInside{1}, kOutside{2};

enum class Family { V4, V6 };

inline IpAddress address_of(const uint8_t* four_bytes, Family family) {
  IpAddress address = IpAddress::from_v4(four_bytes);
  if (family == Family::V6) address.bytes[0] = 0xfd;
  return address;
}

// Like the rules of a data centre: services of hosts and subnets, open to subnets, sites or everyone.
inline Policy service_rules(size_t count, Family family) {
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
inline std::vector<FlowFacts> service_flows(const Policy& policy, Family family) {
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

}  // namespace postern::perf
