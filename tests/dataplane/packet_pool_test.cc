// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet_pool.h"

#include <gtest/gtest.h>
#include <rte_eal.h>

#include <algorithm>
#include <vector>

namespace postern::dataplane {
namespace {

// Of a size that does not divide a page, so that gaps would be at the borders of pages.
constexpr unsigned kBuffers = 4096, kSize = 2176;

struct Pool {
  rte_mempool* pool;
  explicit Pool(rte_mempool* made) : pool(made) {}
  ~Pool() { rte_mempool_free(pool); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
};

std::vector<rte_mbuf*> take_all(rte_mempool* pool) {
  std::vector<rte_mbuf*> all;
  while (rte_mbuf* buffer = rte_pktmbuf_alloc(pool)) all.push_back(buffer);
  return all;
}

TEST(PacketPool, EveryBufferLiesWhereAnAfXdpPortReaches) {
  const auto made = make_packet_pool({.name = "reach", .buffers = kBuffers, .cache = 0, .size = kSize});
  ASSERT_TRUE(made) << made.error().text();
  const Pool pool(*made);
  const auto* first = STAILQ_FIRST(&pool.pool->mem_list);
  const auto* begin = static_cast<const uint8_t*>(first->addr);
  const uint8_t* end = begin + size_t{pool.pool->populated_size} *
                                   rte_mempool_calc_obj_size(pool.pool->elt_size, pool.pool->flags, nullptr);
  std::vector<rte_mbuf*> all = take_all(pool.pool);
  for (const rte_mbuf* buffer : all) {
    const auto* at = reinterpret_cast<const uint8_t*>(buffer);
    EXPECT_TRUE(at >= begin && at + pool.pool->elt_size <= end);
  }
  rte_pktmbuf_free_bulk(all.data(), static_cast<unsigned>(all.size()));
}

// One in some hundred lies behind the gaps of hugepages; without hugepages there are none.
TEST(PacketPool, FewBuffersAreSetApart) {
  const auto made = make_packet_pool({.name = "few", .buffers = kBuffers, .cache = 0, .size = kSize});
  ASSERT_TRUE(made) << made.error().text();
  const Pool pool(*made);
  std::vector<rte_mbuf*> all = take_all(pool.pool);
  EXPECT_GE(all.size(), rte_eal_has_hugepages() != 0 ? kBuffers * 99 / 100 : kBuffers);
  rte_pktmbuf_free_bulk(all.data(), static_cast<unsigned>(all.size()));
}

TEST(PacketPool, BuffersHaveTheRoomAskedFor) {
  const auto made = make_packet_pool({.name = "room", .buffers = 64, .cache = 0, .size = kSize});
  ASSERT_TRUE(made) << made.error().text();
  const Pool pool(*made);
  rte_mbuf* buffer = rte_pktmbuf_alloc(pool.pool);
  ASSERT_NE(buffer, nullptr);
  EXPECT_EQ(rte_pktmbuf_tailroom(buffer), kSize - RTE_PKTMBUF_HEADROOM);
  rte_pktmbuf_free(buffer);
}

TEST(PacketPool, MemoryThatIsNotThereIsAnError) {
  const auto made = make_packet_pool({.name = "huge", .buffers = 1u << 28, .cache = 0, .size = kSize});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("huge"), std::string::npos);
}

}  // namespace
}  // namespace postern::dataplane
