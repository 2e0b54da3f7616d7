// SPDX-License-Identifier: Apache-2.0
// Packet buffers that every kind of port can use, for any thread.
#pragma once

#include <rte_mbuf.h>

#include "base/result.h"

namespace postern::dataplane {

struct PacketPoolSetup {
  const char* name = nullptr;
  unsigned buffers = 0, cache = 0;  // cache: buffers that a thread keeps for itself
  unsigned size = 0;                // bytes of a buffer, headroom included
  bool for_hardware = false;        // a NIC reads and writes them, by their physical addresses
};

// Without hugepages buffers lie side by side, across the borders of pages: half the memory, and their headers
// are not all in one set of the cache. Buffers that AF_XDP ports could not use are set apart for ever.
Result<rte_mempool*> make_packet_pool(const PacketPoolSetup& setup);

}  // namespace postern::dataplane
