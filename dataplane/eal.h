// SPDX-License-Identifier: Apache-2.0
// Starts DPDK's environment from what the site says, so operators write no EAL arguments. Once per process,
// main thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace postern::dataplane {

struct EalSetup {
  unsigned workers = 1;
  std::vector<unsigned> cores;           // core of worker n; empty: the scheduler decides
  std::vector<std::string> pci_devices;  // empty: the PCI bus is not touched
  size_t memory = 256u << 20;            // bytes for packet buffers and rings
};

struct EalReport {
  std::string notice;  // for the operator, for instance that hugepages are missing
};

// EAL's map of lcores to cores: lcore 0 is the control thread's, n + 1 that of worker n. Who pins workers
// gets their cores to themselves, as long as one core is left for all that is no worker: reading and
// compiling a policy must not take a worker's time away.
std::string lcore_map(const EalSetup& setup, unsigned cores_online);

// Errors: an argument DPDK refuses (its own log says why), or a second call.
Result<EalReport> start_eal(const EalSetup& setup);

}  // namespace postern::dataplane
