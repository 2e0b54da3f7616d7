// SPDX-License-Identifier: Apache-2.0
#include "control/daemon.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>

#include "control/api_server.h"
#include "control/log_writer.h"
#include "control/running_policy.h"
#include "control/show.h"
#include "control/trace_command.h"
#include "dataplane/dataplane.h"
#include "tls/secure_memory.h"

namespace postern::control {
namespace {

using namespace std::chrono_literals;
using dataplane::Dataplane;
using dataplane::LogEvent;
using dataplane::WorkerStats;
using SteadyClock = std::chrono::steady_clock;

std::atomic<int> stop_signal{0};
std::atomic<bool> reopen_logs{false};

void on_stop(int signal) { stop_signal.store(signal); }
void on_hangup(int) { reopen_logs.store(true); }

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  action.sa_handler = on_hangup;
  sigaction(SIGHUP, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

// Flow memory holds other people's traffic, and keys later on.
void forbid_core_dumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

class RingSource : public LogSource {
 public:
  RingSource(Dataplane& dataplane, unsigned worker) : dataplane_(dataplane), worker_(worker) {}
  size_t read(std::span<LogEvent> events) override { return dataplane_.log_ring(worker_).read(events); }
  uint64_t lost() const override { return dataplane_.log_records_lost(worker_); }

 private:
  Dataplane& dataplane_;
  unsigned worker_;
};

LogDestinations destinations_of(const Site& site) {
  LogDestinations destinations{
      .observer = site.name, .files = {}, .fallback = site.policy.default_logging.forwarding};
  for (const ForwardingProfile& profile : site.forwardings)
    destinations.files.push_back({profile.id, profile.file});
  const bool named = destinations.fallback != ForwardingId{};
  if (!named && !site.forwardings.empty()) destinations.fallback = site.forwardings.front().id;
  return destinations;
}

class Daemon {
 public:
  explicit Daemon(std::ostream& out) : out_(out) {}

  int run(const std::string& site_file) {
    if (const int code = start(site_file); code != 0) return code;
    while (stop_signal.load() == 0) turn();
    tell("ends on signal {}", stop_signal.load());
    dataplane_->stop();
    log_->stop();
    return 0;
  }

 private:
  template <typename... Args>
  void tell(fmt::format_string<Args...> format, Args&&... args) {
    fmt::print(out_, "posternd: ");
    fmt::print(out_, format, std::forward<Args>(args)...);
    out_ << std::endl;
  }

  int start(const std::string& site_file) {
    Compiled compiled = compile_site(site_file, names_, Generation{1});
    if (!compiled.compiled) {
      for (const Error& error : compiled.errors) tell("{}", error.text());
      return static_cast<int>(ExitCode::Invalid);
    }
    current_ = std::move(compiled.compiled);
    const Site& site = current_->site;
    for (const std::string& warning : site.warnings) tell("warning: {}", warning);
    prepare_tls(site.tls);

    // Before any port is touched: a second daemon must not disturb the first.
    auto api = ApiServer::listen({.socket = site.control_socket, .group = site.control_group});
    if (!api) return fail(api.error());
    api_ = std::move(*api);
    for (const std::string& warning : api_->warnings()) tell("warning: {}", warning);

    auto dataplane = Dataplane::start({.wires = site.wires,
                                       .workers = site.workers,
                                       .cores = site.cores,
                                       .idle = site.idle,
                                       .flows = site.flows,
                                       .mtu = site.mtu,
                                       .tls = site.tls},
                                      *current_->snapshot);
    if (!dataplane) return fail(dataplane.error());
    dataplane_ = std::move(*dataplane);
    if (!dataplane_->notice().empty()) tell("notice: {}", dataplane_->notice());

    std::vector<LogSource*> sources;
    for (unsigned worker = 0; worker < dataplane_->workers(); ++worker) {
      sources_.push_back(std::make_unique<RingSource>(*dataplane_, worker));
      sources.push_back(sources_.back().get());
    }
    auto log = LogWriter::open(names_, sources, destinations_of(site));
    if (!log) return fail(log.error());
    log_ = std::move(*log);
    log_->start();
    answer_requests();
    for (const Wire& wire : site.wires)
      tell("forwarding on wire {}: {} ({}) <-> {} ({})", wire.name, wire.sides[0], wire.ports[0].text,
           wire.sides[1], wire.ports[1].text);
    return 0;
  }

  // Two sockets for every session.
  void prepare_tls(const dataplane::TlsSetup& tls) {
    if (tls.threads == 0) return;
    if (!tls.key_log.empty())
      tell("notice: tls.key_log: the secrets of TLS sessions are written to {}", tls.key_log);
    constexpr rlim_t kOthers = 256;
    const rlim_t wanted = rlim_t{2} * tls.sessions * tls.threads + kOthers;
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted) return;
    files.rlim_cur = std::min(wanted, files.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur < wanted)
      tell(
          "notice: {} open files are allowed, and {} sessions of tls want {}: further ones are refused "
          "(full)",
          files.rlim_cur, uint64_t{tls.sessions} * tls.threads, wanted);
  }

  int fail(const Error& error) {
    tell("{}", error.text());
    return static_cast<int>(ExitCode::Failed);
  }

  void turn() {
    api_->poll_once(20ms);
    for (const std::string& alarm : dataplane_->tend()) tell("alarm: {}", alarm);
    trace_.tend(*dataplane_, SteadyClock::now());
    if (reopen_logs.exchange(false)) log_->reopen();
    const auto now = SteadyClock::now();
    const uint32_t seconds = current_->site.stats_seconds;
    if (seconds == 0 || now < stats_due_) return;
    stats_due_ = now + std::chrono::seconds(seconds);
    write_stats();
  }

  uint64_t uptime() const {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(SteadyClock::now() - started_).count());
  }

  void write_stats() {
    const auto stats = dataplane_->stats();
    if (!stats) {
      tell("alarm: a worker does not answer");
      return;
    }
    const LogCounters logged = log_->counters();
    StatsRecord record{.time = static_cast<Timestamp>(std::time(nullptr)) * kSecond,
                       .uptime_seconds = uptime(),
                       .generation = current_->snapshot->generation(),
                       .received = stats->received,
                       .sent = stats->sent,
                       .forged = stats->forged,
                       .terminated = stats->terminated,
                       .held = stats->held + stats->handed_over - stats->taken_over,
                       .dropped = stats->dropped,
                       .flows_active = stats->flows,
                       .flows_opened = stats->flows_created,
                       .log_lines = logged.lines,
                       .log_lost = logged.lost + stats->log_records_lost,
                       .log_write_errors = logged.write_errors,
                       .wires = {}};
    for (const Wire& wire : current_->site.wires) {
      WireStats counted{.wire = wire.name, .sides = {}};
      for (size_t side = 0; side < 2; ++side) {
        const WorkerStats::PortStats& port = stats->ports[wire.id.value * 2u + side];
        counted.sides[side] = {wire.sides[side],    wire.ports[side].text, port.received_packets,
                               port.received_bytes, port.sent_packets,     port.sent_bytes};
      }
      record.wires.push_back(std::move(counted));
    }
    if (!log_->log_stats(std::move(record)))
      tell("alarm: the log thread does not keep up, a stats record is lost");
  }

  void answer_requests() {
    api_->on("show", [this](const Request& request, const PeerCredentials&) {
      const LogCounters logged = log_->counters();
      return show(request,
                  {*current_, *dataplane_, names_, uptime(), logged.lines, logged.lost, logged.write_errors});
    });
    api_->on("test", [this](const Request& request, const PeerCredentials&) {
      if (request.what != "flow")
        return Reply::failure(ExitCode::Usage, "test: found \"" + request.what + "\", expected flow");
      return test_flow(request, *current_, names_);
    });
    api_->on("trace", [this](const Request& request, const PeerCredentials&) {
      return trace_.answer(request, *current_, *dataplane_, names_, SteadyClock::now());
    });
    api_->on("commit",
             [this](const Request& request, const PeerCredentials& peer) { return commit(request, peer); });
  }

  // Compiles aside, publishes, waits until no worker reads the old policy, forgets it. Any error leaves
  // things alone.
  Reply commit(const Request& request, const PeerCredentials& peer) {
    const auto begun = SteadyClock::now();
    const std::string file = request.args.value("site", current_->site.file);
    Compiled compiled = compile_site(file, names_, Generation{current_->snapshot->generation().value + 1});
    if (compiled.compiled) compiled.errors = needs_restart(current_->site, compiled.compiled->site);
    if (!compiled.errors.empty())
      return Reply::failure(ExitCode::Invalid, file + " is not valid; the running policy is unchanged",
                            compiled.errors);
    const Status destinations = log_->set_destinations(destinations_of(compiled.compiled->site));
    if (!destinations) return Reply::failure(ExitCode::Failed, destinations.error().text());

    // First, so that no flow of the new policy meets a thread that has not got its credentials.
    dataplane_->use(compiled.compiled->site.tls.credentials);
    const bool quiescent = dataplane_->publish(*compiled.compiled->snapshot);
    if (quiescent)
      retired_.clear();
    else
      retired_.push_back(std::move(current_));
    current_ = std::move(compiled.compiled);
    const std::chrono::duration<double> taken = SteadyClock::now() - begun;
    const uint32_t generation = current_->snapshot->generation().value;
    tell("generation {} committed from {} by uid {} in {:.3f} s", generation, file, peer.uid, taken.count());
    nlohmann::json warnings = current_->site.warnings;
    if (!quiescent)
      warnings.push_back(
          "a worker did not take up the policy within 5 seconds; the old one is kept in memory");
    return Reply::success({{"generation", generation}, {"warnings", warnings}, {"seconds", taken.count()}});
  }

  std::ostream& out_;
  Names names_;
  std::unique_ptr<CompiledSite> current_;
  std::vector<std::unique_ptr<CompiledSite>> retired_;  // that a worker may still read
  std::unique_ptr<ApiServer> api_;
  std::unique_ptr<Dataplane> dataplane_;
  std::vector<std::unique_ptr<RingSource>> sources_;
  std::unique_ptr<LogWriter> log_;
  TraceCommand trace_;
  SteadyClock::time_point started_ = SteadyClock::now();
  SteadyClock::time_point stats_due_ = SteadyClock::now();
};

}  // namespace

int run_daemon(const std::string& site_file, std::ostream& out) {
  forbid_core_dumps();
  catch_signals();
  if (const std::string notice = tls::secure_key_memory(); !notice.empty())
    out << "posternd: notice: " << notice << std::endl;
  int code = 0;
  {
    Daemon daemon(out);
    code = daemon.run(site_file);
  }
  return code;
}

}  // namespace postern::control
