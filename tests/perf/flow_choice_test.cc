// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/flow_choice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "perf/traffic/flow_ends.h"

namespace postern::perf {
namespace {

TEST(FlowChoice, UniformMeetsEveryFlowOnceBeforeAnyComesAgain) {
  for (const uint32_t flows : {1u, 2u, 3u, 100u, 4096u, 10'007u}) {
    FlowChoice choice(flows, 0, 7);
    for (int round = 0; round < 2; ++round) {
      std::set<uint32_t> met;
      for (uint32_t i = 0; i < flows; ++i) met.insert(choice.next());
      EXPECT_EQ(met.size(), flows);
      EXPECT_LT(*met.rbegin(), flows);
    }
  }
}

TEST(FlowChoice, ZipfGivesEveryFlowItsShare) {
  constexpr uint32_t kFlows = 50;
  constexpr int kDraws = 2'000'000;
  FlowChoice choice(kFlows, 1.0, 3);
  std::vector<int> drawn(kFlows);
  for (int i = 0; i < kDraws; ++i) ++drawn[choice.next()];
  double sum = 0;
  for (uint32_t i = 1; i <= kFlows; ++i) sum += 1.0 / i;
  for (uint32_t i = 0; i < kFlows; ++i) {
    const double expected = kDraws / sum / (i + 1);
    EXPECT_NEAR(drawn[i], expected, 5 * std::sqrt(expected)) << i;
  }
}

TEST(FlowChoice, TheSameSeedGivesTheSameFlows) {
  FlowChoice one(1000, 1.1, 5), same(1000, 1.1, 5), other(1000, 1.1, 6);
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    const uint32_t flow = one.next();
    EXPECT_EQ(flow, same.next());
    differs |= flow != other.next();
  }
  EXPECT_TRUE(differs);
}

TEST(FlowEnds, AFlowCanBeToldFromItsClient) {
  std::set<std::pair<uint32_t, uint16_t>> clients;
  for (uint32_t flow = 0; flow < kMostFlows; flow += 997) {
    const FlowEnds ends = FlowEnds::of(flow);
    EXPECT_EQ(FlowEnds::flow_of(ends.client, ends.client_port), flow);
    EXPECT_TRUE(clients.emplace(ends.client, ends.client_port).second);
  }
}

}  // namespace
}  // namespace postern::perf
