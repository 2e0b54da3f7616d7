// SPDX-License-Identifier: Apache-2.0
// Lookups and identification allocate nothing: every allocation of this program is counted.
#include <gtest/gtest.h>

#include "allocation_count.h"
#include "policy_builder.h"
#include "tls_hello_builder.h"

namespace postern::classify {
namespace {

TEST(Allocations, AreCounted) {
  const size_t before = allocation_count();
  const std::string kept = address("10.1.0.5").text() + std::string(100, 'x');
  EXPECT_GT(allocation_count(), before);
  EXPECT_GT(kept.size(), 100u);
}

TEST(Allocations, DecideNeedsNone) {
  Policy policy = empty_policy();
  policy.zones = {{kTrust, WireId{0}, Side::First, {}, {prefix("10.1.0.0/24")}}};
  policy.subjects = {{SubjectId{1}, "alice", address("10.1.0.5"), {"admins"}, true}};
  for (uint32_t i = 0; i < 200; ++i) {
    Rule& rule = add_rule(policy, Action::Allow, i % 2 ? kBmcManagement : kAnyApplication);
    rule.protocol = kTcp;
    rule.ports = {{static_cast<uint16_t>(i), static_cast<uint16_t>(i + 3)}};
    rule.identity.groups = {"admins"};
  }
  const auto snapshot = compiled(std::move(policy));
  std::vector<FlowFacts> flows;
  for (uint16_t port = 0; port < 300; ++port) {
    flows.push_back(flow("10.1.0.5", "10.4.0.7", kTcp, port));
    flows.push_back(flow("fd01::5", "fd04::7", kTcp, port, app::kTls));
  }
  const size_t before = allocation_count();
  size_t found = 0;
  for (const FlowFacts& facts : flows) {
    found += snapshot->decide(facts).rule != nullptr;
    found += snapshot->zone_of(WireId{0}, Side::First, 0, facts.source) != kNoZone;
    found += snapshot->multicast_groups(facts.protocol, facts.destination_port).size();
    found += snapshot->application("tls") != nullptr;
  }
  EXPECT_EQ(allocation_count(), before);
  EXPECT_GT(found, 0u);
}

TEST(Allocations, IdentifyNeedsNone) {
  const std::string hello = in_records(handshake(hello_body(server_name("bmc.example"))), 50);
  const std::string request = "POST /cimom HTTP/1.1\r\nHost: a\r\nCIMOperation: MethodCall\r\n\r\n";
  const auto snapshot = compiled(empty_policy());
  const size_t before = allocation_count();
  for (const std::string* payload : {&hello, &request})
    for (const uint8_t protocol : {kTcp, kUdp, kIcmp})
      for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
        const Evidence evidence{
            .protocol = protocol, .server_port = 443, .direction = direction, .payload = as_bytes(*payload)};
        EXPECT_NE(snapshot->engine().identify(evidence, snapshot->scratch(0)).application,
                  kApplicationPending);
      }
  EXPECT_EQ(allocation_count(), before);
}

}  // namespace
}  // namespace postern::classify
