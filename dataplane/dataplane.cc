// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dataplane.h"

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <ctime>

#include "dataplane/packet_pool.h"

namespace postern::dataplane {
namespace {

constexpr unsigned kInboxSize = 4096;
constexpr Timestamp kRetryEvery = 100 * kMillisecond;

// Room for every ring and hand that can hold a packet at once. An AF_XDP queue keeps two rings of 2048
// filled.
constexpr unsigned kPoolCache = 256;  // buffers that a thread keeps for itself

unsigned buffers_needed(const DataplaneSetup& setup) {
  constexpr unsigned kPerQueue = 1024 + 1024, kPerXdpQueue = 4096 + 2048;
  const InterfaceWatch watch;
  const unsigned rings =
      setup.workers > 1 ? setup.workers + static_cast<unsigned>(setup.wires.size()) * 2 : 0;
  unsigned buffers =
      setup.workers * (FragmentLimits{}.fragments + StreamLimits{}.held + 512) + rings * kInboxSize;
  for (const Wire& wire : setup.wires)
    for (const PortSpec& spec : wire.ports)
      buffers += spec.kind == PortSpec::Kind::AfXdp ? watch.channels(spec.device).combined * kPerXdpQueue
                                                    : setup.workers * kPerQueue;
  return buffers;
}

// Full rings, and caches of every thread.
unsigned tls_buffers_needed(const DataplaneSetup& setup) {
  return setup.tls.threads == 0 ? 0 : (setup.tls.threads + setup.workers) * (kInboxSize + 512);
}

std::vector<std::string> pci_devices(const DataplaneSetup& setup) {
  std::vector<std::string> devices;
  for (const Wire& wire : setup.wires)
    for (const PortSpec& spec : wire.ports)
      if (spec.kind == PortSpec::Kind::Pci) devices.push_back(spec.device);
  return devices;
}

unsigned buffer_size(uint16_t mtu) { return RTE_PKTMBUF_HEADROOM + frame_room(mtu); }

uint64_t random_seed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = rte_rdtsc();
  return seed;
}

int run_worker(void* worker) {
  static_cast<Worker*>(worker)->run();
  return 0;
}

void sum_into(WorkerStats& total, const WorkerStats& one) {
  for (size_t i = 0; i < kDropReasons; ++i) total.dropped[i] += one.dropped[i];
  total.ports.resize(one.ports.size());
  for (size_t i = 0; i < one.ports.size(); ++i) {
    total.ports[i].received_packets += one.ports[i].received_packets;
    total.ports[i].received_bytes += one.ports[i].received_bytes;
    total.ports[i].sent_packets += one.ports[i].sent_packets;
    total.ports[i].sent_bytes += one.ports[i].sent_bytes;
  }
  for (uint64_t WorkerStats::*field :
       {&WorkerStats::received, &WorkerStats::sent, &WorkerStats::held, &WorkerStats::handed_over,
        &WorkerStats::taken_over, &WorkerStats::terminated, &WorkerStats::forged, &WorkerStats::flows,
        &WorkerStats::half_open, &WorkerStats::flows_created, &WorkerStats::flows_ended,
        &WorkerStats::half_open_evicted, &WorkerStats::log_records_lost, &WorkerStats::flow_table_bytes,
        &WorkerStats::flow_capacity, &WorkerStats::busy_cycles, &WorkerStats::idle_cycles})
    total.*field += one.*field;
  total.generation = one.generation;
}

}  // namespace

Dataplane::Dataplane(const DataplaneSetup& setup)
    : setup_(setup), pipeline_setup_(PipelineSetup::from(setup.wires)) {
  pipeline_setup_.flows = setup.flows;
  pipeline_setup_.hash_seed = random_seed();
  pipeline_setup_.max_frame = setup.mtu + 22u;  // Ethernet and two VLAN tags
  shared_.idle = setup.idle;
  shared_.workers = setup.workers;
  shared_.questions = std::vector<QuestionTable>(setup.workers);
}

Result<std::unique_ptr<Dataplane>> Dataplane::start(const DataplaneSetup& setup,
                                                    const classify::PolicySnapshot& snapshot) {
  EalSetup eal{.workers = setup.workers, .cores = setup.cores};
  eal.memory = (size_t{buffers_needed(setup)} + tls_buffers_needed(setup)) * (buffer_size(setup.mtu) + 256) +
               (64u << 20);
  eal.pci_devices = pci_devices(setup);
  const Result<EalReport> report = start_eal(eal);
  if (!report) return report.error();

  if (const Status possible = Identifier::possible(); !possible) return possible.error();
  std::unique_ptr<Dataplane> dataplane(new Dataplane(setup));
  dataplane->notice_ = report->notice;
  dataplane->shared_.snapshot.store(&snapshot);
  if (const Status status = dataplane->open_ports(); !status) return status.error();
  if (const Status status = dataplane->start_tls(); !status) return status.error();
  if (const Status status = dataplane->launch(); !status) return status.error();
  return dataplane;
}

Dataplane::~Dataplane() {
  stop();
  for (unsigned i = 0; i < ends_.size(); ++i) {
    if (ends_[i].held_down) watch_.bring_up(ends_[i].interface);
    if (ends_[i].port) close_port(*ends_[i].port);
  }
  rte_free(shared_.quiescence);
}

Status Dataplane::open_ports() {
  const Result<rte_mempool*> pool = make_packet_pool({.name = "packets",
                                                      .buffers = buffers_needed(setup_),
                                                      .cache = kPoolCache,
                                                      .size = buffer_size(setup_.mtu),
                                                      .for_hardware = !pci_devices(setup_).empty()});
  if (!pool) return pool.error();
  pool_ = *pool;
  for (const Wire& wire : setup_.wires) {
    for (const PortSpec& spec : wire.ports) {
      Result<Port> port = open_port({spec, devices_++, setup_.workers, setup_.mtu, setup_.idle, pool_});
      if (!port) return port.error();
      WireEnd end;
      end.spec = spec;
      end.interface = kernel_interface(spec);
      end.port = std::make_unique<Port>(*port);
      if (!end.interface.empty()) {
        watch_.bring_up(end.interface);
        end.interface_index = watch_.state(end.interface).index;
      }
      auto live = std::make_unique<LivePort>();
      const std::string name = "outbox" + std::to_string(shared_.ports.size());
      live->outbox = rte_ring_create(name.c_str(), kInboxSize, SOCKET_ID_ANY, RING_F_SC_DEQ);
      if (live->outbox == nullptr)
        return Error{std::string("no ring between workers: ") + rte_strerror(rte_errno)};
      live->port.store(end.port.get());
      shared_.ports.push_back(std::move(live));
      ends_.push_back(std::move(end));
    }
  }
  return Ok{};
}

Status Dataplane::start_tls() {
  if (setup_.tls.threads == 0) return Ok{};
  const auto ring = [](const std::string& name, unsigned flags) {
    return rte_ring_create(name.c_str(), kInboxSize, SOCKET_ID_ANY, flags);
  };
  const Result<rte_mempool*> pool = make_packet_pool({.name = "tls",
                                                      .buffers = tls_buffers_needed(setup_),
                                                      .cache = kPoolCache,
                                                      .size = buffer_size(setup_.mtu),
                                                      .for_hardware = !pci_devices(setup_).empty()});
  if (!pool) return pool.error();
  tls_links_.pool = *pool;
  for (unsigned n = 0; n < setup_.workers; ++n)
    tls_links_.workers.push_back(ring("tls_to_worker" + std::to_string(n), RING_F_SC_DEQ));
  for (unsigned n = 0; n < setup_.tls.threads; ++n) {
    tls_links_.cores.push_back(std::make_unique<TlsCoreLink>());
    tls_links_.cores[n]->inbox = ring("tls_inbox" + std::to_string(n), RING_F_SC_DEQ);
    tls_links_.cores[n]->wake = UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (tls_links_.cores[n]->inbox == nullptr) return Error{"no ring to a TLS core"};
  }
  if (std::count(tls_links_.workers.begin(), tls_links_.workers.end(), nullptr) > 0)
    return Error{"no ring from the TLS cores"};
  for (unsigned n = 0; n < setup_.tls.threads; ++n) {
    TlsCoreSetup core{.number = n,
                      .cpu = {},
                      .sessions = setup_.tls.sessions,
                      .mtu = setup_.mtu,
                      .adopted_file = {},
                      .links = &tls_links_,
                      .clock = shared_.clock,
                      .identities = setup_.tls.identities,
                      .inspectors = setup_.tls.inspectors};
    if (!setup_.tls.adopted_file.empty()) core.adopted_file = setup_.tls.adopted_file + std::to_string(n);
    if (n < setup_.tls.cores.size()) core.cpu = setup_.tls.cores[n];
    auto started = TlsCore::start(core);
    if (!started) return started.error();
    tls_cores_.push_back(std::move(*started));
  }
  pipeline_setup_.tls = &tls_links_;
  return Ok{};
}

void Dataplane::use(const std::shared_ptr<const tls::ServerIdentities>& identities) {
  for (const auto& core : tls_cores_) core->use(identities);
}

Status Dataplane::launch() {
  const size_t size = rte_rcu_qsbr_get_memsize(setup_.workers);
  shared_.quiescence = static_cast<rte_rcu_qsbr*>(rte_zmalloc("quiescence", size, RTE_CACHE_LINE_SIZE));
  if (shared_.quiescence == nullptr) return Error{"no memory for the workers' quiescence state"};
  rte_rcu_qsbr_init(shared_.quiescence, setup_.workers);
  for (unsigned n = 0; n < setup_.workers; ++n) {
    const std::string name = "inbox" + std::to_string(n);
    rte_ring* inbox = rte_ring_create(name.c_str(), kInboxSize, SOCKET_ID_ANY, RING_F_SC_DEQ);
    if (inbox == nullptr) return Error{std::string("no ring between workers: ") + rte_strerror(rte_errno)};
    shared_.inboxes.push_back(inbox);
    workers_.push_back(std::make_unique<Worker>(shared_, pipeline_setup_, n, setup_.log_records));
  }
  for (unsigned n = 0; n < setup_.workers; ++n)
    if (rte_eal_remote_launch(run_worker, workers_[n].get(), n + 1) != 0)
      return Error{"worker " + std::to_string(n) + " did not start"};
  running_ = true;
  return Ok{};
}

bool Dataplane::tls_frames_wait() const {
  const auto waits = [](rte_ring* ring) { return rte_ring_empty(ring) == 0; };
  return std::any_of(tls_links_.workers.begin(), tls_links_.workers.end(), waits) ||
         std::any_of(shared_.ports.begin(), shared_.ports.end(),
                     [&](const auto& port) { return waits(port->outbox); });
}

// The workers send the last frames of the TLS cores, which reset the peers of every session. A frame may be
// between two rings, so they have to be found empty several times.
void Dataplane::stop_tls() {
  for (const auto& core : tls_cores_) core->stop();
  if (tls_cores_.empty()) return;
  unsigned empty = 0;
  for (unsigned i = 0; i < 100 && empty < 4; ++i) {
    empty = tls_frames_wait() ? 0 : empty + 1;
    const timespec pause{0, 500'000};
    nanosleep(&pause, nullptr);
  }
}

void Dataplane::stop() {
  if (!running_) return;
  running_ = false;
  stop_tls();
  shared_.stop.store(true);
  rte_eal_mp_wait_lcore();
}

void Dataplane::wait_for_quiescence() {
  if (running_) rte_rcu_qsbr_synchronize(shared_.quiescence, RTE_QSBR_THRID_INVALID);
}

bool Dataplane::publish(const classify::PolicySnapshot& snapshot) {
  publishing_at_ = rte_rdtsc();
  shared_.snapshot.store(&snapshot, std::memory_order_release);
  published_at_ = rte_rdtsc_precise();  // an idle worker's round is shorter than a store takes to be seen
  published_ = snapshot.generation().value;
  if (!running_) return true;
  const uint64_t token = rte_rcu_qsbr_start(shared_.quiescence);
  for (unsigned i = 0; i < 50'000; ++i) {
    if (rte_rcu_qsbr_check(shared_.quiescence, token, false) == 1) return true;
    const timespec pause{0, 100'000};
    nanosleep(&pause, nullptr);
  }
  return false;
}

std::vector<WorkerSwitch> Dataplane::last_switch() const {
  std::vector<WorkerSwitch> switches;
  if (published_ == 0) return switches;
  const double nanoseconds = 1e9 / static_cast<double>(rte_get_tsc_hz());
  const auto duration = [&](uint64_t cycles) {
    return static_cast<Timestamp>(static_cast<double>(cycles) * nanoseconds);
  };
  for (const auto& worker : workers_) {
    const PolicySwitch one = worker->last_switch();
    if (one.generation != published_) continue;
    // A round that began before the publication and looked at the policy after it has waited for nothing.
    const uint64_t after = one.at - std::min(one.at, publishing_at_);
    const bool next_round = one.at - std::min(one.at, published_at_) <= one.round;
    switches.push_back({duration(after), duration(one.round), next_round});
  }
  return switches;
}

// The workers let go of the port before its device goes.
void Dataplane::withdraw(unsigned index) {
  WireEnd& end = ends_[index];
  shared_.ports[index]->port.store(nullptr, std::memory_order_release);
  wait_for_quiescence();
  close_port(*end.port);
  end.port.reset();
  end.interface_index = 0;
}

bool Dataplane::attach(unsigned index) {
  WireEnd& end = ends_[index];
  Result<Port> port = open_port({end.spec, devices_++, setup_.workers, setup_.mtu, setup_.idle, pool_});
  if (!port) return false;
  watch_.bring_up(end.interface);
  end.port = std::make_unique<Port>(*port);
  end.interface_index = watch_.state(end.interface).index;
  end.held_down = false;
  end.link = true;
  shared_.ports[index]->port.store(end.port.get(), std::memory_order_release);
  return true;
}

std::vector<std::string> Dataplane::tend() {
  std::vector<std::string> alarms;
  const Timestamp now = shared_.clock.now();
  for (unsigned i = 0; i < ends_.size(); ++i) {
    WireEnd& end = ends_[i];
    if (end.interface.empty()) continue;
    const InterfaceState state = watch_.state(end.interface);
    if (end.port && state.index != end.interface_index) {
      withdraw(i);
      alarms.push_back("port " + end.spec.text + ": interface " + end.interface + " has gone");
    }
    if (!end.port && state.index != 0 && now >= end.retry_at) {
      end.retry_at = now + kRetryEvery;
      if (attach(i)) alarms.push_back("port " + end.spec.text + ": attached again");
    }
    const bool link = end.port != nullptr && (end.held_down || (state.administrative_up && state.carrier));
    if (link != end.link)
      alarms.push_back("port " + end.spec.text + (link ? ": link is up" : ": link is down"));
    end.link = link;
  }
  // A host behind one side must notice when nobody is behind the other.
  for (unsigned i = 0; i < ends_.size(); ++i) {
    WireEnd& end = ends_[i];
    const WireEnd& opposite = ends_[i ^ 1];
    shared_.ports[i]->link_up.store(end.link && !end.held_down, std::memory_order_relaxed);
    if (end.interface.empty() || !end.port) continue;
    if (!opposite.link && !end.held_down && end.link)
      end.held_down = watch_.take_down(end.interface);
    else if (opposite.link && end.held_down)
      end.held_down = !watch_.bring_up(end.interface);
  }
  return alarms;
}

std::optional<WorkerStats> Dataplane::stats() {
  WorkerStats total;
  for (const auto& worker : workers_) {
    WorkerStats one;
    if (!running_ || !worker->stats(one)) return std::nullopt;
    sum_into(total, one);
  }
  return total;
}

std::optional<FlowQuery> Dataplane::flows(uint32_t limit) {
  FlowQuery total{.limit = limit};
  for (const auto& worker : workers_) {
    FlowQuery one{.limit = limit - static_cast<uint32_t>(total.found.size())};
    if (!running_ || !worker->flows(one)) return std::nullopt;
    total.found.insert(total.found.end(), one.found.begin(), one.found.end());
    total.states.insert(total.states.end(), one.states.begin(), one.states.end());
  }
  return total;
}

std::optional<std::vector<TraceEvent>> Dataplane::trace(const TraceTarget& target) {
  std::vector<TraceEvent> found;
  for (const auto& worker : workers_) {
    TraceQuery query{.ask = TraceQuery::Ask::Find, .target = target, .from = 0, .lost = 0, .found = {}};
    while (query.from != kNoFlow)
      if (!running_ || !worker->trace(query)) return std::nullopt;
    found.insert(found.end(), query.found.begin(), query.found.end());
  }
  return found;
}

bool Dataplane::follow(const TraceTarget& target) {
  followed();  // what nobody fetched of an earlier story
  for (const auto& worker : workers_) {
    TraceQuery query{.ask = TraceQuery::Ask::Follow, .target = target, .from = 0, .lost = 0, .found = {}};
    if (!running_ || !worker->trace(query)) return false;
  }
  return true;
}

std::vector<TraceEvent> Dataplane::followed() {
  std::vector<TraceEvent> events;
  std::array<TraceEvent, 16> portion;
  for (const auto& worker : workers_) {
    TraceRing* ring = worker->trace_ring();
    if (ring == nullptr) continue;
    while (const size_t count = ring->read(portion))
      events.insert(events.end(), portion.begin(), portion.begin() + count);
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const TraceEvent& a, const TraceEvent& b) { return a.flow.time < b.flow.time; });
  return events;
}

std::optional<uint64_t> Dataplane::unfollow() {
  uint64_t lost = 0;
  for (const auto& worker : workers_) {
    TraceQuery query{.ask = TraceQuery::Ask::Stop, .target = {}, .from = 0, .lost = 0, .found = {}};
    if (!running_ || !worker->trace(query)) return std::nullopt;
    lost += query.lost;
  }
  return lost;
}

std::vector<PortStatus> Dataplane::port_status() const {
  std::vector<PortStatus> status;
  for (const WireEnd& end : ends_)
    status.push_back({end.spec.text, end.port != nullptr, end.link && !end.held_down});
  return status;
}

const RuleCounters& Dataplane::rule_counters(unsigned worker, RuleId rule) const {
  return workers_[worker]->counters().rules[rule.value < Counters::kRules ? rule.value : 0];
}

}  // namespace postern::dataplane
