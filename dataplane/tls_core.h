// SPDX-License-Identifier: Apache-2.0
// A TLS core: one thread with a private network, the kernel sockets of the connections it has adopted and a
// TLS session over each pair of them. Packets come from the workers' rings and go back through them; nothing
// is shared with another core. Built and asked by the control thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/result.h"
#include "dataplane/adopted_table.h"
#include "dataplane/clear_reader.h"
#include "dataplane/clock.h"
#include "dataplane/counters.h"
#include "dataplane/exception_port.h"
#include "dataplane/exclusion_suggestions.h"
#include "dataplane/policy_reader.h"
#include "dataplane/session_credentials.h"
#include "dataplane/tls_link.h"
#include "tls/digest.h"
#include "tls/session.h"
#include "tls/session_settings.h"

namespace postern::dataplane {

struct TlsCoreSetup {
  unsigned number = 0;
  std::optional<unsigned> cpu;  // to run on; none: any
  uint32_t sessions = 4096;     // at once, the ones that have ended and are not forgotten yet included
  uint16_t mtu = 1500;
  std::string adopted_file;   // empty: none, see AdoptedFile
  TlsLinks* links = nullptr;  // with this core's, and every worker's
  Clock clock;
  TlsCredentials credentials;
  std::shared_ptr<const tls::KeyLog> key_log;  // null: none
  const std::atomic<const classify::PolicySnapshot*>* policy = nullptr;
  rte_rcu_qsbr* quiescence = nullptr;  // of the TLS cores
  unsigned reader = 0;                 // of the policy's scratch
};

// Written by the core, read by anyone.
struct TlsCounters {
  // From the client's whole hello to two sockets that go on; upper bounds in microseconds, the last has none.
  static constexpr std::array<uint32_t, 8> kLatencies = {50, 100, 200, 500, 1000, 2000, 5000, 10000};

  Counter adopted, opened, ended;
  std::array<Counter, kDecryptReasons> reasons;  // why sessions ended, or never began
  std::array<Counter, kLatencies.size() + 1> latencies;
  std::array<Counter, 2> clear_bytes;                   // by Direction, of ended sessions
  Counter packets_in, packets_out;                      // that the private network was given, and sent
  Counter strange_packets;                              // of no session, or sent by the kernel for none
  Counter lost_frames;                                  // no buffer, or a worker's ring was full
  std::array<Counter, tls::kCertificateFaults> faults;  // of servers, tolerated or not
  Counter client_resumed, server_resumed;               // opened sessions that went on with an earlier one
  Counter minted, reused, displaced, not_minted;        // leaves
  Counter leaves;                                       // now
};

class TlsCore {
 public:
  // Returns when the core has its private network, or the error says what the kernel refused.
  static Result<std::unique_ptr<TlsCore>> start(const TlsCoreSetup& setup);
  ~TlsCore();
  TlsCore(const TlsCore&) = delete;
  TlsCore& operator=(const TlsCore&) = delete;

  // Resets every session and ends the thread. The workers should still be there to send the resets.
  void stop();

  // New sessions are given these from now on; those that run go on as they are.
  void use(const TlsCredentials& credentials);

  const TlsCounters& counters() const { return counters_; }
  ExclusionSuggestions::Seen suggestions() const { return suggestions_.seen(); }

 private:
  explicit TlsCore(const TlsCoreSetup& setup) : setup_(setup), link_(*setup.links->cores[setup.number]) {}

  Status prepare();
  Status renew_credentials();
  void run();
  void sleep_or_poll(bool idle);

  unsigned take_messages();
  void carry_in(const rte_mbuf& message, const TlsTag& tag);
  void begin(const rte_mbuf& message, const TlsTag& tag);
  Status adopt_legs(Adopted& adopted);
  void open_session(Adopted& adopted, std::shared_ptr<tls::ServerCredentials> credentials);
  tls::SessionScope scope_of(const AdoptionRequest& request);
  void obey(Adopted& adopted, const ClearRuling& ruling);
  bool ask(Adopted& adopted);
  void end(Adopted& adopted, DecryptReason reason);
  void forget(Adopted& adopted);
  void learn(const Adopted& adopted, DecryptReason reason);
  void count_leaves();

  unsigned take_segments();
  bool workers_have_room() const;
  void carry_out(const ExceptionPort::Outgoing& outgoing);
  bool send_frames(FrameCutter& cutter, const TlsTag& tag);

  unsigned advance_busy();
  void on_event(Adopted& adopted, uint32_t events);
  void advance(Adopted& adopted);
  void sweep(Timestamp now);

  void note_facts(Adopted& adopted);
  void disturb_orphans();
  void report(const Adopted& adopted, const SessionReport& report);
  bool send(TlsTag tag, rte_mbuf* message);

  TlsCoreSetup setup_;
  TlsCoreLink& link_;
  TlsCounters counters_;
  std::atomic<bool> stop_{false}, renewed_{false};
  std::mutex mutex_;  // over `next_credentials_`
  TlsCredentials next_credentials_;
  std::thread thread_;

  // The thread's own.
  SessionCredentials credentials_;
  Timestamp renewed_at_ = 0;
  tls::MintedLeaves::Counts counted_;  // of the present credentials
  size_t leaves_counted_ = 0;
  tls::UpstreamSessions upstream_{1024};
  ExclusionSuggestions suggestions_;
  tls::OwnedSettings client_settings_;
  std::unique_ptr<tls::SessionRooms> rooms_ = std::make_unique<tls::SessionRooms>();
  std::optional<tls::Digests> digests_;
  std::optional<ExceptionPort> port_;
  UniqueFd events_;  // epoll
  AdoptedTable table_;
  std::optional<AdoptedFile> adopted_file_;
  std::vector<Adopted*> busy_;
  PolicyView view_;
  std::optional<PolicyReader> policy_;
  Timestamp swept_at_ = 0;
};

}  // namespace postern::dataplane
