// SPDX-License-Identifier: Apache-2.0
// Memory ports: preloaded (LD_PRELOAD) into any DPDK program, it makes the program's net_null ports deliver
// prepared traffic and measures turns, so that testpmd, l3fwd and posternd meet the same frames at the same
// cost. Each frame is copied into a buffer of the port's pool, as a NIC would write it; what is sent is
// freed. Debian ships no headers for drivers; public callbacks of ethdev do what a driver would. Environment:
// POSTERN_MEMORY_TRAFFIC (perf/memory_traffic.h), POSTERN_MEMORY_TURNS (two FIFOs, PATH.ask and PATH.tell).
// Runs in the polling thread of a program with one such thread; mistakes end the program.
#include <dlfcn.h>
#include <fcntl.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_memcpy.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>

#include "perf/memory_traffic.h"

namespace postern::perf {
namespace {

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "memory ports: %s\n", what);
  std::_Exit(3);
}

template <typename Function>
Function* real(const char* name) {
  auto* function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  if (function == nullptr) fail(name);
  return function;
}

uint64_t thread_nanoseconds() noexcept {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

struct Mark {
  uint64_t nanoseconds, received, sent;
};

// The script lets one program at a time run on a core that all share: a turn is "WARM_MS MEASURE_MS", and the
// answer "RECEIVED SENT CYCLES", cycles of the thread's own time. Between turns the polling thread sleeps in read().
class Turns {
 public:
  explicit Turns(const std::string& path)
      : ask_(open((path + ".ask").c_str(), O_RDONLY)), tell_(open((path + ".tell").c_str(), O_WRONLY)) {
    if (ask_ < 0 || tell_ < 0) fail("no FIFOs to take turns by");
  }

  // Once per poll; the clock is read there and nowhere else.
  void tick(uint64_t received, uint64_t sent) noexcept {
    const uint64_t now = rte_rdtsc();
    if (now < until_) return;
    if (phase_ == Phase::Warm) {
      start_ = {thread_nanoseconds(), received, sent};
      until_ = rte_rdtsc() + measure_;
      phase_ = Phase::Measure;
      return;
    }
    const Mark end{thread_nanoseconds(), received, sent};
    if (phase_ == Phase::Measure)
      say("%llu %llu %llu\n", end.received - start_.received, end.sent - start_.sent,
          (end.nanoseconds - start_.nanoseconds) * (rte_get_tsc_hz() / 1'000'000) / 1000);
    else
      say("ready\n");
    wait();
  }

 private:
  enum class Phase { Before, Warm, Measure };

  template <typename... Numbers>
  void say(const char* format, Numbers... numbers) noexcept {
    char text[128];
    const int size = std::snprintf(text, sizeof text, format, static_cast<unsigned long long>(numbers)...);
    if (write(tell_, text, static_cast<size_t>(size)) != size) std::_Exit(0);
  }
  void wait() noexcept {
    char text[64] = {};
    unsigned long long warm = 0, measure = 0;
    if (read(ask_, text, sizeof text - 1) <= 0) std::_Exit(0);  // the script has gone
    if (std::sscanf(text, "%llu %llu", &warm, &measure) != 2) fail("found no turn, expected two numbers");
    const uint64_t per_millisecond = rte_get_tsc_hz() / 1000;
    measure_ = measure * per_millisecond;
    until_ = rte_rdtsc() + warm * per_millisecond;
    phase_ = Phase::Warm;
  }

  int ask_, tell_;
  Phase phase_ = Phase::Before;
  uint64_t until_ = 0, measure_ = 0;
  Mark start_{};
};

struct Port {
  rte_mempool* pool = nullptr;
  uint8_t index = 0;  // of the traffic: 0 or 1
};

struct Ports {
  Ports() : traffic(path_of("POSTERN_MEMORY_TRAFFIC")), turns(path_of("POSTERN_MEMORY_TURNS")) {}
  static std::string path_of(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr) fail(name);
    return value;
  }
  MemoryTraffic traffic;
  Turns turns;
  uint64_t received = 0, sent = 0;
};

Port ports[RTE_MAX_ETHPORTS];
uint8_t started = 0;
std::unique_ptr<Ports> all;

// What NICs do: say what a packet is, and check its sums.
constexpr uint32_t kTypes[] = {RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_TCP,
                               RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_UDP, RTE_PTYPE_UNKNOWN};
constexpr uint64_t kSumsGood = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
constexpr uint32_t kPtypes[] = {RTE_PTYPE_L2_ETHER,    RTE_PTYPE_L3_IPV4, RTE_PTYPE_L3_IPV4_EXT,
                                RTE_PTYPE_L3_IPV6_EXT, RTE_PTYPE_L4_TCP,  RTE_PTYPE_L4_UDP};

// RFC 1624 equation 3 for a word that grew by `more`.
void adjust_sum(uint8_t* at, uint8_t more) noexcept {
  const uint32_t sum = uint32_t{static_cast<uint16_t>(~(at[0] << 8 | at[1]))} + more;
  const auto folded = static_cast<uint16_t>(~((sum & 0xffff) + (sum >> 16)));
  at[0] = static_cast<uint8_t>(folded >> 8);
  at[1] = static_cast<uint8_t>(folded);
}

// Another client than the last time this frame came.
void renew(uint8_t* bytes, const Frame& frame, uint8_t port) noexcept {
  constexpr size_t kIpSum = 24, kSource = 27, kDestination = 31, kUdpSum = 40, kTcpSum = 50;
  bytes[port == 0 ? kSource : kDestination] = static_cast<uint8_t>(64 + frame.epoch);
  adjust_sum(bytes + kIpSum, frame.epoch);
  adjust_sum(bytes + (frame.kind == FrameKind::Tcp ? kTcpSum : kUdpSum), frame.epoch);
}

void fill(rte_mbuf* packet, const Frame& frame, uint16_t port, uint8_t side) noexcept {
  auto* to = rte_pktmbuf_mtod(packet, uint8_t*);
  if (frame.length <= 64)
    rte_mov64(to, frame.bytes);
  else
    rte_memcpy(to, frame.bytes, frame.length);
  packet->data_len = frame.length;
  packet->pkt_len = frame.length;
  packet->packet_type = kTypes[static_cast<size_t>(frame.kind)];
  packet->ol_flags = frame.kind == FrameKind::Raw ? 0 : kSumsGood;
  packet->port = port;
  if (frame.epoch != 0) renew(to, frame, side);
}

uint16_t receive(uint16_t port, uint16_t, rte_mbuf** packets, uint16_t, uint16_t most, void* of) {
  const Port& self = *static_cast<Port*>(of);
  MemoryTraffic& traffic = all->traffic;
  if (self.index == 0 && traffic.opened()) all->turns.tick(all->received, all->sent);
  const uint16_t count = traffic.ready(self.index, most);
  if (count == 0 || rte_pktmbuf_alloc_bulk(self.pool, packets, count) != 0) return 0;
  for (uint16_t i = 0; i < count; ++i) fill(packets[i], traffic.next(self.index), port, self.index);
  all->received += count;
  return count;
}

uint16_t count_sent(uint16_t, uint16_t, rte_mbuf**, uint16_t count, void*) {
  all->sent += count;
  return count;
}

bool is_memory_port(uint16_t port) {
  char name[RTE_ETH_NAME_MAX_LEN] = {};
  return rte_eth_dev_get_name_by_port(port, name) == 0 && std::strncmp(name, "net_null", 8) == 0;
}

}  // namespace
}  // namespace postern::perf

using namespace postern::perf;

extern "C" {

int rte_eth_rx_queue_setup(uint16_t port, uint16_t queue, uint16_t descriptors, unsigned socket,
                           const rte_eth_rxconf* config, rte_mempool* pool) {
  ports[port].pool = pool;
  return real<decltype(rte_eth_rx_queue_setup)>("rte_eth_rx_queue_setup")(port, queue, descriptors, socket,
                                                                          config, pool);
}

int rte_eth_dev_start(uint16_t port) {
  const int result = real<decltype(rte_eth_dev_start)>("rte_eth_dev_start")(port);
  if (result != 0 || !is_memory_port(port)) return result;
  if (all == nullptr) all = std::make_unique<Ports>();
  ports[port].index = started++ & 1;
  if (rte_eth_add_rx_callback(port, 0, receive, &ports[port]) == nullptr ||
      rte_eth_add_tx_callback(port, 0, count_sent, nullptr) == nullptr)
    fail("a port takes no callbacks");
  return result;
}

int rte_eth_dev_get_supported_ptypes(uint16_t, uint32_t mask, uint32_t* types, int room) {
  int count = 0;
  for (const uint32_t type : kPtypes) {
    if ((type & mask) == 0) continue;
    if (types != nullptr && count < room) types[count] = type;
    ++count;
  }
  return count;
}

int rte_eth_dev_info_get(uint16_t port, rte_eth_dev_info* about) {
  const int result = real<decltype(rte_eth_dev_info_get)>("rte_eth_dev_info_get")(port, about);
  if (result == 0 && is_memory_port(port)) about->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_CHECKSUM;
  return result;
}
}
