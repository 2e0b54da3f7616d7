// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet_pool.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf_pool_ops.h>

#include <algorithm>
#include <string>
#include <vector>

namespace postern::dataplane {
namespace {

// DPDK's AF_XDP driver tells the kernel of the first `populated_size` times the size of a buffer bytes of the
// pool, as if there were no gaps at the borders of pages (22.11; mended in 24.07). The kernel refuses what
// lies behind: such frames are not sent, such buffers never receive, and neither comes back.
void set_apart_unreachable(rte_mempool& pool) {
  const rte_mempool_memhdr& first = *STAILQ_FIRST(&pool.mem_list);
  const size_t each = rte_mempool_calc_obj_size(pool.elt_size, pool.flags, nullptr);
  const auto* begin = static_cast<const uint8_t*>(first.addr);
  const uint8_t* end = begin + each * pool.populated_size;
  std::vector<void*> buffers(pool.populated_size);
  if (rte_mempool_get_bulk(&pool, buffers.data(), static_cast<unsigned>(buffers.size())) != 0) return;
  const auto reachable = std::partition(buffers.begin(), buffers.end(), [&](const void* buffer) {
    const auto* at = static_cast<const uint8_t*>(buffer);
    return at >= begin && at + pool.elt_size <= end;
  });
  rte_mempool_put_bulk(&pool, buffers.data(), static_cast<unsigned>(reachable - buffers.begin()));
}

}  // namespace

Result<rte_mempool*> make_packet_pool(const PacketPoolSetup& setup) {
  const auto failed = [&] {
    return Error{std::string("no memory for packet buffers (") + setup.name +
                 "): " + rte_strerror(rte_errno)};
  };
  const bool packed = !setup.for_hardware && rte_eal_has_hugepages() == 0;
  rte_mempool* pool = rte_mempool_create_empty(
      setup.name, setup.buffers, static_cast<unsigned>(sizeof(rte_mbuf)) + setup.size, setup.cache,
      sizeof(rte_pktmbuf_pool_private), SOCKET_ID_ANY, packed ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0);
  if (pool == nullptr) return failed();
  rte_pktmbuf_pool_private facts{};
  facts.mbuf_data_room_size = static_cast<uint16_t>(setup.size);
  int result = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), nullptr);
  if (result == 0) {
    rte_pktmbuf_pool_init(pool, &facts);
    result = rte_mempool_populate_default(pool);
  }
  if (result < 0) {
    rte_mempool_free(pool);
    rte_errno = -result;
    return failed();
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  set_apart_unreachable(*pool);
  return pool;
}

}  // namespace postern::dataplane
