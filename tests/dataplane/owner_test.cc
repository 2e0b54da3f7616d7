// SPDX-License-Identifier: Apache-2.0
#include "dataplane/owner.h"

#include <gtest/gtest.h>
#include <rte_thash.h>

#include <random>

#include "packets.h"

namespace postern::dataplane {
namespace {

IpAddress random_address(std::mt19937_64& random, bool v4) {
  uint8_t bytes[16];
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return v4 ? IpAddress::from_v4(bytes) : IpAddress::from_v6(bytes);
}

// What a NIC computes over source and destination, without ports.
uint32_t hash_of_nic(const IpAddress& source, const IpAddress& destination) {
  uint8_t key[52];
  for (size_t i = 0; i < sizeof key; ++i) key[i] = i % 2 == 0 ? 0x6d : 0x5a;
  Octets both = address_bytes(source);
  append(both, address_bytes(destination));
  std::vector<uint32_t> words;
  for (size_t i = 0; i < both.size(); i += 4) words.push_back(load_be32(&both[i]));
  return rte_softrss(words.data(), static_cast<uint32_t>(words.size()), key);
}

TEST(Owner, IsWhomTheNicWouldChoose) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const bool v4 = i % 2 == 0;
    const IpAddress a = random_address(random, v4), b = random_address(random, v4);
    ASSERT_EQ(symmetric_hash(a, b), hash_of_nic(a, b)) << a.text() << " " << b.text();
    ASSERT_EQ(symmetric_hash(a, b), symmetric_hash(b, a));
  }
}

TEST(Owner, SharesTheWorkEvenly) {
  std::mt19937_64 random(4);
  for (const unsigned workers : {2u, 3u, 7u}) {
    std::vector<int> flows(workers);
    constexpr int kFlows = 30'000;
    for (int i = 0; i < kFlows; ++i)
      ++flows[owner_of(random_address(random, true), random_address(random, true), workers)];
    for (const int count : flows) {
      EXPECT_GT(count, kFlows / static_cast<int>(workers) * 8 / 10);
      EXPECT_LT(count, kFlows / static_cast<int>(workers) * 12 / 10);
    }
  }
}

struct Pair {
  IpAddress client, server, router;  // the router's own flow would be another worker's
};

Pair pair_with_foreign_router(bool v4) {
  Pair pair{ip(v4 ? "10.1.0.5" : "fd01::5"), ip(v4 ? "10.3.0.1" : "fd03::1"),
            ip(v4 ? "10.3.0.254" : "fd03::fe")};
  while (owner_of(pair.router, pair.client, 4) == owner_of(pair.client, pair.server, 4))
    --pair.router.bytes[15];
  return pair;
}

TEST(Owner, OfBothDirectionsAndAllTagsIsTheSame) {
  for (const bool v4 : {true, false}) {
    const Pair pair = pair_with_foreign_router(v4);
    const unsigned owner = owner_of(pair.client, pair.server, 4);
    for (const std::vector<Tag>& tags : {std::vector<Tag>{}, {{5}}, {{5, 0x88a8}, {6}}}) {
      EXPECT_EQ(owner_of_frame(udp_frame(pair.client, pair.server, 1, 2, "x", tags), 4, 99), owner);
      EXPECT_EQ(owner_of_frame(udp_frame(pair.server, pair.client, 2, 1, "x", tags), 4, 99), owner);
    }
  }
}

TEST(Owner, OfAnIcmpErrorIsThatOfItsFlow) {
  for (const bool v4 : {true, false}) {
    const Pair pair = pair_with_foreign_router(v4);
    const uint8_t protocol = 17, unreachable = v4 ? 3 : 1, echo = v4 ? 8 : 128;
    const Octets quoted =
        ip_packet(pair.client, pair.server, protocol, udp(pair.client, pair.server, 1, 2, "x"));
    EXPECT_EQ(owner_of_frame(icmp_frame(pair.router, pair.client, unreachable, 1, 0, quoted), 4, 99),
              owner_of(pair.client, pair.server, 4));
    EXPECT_EQ(owner_of_frame(icmp_frame(pair.router, pair.client, echo, 0, 0, quoted), 4, 99),
              owner_of(pair.router, pair.client, 4))
        << "an echo may carry anything";
    EXPECT_EQ(owner_of_frame(icmp_frame(pair.router, pair.client, unreachable, 1, 0, {1, 2, 3}), 4, 99),
              owner_of(pair.router, pair.client, 4));
  }
}

TEST(Owner, OfAllFragmentsIsTheSame) {
  for (const bool v4 : {true, false}) {
    const Pair pair = pair_with_foreign_router(v4);
    const unsigned owner = owner_of(pair.client, pair.server, 4);
    for (const size_t offset : {size_t{0}, size_t{8}, size_t{800}})
      EXPECT_EQ(owner_of_frame(ethernet_ip(ip_packet(pair.client, pair.server, 17, Octets(64),
                                                     {.offset = offset, .more = true})),
                               4, 99),
                owner);
  }
}

// The parts of an ICMP error that came in fragments must meet, whatever the first of them quotes.
TEST(Owner, OfAFragmentedIcmpErrorIsTheSameForAllItsParts) {
  const Pair pair = pair_with_foreign_router(true);
  const Octets quoted =
      ip_packet(pair.client, pair.server, 17, udp(pair.client, pair.server, 1, 2, std::string(100, 'x')));
  const Octets message = icmp(pair.router, pair.client, 3, 1, 0, quoted);
  const auto part = [&](size_t begin, size_t end) {
    return ethernet_ip(ip_packet(pair.router, pair.client, 1,
                                 Octets(message.begin() + begin, message.begin() + end),
                                 {.offset = begin, .more = end != message.size()}));
  };
  EXPECT_EQ(owner_of_frame(part(0, 64), 4, 99), owner_of_frame(part(64, message.size()), 4, 99));
}

TEST(Owner, OfFramesWithoutIpIsWhoeverHoldsThem) {
  EXPECT_EQ(owner_of_frame(ethernet(0x0806, Octets(28)), 4, 3), 3u);
  EXPECT_EQ(owner_of_frame(Octets(5), 4, 2), 2u);
  EXPECT_EQ(owner_of_frame({}, 4, 1), 1u);
}

TEST(Owner, OfFramesCutAnywhereIsSomebody) {
  for (const bool v4 : {true, false}) {
    const Pair pair = pair_with_foreign_router(v4);
    const Octets quoted = ip_packet(pair.client, pair.server, 6, tcp(pair.client, pair.server, {}));
    const Octets frame = icmp_frame(pair.router, pair.client, v4 ? 3 : 1, 1, 0, quoted);
    for (size_t length = 0; length <= frame.size(); ++length) {
      const std::unique_ptr<uint8_t[]> exact(new uint8_t[length]);
      std::copy_n(frame.begin(), length, exact.get());
      EXPECT_LT(owner_of_frame({exact.get(), length}, 4, 3), 4u);
    }
  }
}

}  // namespace
}  // namespace postern::dataplane
