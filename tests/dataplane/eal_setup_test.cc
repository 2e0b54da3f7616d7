// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dataplane/eal.h"

namespace postern::dataplane {
namespace {

TEST(EalSetup, WorkersWithoutCoresRunWhereTheSchedulerPutsThem) {
  EXPECT_EQ(lcore_map({.workers = 2}, 4), "0@(0,1,2,3),1@(0,1,2,3),2@(0,1,2,3)");
}

TEST(EalSetup, PinnedWorkersHaveTheirCoresToThemselves) {
  EXPECT_EQ(lcore_map({.workers = 2, .cores = {2, 3}}, 4), "0@(0,1),1@2,2@3");
}

TEST(EalSetup, TheControlThreadSharesACoreWhenNoneIsLeft) {
  EXPECT_EQ(lcore_map({.workers = 2, .cores = {0, 1}}, 2), "0@(0,1),1@0,2@1");
  EXPECT_EQ(lcore_map({.workers = 1, .cores = {0}}, 1), "0@(0),1@0");
}

}  // namespace
}  // namespace postern::dataplane
