// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/sequence_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "perf/traffic/random.h"

namespace postern::perf {
namespace {

TEST(SequenceWindow, InOrderNothingIsLost) {
  SequenceWindow window;
  for (uint64_t i = 0; i < 3 * SequenceWindow::kWindow; ++i) window.see(i);
  window.end(3 * SequenceWindow::kWindow);
  EXPECT_EQ(window.received(), 3 * SequenceWindow::kWindow);
  EXPECT_EQ(window.lost() + window.duplicated() + window.reordered() + window.late(), 0u);
  EXPECT_EQ(window.last_lost(), SequenceWindow::kNone);
}

TEST(SequenceWindow, WhatNeverComesIsLostWhereverItWas) {
  SequenceWindow window;
  for (const uint64_t sequence : {1, 2, 4}) window.see(sequence);
  window.end(6);
  EXPECT_EQ(window.received(), 3u);
  EXPECT_EQ(window.lost(), 3u);
  EXPECT_EQ(window.last_lost(), 5u);
}

TEST(SequenceWindow, AllIsLostWhenNothingComes) {
  SequenceWindow window;
  window.end(SequenceWindow::kWindow * 2 + 5);
  EXPECT_EQ(window.lost(), SequenceWindow::kWindow * 2 + 5);
}

TEST(SequenceWindow, WhatComesAfterALaterOneIsReorderedAndNotLost) {
  SequenceWindow window;
  for (const uint64_t sequence : {0, 2, 1, 3}) window.see(sequence);
  window.end(4);
  EXPECT_EQ(window.reordered(), 1u);
  EXPECT_EQ(window.lost(), 0u);
}

TEST(SequenceWindow, WhatComesTwiceIsCountedOnce) {
  SequenceWindow window;
  for (const uint64_t sequence : {0, 1, 1, 0}) window.see(sequence);
  window.end(2);
  EXPECT_EQ(window.received(), 2u);
  EXPECT_EQ(window.duplicated(), 2u);
}

TEST(SequenceWindow, WhatComesTooLateStaysLost) {
  SequenceWindow window;
  for (uint64_t i = 1; i <= SequenceWindow::kWindow + 1; ++i) window.see(i);
  window.see(0);
  window.end(SequenceWindow::kWindow + 2);
  EXPECT_EQ(window.late(), 1u);
  EXPECT_EQ(window.lost(), 1u);
  EXPECT_EQ(window.last_lost(), 0u);
}

TEST(SequenceWindow, AgreesWithSetsUnderRandomTreatment) {
  constexpr uint64_t kSent = SequenceWindow::kWindow * 2;
  Random random(9);
  SequenceWindow window;
  std::set<uint64_t> arrived;
  uint64_t duplicated = 0, reordered = 0, highest = 0;
  std::vector<uint64_t> order;
  for (uint64_t i = 0; i < kSent; ++i) {
    if (random.below(10) == 0) continue;
    order.push_back(i);
    if (random.below(20) == 0) order.push_back(i);
  }
  for (size_t i = 0; i + 50 < order.size(); ++i)
    if (random.below(8) == 0) std::swap(order[i], order[i + random.below(50)]);
  for (const uint64_t sequence : order) {
    window.see(sequence);
    if (!arrived.insert(sequence).second)
      ++duplicated;
    else if (sequence < highest)
      ++reordered;
    highest = std::max(highest, sequence);
  }
  window.end(kSent);
  EXPECT_EQ(window.received(), arrived.size());
  EXPECT_EQ(window.lost(), kSent - arrived.size());
  EXPECT_EQ(window.duplicated(), duplicated);
  EXPECT_EQ(window.reordered(), reordered);
}

}  // namespace
}  // namespace postern::perf
