// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/interval_set.h"

#include <bitset>
#include <random>

#include "profiles/ips/variables.h"
#include "tests/profiles/ips/rules_kit.h"

namespace postern::profiles::ips {
namespace {

constexpr uint32_t kSpace = 64;

struct Naive {
  std::bitset<kSpace> bits;
  PortSet set;
};

Naive some(std::minstd_rand& random) {
  Naive made;
  std::vector<PortSet::Interval> intervals;
  for (size_t i = random() % 6; i > 0; --i) {
    const uint32_t first = random() % kSpace, last = std::min<uint32_t>(first + random() % 9, kSpace - 1);
    intervals.push_back({first, last});
    for (uint32_t v = first; v <= last; ++v) made.bits.set(v);
  }
  made.set = PortSet(intervals);
  return made;
}

TEST(IntervalSet, IsWhatASetOfSingleValuesIs) {
  std::minstd_rand random(3);
  for (int round = 0; round < 2'000; ++round) {
    const Naive a = some(random), b = some(random);
    const PortSet both = a.set.with(b.set), less = a.set.without(b.set);
    for (uint32_t v = 0; v < kSpace; ++v) {
      ASSERT_EQ(a.set.contains(v), a.bits[v]);
      ASSERT_EQ(both.contains(v), a.bits[v] || b.bits[v]);
      ASSERT_EQ(less.contains(v), a.bits[v] && !b.bits[v]) << v;
    }
  }
}

TEST(Variables, TakeExceptionsFromListsAtEveryDepth) {
  Variables variables{{"NET", "[10.0.0.0/8,!10.1.0.0/16]"}, {"OTHER", "!$NET"}};
  const AddressSet net = *parse_addresses("[$NET,192.168.0.5 - 192.168.0.7]", variables);
  EXPECT_TRUE(net.contains(*IpAddress::parse("10.2.0.1")));
  EXPECT_FALSE(net.contains(*IpAddress::parse("10.1.2.3")));
  EXPECT_TRUE(net.contains(*IpAddress::parse("192.168.0.6")));
  EXPECT_FALSE(net.contains(*IpAddress::parse("192.168.0.8")));
  const AddressSet other = *parse_addresses("$OTHER", variables);
  EXPECT_TRUE(other.contains(*IpAddress::parse("10.1.2.3")));
  EXPECT_TRUE(other.contains(*IpAddress::parse("fd00::1")));
  EXPECT_FALSE(other.contains(*IpAddress::parse("10.2.0.1")));
}

TEST(Variables, KnowPortGroups) {
  const PortSet ports = *parse_ports("[80:90,!85,1024:]", {});
  for (const uint32_t port : {80u, 84u, 86u, 90u, 1024u, 65535u}) EXPECT_TRUE(ports.contains(port)) << port;
  for (const uint32_t port : {0u, 79u, 85u, 91u, 1023u}) EXPECT_FALSE(ports.contains(port)) << port;
}

}  // namespace
}  // namespace postern::profiles::ips
