// SPDX-License-Identifier: Apache-2.0
// A worker's way to the TLS cores: asks one to adopt a flow, hands it the flow's packets from then on and
// takes its reports. Allocates nothing, waits for nobody. Without TLS cores it adopts nothing. One worker.
#pragma once

#include "classify/policy.h"
#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/flow_log.h"
#include "dataplane/flow_table.h"
#include "dataplane/resets.h"
#include "dataplane/stream.h"
#include "dataplane/tls_link.h"

namespace postern::dataplane {

class Adopter {
 public:
  // `links` may be null, else it outlives the adopter.
  Adopter(const TlsLinks* links, FlowTable& flows, FlowLog& log, Counters& counters, unsigned worker);
  ~Adopter();
  Adopter(const Adopter&) = delete;
  Adopter& operator=(const Adopter&) = delete;

  // Whether flows of this policy can be adopted at all.
  bool serves(const classify::Policy& policy) const noexcept {
    return links_ != nullptr && (policy.inbound_inspection || policy.forward_proxy);
  }

  // The client's hello is whole and in `slot` or waits in its stream, and none of it was forwarded. None:
  // from now on the flow's packets are to be diverted, this one too.
  DecryptReason adopt(const Stream& stream, const Slot& slot, const classify::TlsFacts& facts,
                      Timestamp now) noexcept;

  // Why a flow was not adopted although a rule wants it decrypted.
  void count(DecryptReason reason) noexcept { counters_.not_decrypted[static_cast<size_t>(reason)].add(1); }

  // A packet of an adopted flow, as it would leave the wire's other side; a copy goes.
  void divert(const Packet& packet, uint32_t flow, PortIndex from) noexcept;
  void flush() noexcept;  // at the end of every burst

  // The flow's core does not come round any more.
  bool stuck(uint32_t flow) const noexcept {
    return links_->cores[core_of(flow)]->stuck.load(std::memory_order_relaxed);
  }
  // Ends a flow whose core is stuck; its packets are answered with resets from then on.
  void give_up(uint32_t flow) noexcept;

  void abort(uint32_t flow) noexcept;   // the policy drops the flow
  void forget(uint32_t flow) noexcept;  // the record goes

  // The answer to a segment of a connection that is not known, which may be one that an earlier process had
  // adopted: its sender must not wait for ever. Empty where nothing is decrypted, when there have been too
  // many this second, and for resets.
  Packet reset_for(const Slot& slot, const classify::Policy& policy, Timestamp now) noexcept;

  bool owns(const TlsTag& tag) const noexcept;  // the flow is adopted, and the one that the tag names
  void rule(uint32_t flow, const ClearRuling& ruling) noexcept;  // a session waits for it
  void take_report(const rte_mbuf& message, Timestamp now) noexcept;

 private:
  static constexpr unsigned kStage = 64;
  struct Stage {
    std::array<rte_mbuf*, kStage> messages;
    unsigned count = 0;
  };

  size_t core_of(uint32_t flow) const noexcept;
  TlsTag tag_of(TlsMessage kind, uint32_t flow) const noexcept;
  AdoptionRequest request_for(const Stream& stream, const Slot& slot) const noexcept;
  bool send(size_t core, rte_mbuf* message) noexcept;
  void flush(size_t core) noexcept;
  void wake(TlsCoreLink& core) noexcept;
  void tell(TlsMessage kind, uint32_t flow) noexcept;

  const TlsLinks* links_;
  FlowTable& flows_;
  FlowLog& log_;
  Counters& counters_;
  uint8_t worker_;
  std::vector<Stage> stages_;  // by core
  Resets resets_;
};

}  // namespace postern::dataplane
