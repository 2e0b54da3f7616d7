// SPDX-License-Identifier: Apache-2.0
// Packet buffers for tests. The pool must be as full at its end as at its start: a packet that was lost or
// freed twice fails the test. Needs the EAL.
#pragma once

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <cstdio>
#include <cstring>

#include "dataplane/packet.h"
#include "packets.h"

namespace postern::dataplane {

class Buffers {
 public:
  explicit Buffers(unsigned count = 1023, unsigned room = 2048 + RTE_PKTMBUF_HEADROOM) {
    char name[RTE_MEMPOOL_NAMESIZE];
    std::snprintf(name, sizeof name, "%p",
                  static_cast<void*>(this));  // several tests' pools may live at once
    pool_ = rte_pktmbuf_pool_create(name, count, 0, 0, static_cast<uint16_t>(room), SOCKET_ID_ANY);
    if (pool_ == nullptr) std::abort();
    at_start_ = available();
  }
  ~Buffers() {
    EXPECT_EQ(available(), at_start_) << "packets were lost or freed twice";
    rte_mempool_free(pool_);
  }
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  Packet packet(const Octets& frame) {
    Packet packet(rte_pktmbuf_alloc(pool_));
    if (!packet) std::abort();
    char* room = rte_pktmbuf_append(packet.get(), static_cast<uint16_t>(frame.size()));
    if (room == nullptr) std::abort();
    // Bytes behind the frame are not zero by luck.
    std::memset(room, 0xee, frame.size() + rte_pktmbuf_tailroom(packet.get()));
    if (!frame.empty()) std::memcpy(room, frame.data(), frame.size());
    return packet;
  }
  unsigned available() const { return rte_mempool_avail_count(pool_); }
  rte_mempool* pool() { return pool_; }

 private:
  rte_mempool* pool_ = nullptr;
  unsigned at_start_ = 0;
};

}  // namespace postern::dataplane
