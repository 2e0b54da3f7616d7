// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port_events.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace postern::dataplane {
namespace {

class PortEventsTest : public testing::Test {
 protected:
  PortEventsTest() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair_), 0); }
  ~PortEventsTest() override {
    for (const int end : pair_)
      if (end >= 0) close(end);
  }
  void send() { EXPECT_EQ(write(pair_[1], "x", 1), 1); }
  static double seconds(auto&& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  int pair_[2] = {-1, -1};
  PortEvents events_;
};

TEST_F(PortEventsTest, CannotWaitForNothing) { EXPECT_FALSE(events_.complete()); }

TEST_F(PortEventsTest, CannotWaitWhereAPortHasNoSocket) {
  events_.add({pair_[0]});
  EXPECT_TRUE(events_.complete());
  events_.add({});
  EXPECT_FALSE(events_.complete());
}

TEST_F(PortEventsTest, CannotWaitForMoreSocketsThanItHasRoomFor) {
  events_.add(std::vector<int>(PortEvents::kMost, pair_[0]));
  EXPECT_TRUE(events_.complete());
  events_.add({pair_[0]});
  EXPECT_FALSE(events_.complete());
}

TEST_F(PortEventsTest, StartsAnewWhenCleared) {
  events_.add({});
  events_.clear();
  events_.add({pair_[0]});
  EXPECT_TRUE(events_.complete());
}

TEST_F(PortEventsTest, ReturnsWhenAFrameIsThere) {
  events_.add({pair_[0]});
  send();
  EXPECT_LT(seconds([this] { EXPECT_TRUE(events_.wait(10'000)); }), 5.0);
}

TEST_F(PortEventsTest, ReturnsWhenTheTimeIsOver) {
  events_.add({pair_[0]});
  EXPECT_GE(seconds([this] { EXPECT_TRUE(events_.wait(20)); }), 0.015);
}

TEST_F(PortEventsTest, SaysThatASocketIsNotFitToWaitFor) {
  events_.add({pair_[0]});
  close(pair_[0]);
  pair_[0] = -1;
  EXPECT_FALSE(events_.wait(10'000));
}

TEST_F(PortEventsTest, FindsPacketSocketsOnly) {
  const int packets = socket(AF_PACKET, SOCK_RAW, 0);
  if (packets < 0) GTEST_SKIP() << "needs CAP_NET_RAW";
  const std::vector<int> found = packet_sockets();
  EXPECT_TRUE(std::binary_search(found.begin(), found.end(), packets));
  EXPECT_FALSE(std::binary_search(found.begin(), found.end(), pair_[0]));
  close(packets);
}

}  // namespace
}  // namespace postern::dataplane
