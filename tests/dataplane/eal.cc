// SPDX-License-Identifier: Apache-2.0
// Starts DPDK once for all tests of this program that need packet buffers.
#include "dataplane/eal.h"

#include <gtest/gtest.h>
#include <rte_eal.h>

namespace postern::dataplane {
namespace {

class Eal : public testing::Environment {
 public:
  void SetUp() override {
    const auto report = start_eal({.workers = 0, .cores = {}, .pci_devices = {}, .memory = 128u << 20});
    ASSERT_TRUE(report) << report.error().text();
  }
  void TearDown() override { rte_eal_cleanup(); }
};

[[maybe_unused]] const auto* const kEal = testing::AddGlobalTestEnvironment(new Eal);

}  // namespace
}  // namespace postern::dataplane
