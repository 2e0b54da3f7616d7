// SPDX-License-Identifier: Apache-2.0
// The running data path: ports, workers and the policy they obey. Built and called by the control thread
// alone; the log rings are read by the log thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/eal.h"
#include "dataplane/interface_watch.h"
#include "dataplane/tls_core.h"
#include "dataplane/tls_setup.h"
#include "dataplane/worker.h"

namespace postern::dataplane {

struct DataplaneSetup {
  std::vector<Wire> wires;  // by WireId
  unsigned workers = 1;
  std::vector<unsigned> cores;
  Idle idle = Idle::Sleep;
  uint32_t flows = 262144;  // per worker
  uint16_t mtu = 1500;
  TlsSetup tls;
  size_t log_records = 1 << 16;  // per worker, waiting for the log thread; extra bytes take the place of more
};

// How long after its publication a worker took up the policy, how long its round before took, and whether
// the publication fell into that round, so that no sooner one could have been used.
struct WorkerSwitch {
  Timestamp after = 0, round = 0;
  bool next_round = false;
};

struct PortStatus {
  std::string port;  // as the site writes it
  bool present = false, link = false;
};

class Dataplane {
 public:
  // Starts EAL, ports and workers with `snapshot`, which must outlive its time as current one.
  static Result<std::unique_ptr<Dataplane>> start(const DataplaneSetup& setup,
                                                  const classify::PolicySnapshot& snapshot);
  ~Dataplane();
  Dataplane(const Dataplane&) = delete;
  Dataplane& operator=(const Dataplane&) = delete;

  // Returns when no worker uses an earlier snapshot any more; false if one did not come by within five
  // seconds, and then the earlier ones must be kept.
  bool publish(const classify::PolicySnapshot& snapshot);

  // Of the last publication, by worker; without those that have not taken it up yet, empty before the first.
  std::vector<WorkerSwitch> last_switch() const;

  // What new sessions show their clients from now on.
  void use(const TlsCredentials& credentials);

  // Looks after links and interfaces; call it every 20 ms or so. Returns alarms for the operator.
  std::vector<std::string> tend();

  // Stops the workers, which write the end records of all flows. Ports close with the destructor.
  void stop();

  // Sum of all workers, exact in itself; nullopt when a worker does not answer.
  std::optional<WorkerStats> stats();
  std::optional<FlowQuery> flows(uint32_t limit);

  // What the workers know of the flows that are meant; nullopt when a worker does not answer.
  std::optional<std::vector<TraceEvent>> trace(const TraceTarget& target);
  // From now on the workers tell what happens to these flows, the ones before to no one any more.
  bool follow(const TraceTarget& target);
  std::vector<TraceEvent> followed();  // since the last call, in order of time
  std::optional<uint64_t> unfollow();  // how many events were lost

  std::vector<PortStatus> port_status() const;
  const RuleCounters& rule_counters(unsigned worker, RuleId rule) const;
  unsigned tls_threads() const { return static_cast<unsigned>(tls_cores_.size()); }
  const TlsCounters& tls_counters(unsigned thread) const { return tls_cores_[thread]->counters(); }
  ExclusionSuggestions::Seen suggestions(unsigned thread) const { return tls_cores_[thread]->suggestions(); }
  // TLS flows that rules want decrypted and that no TLS core got, by reason.
  uint64_t not_decrypted(DecryptReason reason) const;
  unsigned workers() const { return static_cast<unsigned>(workers_.size()); }
  LogRing& log_ring(unsigned worker) { return workers_[worker]->log_ring(); }
  uint64_t log_records_lost(unsigned worker) const {
    return workers_[worker]->counters().log_records_lost.value();
  }
  const std::string& notice() const { return notice_; }

 private:
  explicit Dataplane(const DataplaneSetup& setup);
  Status open_ports();
  Status launch();
  Status start_tls();
  bool tls_frames_wait() const;
  void stop_tls();
  std::vector<std::string> watch_tls(Timestamp now);
  void withdraw(unsigned index);
  bool attach(unsigned index);
  void wait_for_quiescence();

  struct WireEnd {  // by PortIndex
    PortSpec spec;
    std::string interface;  // in the kernel; empty: none to watch
    std::unique_ptr<Port> port;
    int interface_index = 0;
    bool link = true;        // carrier as the port sees it
    bool held_down = false;  // by us, because the other side lost its link
    Timestamp retry_at = 0;
  };

  DataplaneSetup setup_;
  PipelineSetup pipeline_setup_;
  WorkersShared shared_;
  TlsLinks tls_links_;
  std::vector<WireEnd> ends_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<TlsCore>> tls_cores_;
  std::vector<std::pair<uint64_t, Timestamp>> tls_rounds_;  // by thread: how many, and since when no more
  rte_mempool* pool_ = nullptr;
  InterfaceWatch watch_;
  std::string notice_;
  // Time stamp counter around the publication: the control thread may lose its core between the two.
  uint64_t publishing_at_ = 0, published_at_ = 0;
  uint32_t published_ = 0;  // generation; 0: nothing was but the first policy
  unsigned devices_ = 0;    // number of the next virtual device
  bool running_ = false;
};

}  // namespace postern::dataplane
