// SPDX-License-Identifier: Apache-2.0
// Packet buffers for fuzz targets: starts DPDK once and makes packets of bytes. One thread.
#pragma once

#include <rte_mbuf.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "dataplane/eal.h"
#include "dataplane/packet.h"

namespace postern::dataplane {

class PacketSource {
 public:
  PacketSource() {
    // Several targets may share a process, which starts DPDK once.
    static const Result<EalReport> started =
        start_eal({.workers = 0, .cores = {}, .pci_devices = {}, .memory = 64u << 20});
    static int pools = 0;
    if (!started) std::abort();
    pool_ = rte_pktmbuf_pool_create(("fuzz" + std::to_string(pools++)).c_str(), 1023, 0, 0,
                                    4096 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
    if (pool_ == nullptr) std::abort();
  }
  Packet packet(Bytes bytes) {
    Packet packet(rte_pktmbuf_alloc(pool_));
    if (!packet) std::abort();
    char* room = rte_pktmbuf_append(packet.get(), static_cast<uint16_t>(bytes.size()));
    if (room == nullptr) std::abort();
    if (!bytes.empty()) std::memcpy(room, bytes.data(), bytes.size());
    return packet;
  }
  // All buffers are back: nothing was lost.
  bool complete() const { return rte_mempool_full(pool_) == 1; }

 private:
  rte_mempool* pool_ = nullptr;
};

}  // namespace postern::dataplane
