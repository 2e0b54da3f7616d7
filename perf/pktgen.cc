// SPDX-License-Identifier: Apache-2.0
// A load generator on DPDK ports; perf/README.md tells how to use it. The main thread talks, one lcore sends
// and receives.
#include <fmt/format.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "dataplane/eal.h"
#include "dataplane/interface_watch.h"
#include "dataplane/port.h"
#include "perf/traffic/connections.h"
#include "perf/traffic/pktgen_options.h"
#include "perf/traffic/probed.h"
#include "perf/traffic/recording.h"
#include "perf/traffic/trial_json.h"
#include "perf/traffic/trial_text.h"

namespace postern::perf {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr unsigned kBuffers = 32767;
constexpr int kFailed = 1, kLost = 3;

volatile std::sig_atomic_t interrupted = 0;
void on_signal(int) { interrupted = 1; }

Result<std::unique_ptr<FrameSource>> source_of(const PktgenOptions& options) {
  std::unique_ptr<FrameSource> source;
  switch (options.content) {
    case Content::Datagrams:
      source = std::make_unique<Datagrams>(options.datagrams);
      return source;
    case Content::Connections:
      source = std::make_unique<Connections>(ConnectionShape{.flows = options.datagrams.flows,
                                                             .answer_bytes = options.answer_bytes,
                                                             .vlan = options.datagrams.vlan,
                                                             .seed = options.datagrams.seed});
      break;
    case Content::Recording: {
      auto recording = Recording::read(options.capture, options.loops);
      if (!recording) return recording.error();
      source = std::make_unique<Recording>(std::move(*recording));
      break;
    }
  }
  if (options.probe_every == 0) return source;
  DatagramShape probes = options.datagrams;
  probes.flows = std::min(probes.flows, 100u);
  return std::unique_ptr<FrameSource>(
      std::make_unique<Probed>(std::move(source), probes, options.probe_every));
}

// Ports that are open; they close in reverse.
class Ports {
 public:
  ~Ports() {
    for (auto port = ports_.rbegin(); port != ports_.rend(); ++port) dataplane::close_port(*port);
  }
  Status open(const std::vector<dataplane::PortSpec>& specs, rte_mempool* pool) {
    unsigned number = 0;
    for (const dataplane::PortSpec& spec : specs) {
      auto port = dataplane::open_port({.spec = spec, .number = number++, .pool = pool});
      if (!port) return port.error();
      ports_.push_back(*port);
      const std::string interface = dataplane::kernel_interface(spec);
      if (!interface.empty()) dataplane::InterfaceWatch().bring_up(interface);
    }
    return Ok{};
  }
  // Empty: all links are up.
  std::string wait_for_links(double seconds) const {
    const auto deadline = SteadyClock::now() + std::chrono::duration<double>(seconds);
    for (const dataplane::Port& port : ports_)
      for (rte_eth_link link{}; rte_eth_link_get_nowait(port.id, &link) == 0 && link.link_status == 0;) {
        if (SteadyClock::now() > deadline || interrupted) return port.device;
        std::this_thread::sleep_for(10ms);
      }
    return {};
  }
  std::vector<uint16_t> ids() const {
    std::vector<uint16_t> ids;
    for (const dataplane::Port& port : ports_) ids.push_back(port.id);
    return ids;
  }

 private:
  std::vector<dataplane::Port> ports_;
};

struct Order {
  Generator& generator;
  const Trial& trial;
  TrialResult result;
};

int carry_out(void* argument) {
  auto& order = *static_cast<Order*>(argument);
  order.result = order.generator.run(order.trial);
  return 0;
}

Second second_of(const Progress& progress) {
  return {.number = 0,
          .sent = progress.sent[0].value() + progress.sent[1].value(),
          .received = progress.received[0].value() + progress.received[1].value(),
          .refused = progress.refused.value(),
          .sent_bytes = progress.sent_bytes.value(),
          .received_bytes = progress.received_bytes.value(),
          .latency = progress.latency};
}

class Session {
 public:
  Session(const PktgenOptions& options, Generator& generator) : options_(options), generator_(generator) {}

  int once() {
    Trial trial;
    trial.phases = {{options_.packets_per_second, options_.seconds}};
    const TrialResult result = run(trial, options_.quiet ? Talk::Nothing : Talk::EverySecond);
    std::cout << text_of(result);
    if (options_.per_flow)
      std::cout << fmt::format("flows with loss: {}\n", generator_.flow_loss().flows_with_loss());
    if (!options_.json_file.empty()) {
      std::ofstream out(options_.json_file);
      out << report_of(result).dump(1) << "\n";
      if (!out.flush()) {
        std::cerr << "pktgen: " << options_.json_file << ": cannot be written\n";
        return kFailed;
      }
    }
    return result.lost() + result.refused() > 0 ? kLost : 0;
  }

  int serve() {
    std::cout << "{\"ready\": true}" << std::endl;
    for (std::string line; !interrupted && std::getline(std::cin, line);) {
      const auto trial = parse_trial(line, options_.bits_on_link);
      const nlohmann::json answer =
          trial ? json_of(run(*trial, Talk::Nothing)) : nlohmann::json{{"error", trial.error().text()}};
      std::cout << answer.dump() << std::endl;
    }
    return 0;
  }

 private:
  enum class Talk : uint8_t { Nothing, EverySecond };

  TrialResult run(const Trial& trial, Talk talk) {
    Order order{generator_, trial, {}};
    rte_eal_remote_launch(carry_out, &order, 1);
    Second before = second_of(generator_.progress());
    auto next = SteadyClock::now() + 1s;
    for (unsigned number = 1; rte_eal_get_lcore_state(1) == RUNNING;) {
      std::this_thread::sleep_for(10ms);
      if (interrupted) generator_.stop();
      if (talk == Talk::Nothing || SteadyClock::now() < next) continue;
      next += 1s;
      const Second now = second_of(generator_.progress());
      Second passed{.number = number++,
                    .sent = now.sent - before.sent,
                    .received = now.received - before.received,
                    .refused = now.refused - before.refused,
                    .sent_bytes = now.sent_bytes - before.sent_bytes,
                    .received_bytes = now.received_bytes - before.received_bytes,
                    .latency = now.latency.since(before.latency)};
      std::cout << text_of(passed) << std::endl;
      before = now;
    }
    rte_eal_wait_lcore(1);
    return order.result;
  }

  const PktgenOptions& options_;
  Generator& generator_;
};

int fail(const Error& error) {
  std::cerr << "pktgen: " << error.text() << "\n";
  return kFailed;
}

int run(const PktgenOptions& options) {
  auto source = source_of(options);
  if (!source) return fail(source.error());
  dataplane::EalSetup setup{.memory = 160u << 20};
  if (options.core) setup.cores = {*options.core};
  for (const dataplane::PortSpec& spec : options.ports)
    if (spec.kind == dataplane::PortSpec::Kind::Pci) setup.pci_devices.push_back(spec.device);
  // The main thread keeps to the cores it was given, not to those that the device may need.
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  const auto eal = dataplane::start_eal(setup);
  sched_setaffinity(0, sizeof allowed, &allowed);
  if (!eal) return fail(eal.error());
  rte_mempool* pool = rte_pktmbuf_pool_create(
      "pktgen", kBuffers, 256, 0, static_cast<uint16_t>(RTE_PKTMBUF_HEADROOM + dataplane::frame_room(1500)),
      SOCKET_ID_ANY);
  if (pool == nullptr) return fail(Error{"no memory for packet buffers"});
  Ports ports;
  if (const Status opened = ports.open(options.ports, pool); !opened) return fail(opened.error());
  if (const std::string down = ports.wait_for_links(options.wait_seconds); !down.empty())
    return fail(Error{"the link of " + down + " stays down"});
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  Generator generator(ports.ids(), pool, **source, options.per_flow ? options.datagrams.flows : 0);
  Session session(options, generator);
  return options.mode == Mode::Serve ? session.serve() : session.once();
}

}  // namespace
}  // namespace postern::perf

int main(int count, char** words) {
  const auto line = postern::perf::parse_pktgen(count, words);
  (line.exit_code == 0 ? std::cout : std::cerr) << line.text;
  if (!line.options) return line.exit_code;
  const int code = postern::perf::run(*line.options);
  rte_eal_cleanup();
  return code;
}
