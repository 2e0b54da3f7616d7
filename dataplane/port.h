// SPDX-License-Identifier: Apache-2.0
// Opens and closes DPDK ports from what the site file writes: a NIC, a kernel interface, a TAP, a ring or a
// capture. Control thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "dataplane/wire.h"

struct rte_mempool;

namespace postern::dataplane {

struct PortSetup {
  PortSpec spec;
  unsigned number = 0;  // makes the device name unique in the process
  unsigned workers = 1;
  uint16_t mtu = 1500;
  rte_mempool* pool = nullptr;
};

struct Port {
  uint16_t id = 0;            // DPDK's
  uint16_t rx_queues = 0;     // queue n is served by worker n % workers
  uint16_t tx_queues = 0;     // as many as workers, or worker 0 sends for all
  std::string device;         // DPDK's name, for closing
};

// Configured and started, promiscuous. The error names the port as the site wrote it and what was missing.
Result<Port> open_port(const PortSetup& setup);

// Stops and removes the device; also when its interface has gone.
void close_port(const Port& port);

// The kernel interface behind the port, empty for rings, captures and NICs bound to user space.
std::string kernel_interface(const PortSpec& spec);

// Bytes a packet buffer keeps for a frame of this MTU with two VLAN tags. Whole pages where the default is
// too small: DPDK's AF_PACKET rings take nothing else, and their frames must fit into a buffer.
unsigned frame_room(uint16_t mtu);

// Largest MTU the kind of port can carry; 0: as the device says.
uint16_t mtu_limit(const PortSpec& spec);

}  // namespace postern::dataplane
