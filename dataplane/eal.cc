// SPDX-License-Identifier: Apache-2.0
#include "dataplane/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

namespace postern::dataplane {
namespace {

// Bytes of free hugepages of any size; the kernel's pool is shared, so this is a hint, not a reservation.
size_t free_hugepage_bytes() {
  size_t total = 0;
  const struct {
    const char* directory;
    size_t size;
  } kSizes[] = {{"hugepages-2048kB", 2u << 20}, {"hugepages-1048576kB", 1u << 30}};
  for (const auto& size : kSizes) {
    std::ifstream file(std::string("/sys/kernel/mm/hugepages/") + size.directory + "/free_hugepages");
    size_t pages = 0;
    if (file >> pages) total += pages * size.size;
  }
  return total;
}

void list(std::ostringstream& text, const std::vector<unsigned>& cores) {
  char separator = '(';
  for (const unsigned core : cores) {
    text << separator << core;
    separator = ',';
  }
  text << ')';
}

}  // namespace

std::string lcore_map(const EalSetup& setup, unsigned cores_online) {
  std::vector<unsigned> all, free;
  for (unsigned core = 0; core < std::max(cores_online, 1u); ++core) {
    all.push_back(core);
    if (std::find(setup.cores.begin(), setup.cores.end(), core) == setup.cores.end()) free.push_back(core);
  }
  std::ostringstream text;
  text << "0@";
  list(text, free.empty() ? all : free);
  for (unsigned worker = 0; worker < setup.workers; ++worker) {
    text << ',' << worker + 1 << '@';
    if (worker < setup.cores.size())
      text << setup.cores[worker];
    else
      list(text, all);
  }
  return text.str();
}

Result<EalReport> start_eal(const EalSetup& setup) {
  EalReport report;
  std::vector<std::string> arguments = {
      "posternd",
      "--lcores",
      lcore_map(setup, static_cast<unsigned>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L))),
      "--no-telemetry",
      "--log-level",
      "*:4",
      "--file-prefix",
      "postern" + std::to_string(getpid())};
  const size_t huge = free_hugepage_bytes();
  if (huge >= setup.memory) {
    arguments.insert(arguments.end(), {"--in-memory"});
  } else {
    // Without hugepages DPDK takes ordinary memory; it refuses --in-memory beside that and leaves no files
    // anyway.
    arguments.insert(arguments.end(),
                     {"--no-huge", "--no-shconf", "-m", std::to_string((setup.memory >> 20) + 64)});
    report.notice = "no hugepages (" + std::to_string(huge >> 20) + " MiB free, " +
                    std::to_string(setup.memory >> 20) +
                    " MiB wanted): running on ordinary pages, which costs speed; set vm.nr_hugepages";
  }
  if (setup.pci_devices.empty()) arguments.push_back("--no-pci");
  for (const std::string& device : setup.pci_devices) arguments.insert(arguments.end(), {"-a", device});

  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0)
    return Error{std::string("DPDK did not start: ") + rte_strerror(rte_errno)};
  return report;
}

}  // namespace postern::dataplane
