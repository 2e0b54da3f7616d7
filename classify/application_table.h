// SPDX-License-Identifier: Apache-2.0
// The application catalogue as the data path asks it: does a flow fit the application a rule names?
// Immutable; built on the control thread, read by workers.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "classify/policy_snapshot.h"
#include "classify/value_sets.h"

namespace postern::classify {

class ApplicationTable {
 public:
  // Keeps pointers into `applications`. Errors name the application.
  static Result<ApplicationTable> build(const std::vector<Application>& applications,
                                        const std::vector<Signature>& signatures);

  const Application* find(AppId id) const noexcept;  // nullptr: not in the catalogue
  const Application* find(std::string_view name) const noexcept;

  // `id` is in the catalogue.
  Match match(AppId id, Service service, const FlowFacts& facts) const noexcept;
  // The same of what may run inside the flow, of which nothing is known: Maybe or No.
  Match match_inside(AppId id, Service service, FlowFacts facts) const noexcept;
  // Destination ports on which a rule of this application has a say in a flow's first packet, when the
  // application is pending: it could match for certain, or allow. Hosts aside; in no order, may overlap.
  std::vector<PortRange> first_packet_ports(AppId id, Service service, uint8_t protocol, Action action) const;
  // Why that is not Yes: the condition that the member which comes closest fails.
  Objection objection_of(AppId id, Service service, const FlowFacts& facts) const noexcept;

  // Whether a signature of `id`, or of an application below it, could find it over this IP protocol.
  bool can_run_over(AppId id, uint8_t protocol) const noexcept;

  const std::vector<IpAddress>& multicast_groups(uint8_t protocol, uint16_t server_port) const noexcept;

 private:
  struct Entry {
    const Application* application = nullptr;
    PrefixSet servers;
    std::vector<PortSet> ports;  // by member
    uint8_t transports = 0;      // Transport bits of its signatures and of those below it
  };
  struct Multicast {  // groups of the applications that use these ports
    uint8_t protocol;
    PortRange ports;
    std::vector<IpAddress> groups;
  };

  enum Transport : uint8_t { kOverTcp = 1, kOverUdp = 2, kOverIcmp = 4 };

  const Entry* entry(AppId id) const noexcept;
  Status link() const;
  void learn_transports(const std::vector<Signature>& signatures);
  Match match_identity(AppId wanted, const FlowFacts& facts) const noexcept;
  bool is_or_is_below(AppId application, AppId wanted) const noexcept;
  Match match_member(const Entry& entry, size_t member, Service service,
                     const FlowFacts& facts) const noexcept;
  static std::vector<Multicast> disjoint(const std::vector<Multicast>& claims);

  std::vector<Entry> entries_;
  std::vector<uint32_t> by_id_;  // entry number + 1, 0: none
  std::unordered_map<std::string_view, AppId> by_name_;
  std::vector<Multicast> multicast_;  // ranges of one protocol do not overlap
};

}  // namespace postern::classify
