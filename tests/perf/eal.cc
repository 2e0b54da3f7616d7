// SPDX-License-Identifier: Apache-2.0
// Starts DPDK once for all tests of this program that need ports.
#include "dataplane/eal.h"

#include <gtest/gtest.h>
#include <rte_eal.h>

namespace postern::perf {
namespace {

class Eal : public testing::Environment {
 public:
  void SetUp() override {
    const auto report = dataplane::start_eal({.workers = 0, .memory = 128u << 20});
    ASSERT_TRUE(report) << report.error().text();
  }
  void TearDown() override { rte_eal_cleanup(); }
};

[[maybe_unused]] const auto* const kEal = testing::AddGlobalTestEnvironment(new Eal);

}  // namespace
}  // namespace postern::perf
