// SPDX-License-Identifier: Apache-2.0
// A compiled policy: zones, applications, rules and identities with the lookups the data path needs. Built on
// the control thread, immutable once built, read by every worker. Lookups are noexcept and allocate nothing.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "classify/application_engine.h"
#include "classify/exclusion_table.h"
#include "classify/policy.h"

namespace postern::classify {

// What is known of a flow when it is judged. `application` is kApplicationPending until it is identified; of
// a decrypted flow it is what runs inside, once that is known, and a rule may also name what carries it.
struct FlowFacts {
  IpAddress source, destination;                   // of the side that opened the flow
  uint16_t source_port = 0, destination_port = 0;  // ICMP echo: 0
  uint8_t protocol = 0;
  Zone source_zone, destination_zone;
  AppId application;
  AppId carrier;        // of an application that runs inside a decrypted session; else kApplicationPending
  bool veiled = false;  // a rule that decrypts may learn that something else runs inside `application`
  ExclusionSet exclusions;  // of the site, for its TLS: what they cover is not opened
};

// What one rule says of a flow.
enum class Match : uint8_t {
  No,
  Maybe,  // depends on what the application turns out to be
  Yes,
};

// The first condition of a rule that keeps it from matching a flow for certain.
enum class Objection : uint8_t {
  None,
  SourceZone,
  DestinationZone,
  Protocol,
  Port,
  Destination,
  Source,
  Identity,
  UsualPort,    // the application is on another protocol or port than its own
  Host,         // the server is not bound to the application
  Application,  // is another one, or cannot be seen over this protocol; of a Maybe: is not known yet
};

// The answer for a flow. Not final: some rule before `rule` still waits for the application, and
// `could_allow` says whether one of those (or `rule` itself) would allow; for a final answer it equals the
// action.
struct Decision {
  const Rule* rule = nullptr;  // first rule that matches for certain; nullptr: the default rule (drop)
  bool final = true;
  bool could_allow = false;
  const Rule* waiting = nullptr;  // first rule that may yet match and allow
  Action action() const noexcept { return rule ? rule->action : Action::Drop; }
};

class PolicySnapshot {
 public:
  // Errors name the rule by pack and name. Takes under 2 s for 10,000 rules.
  static Result<std::unique_ptr<const PolicySnapshot>> compile(Policy policy, PatternCache& cache);
  static Result<std::unique_ptr<const PolicySnapshot>> compile(Policy policy);  // without a cache
  ~PolicySnapshot();
  PolicySnapshot(const PolicySnapshot&) = delete;
  PolicySnapshot& operator=(const PolicySnapshot&) = delete;

  const Policy& policy() const noexcept { return policy_; }
  Generation generation() const noexcept { return policy_.generation; }

  // Zone of an address seen on a side of a wire; `vlan` is the outer VLAN id on that side, 0 for untagged.
  // Most specific first: longest prefix, then a binding that names the VLAN. kNoZone when nothing fits.
  Zone zone_of(WireId wire, Side side, uint16_t vlan, const IpAddress& address) const noexcept;

  Decision decide(const FlowFacts& facts) const noexcept;

  // True when zones, protocol and port alone say that the default rule drops a flow whose application is not
  // known yet, and that no application could change it. A short cut for floods; false says nothing.
  bool hopeless(Zone source, Zone destination, uint8_t protocol, uint16_t port) const noexcept;

  // What one rule of the policy says, asked alone; for explanations, the data path asks `decide`.
  Match opinion_of(const Rule& rule, const FlowFacts& facts) const noexcept;
  // Why that opinion is not Yes.
  Objection objection_of(const Rule& rule, const FlowFacts& facts) const noexcept;

  // Says what the first bytes of a flow are; each reader, a worker or after these a TLS thread, brings its
  // own scratch, which nobody else touches.
  const ApplicationEngine& engine() const noexcept;
  ScanScratch& scratch(unsigned reader) const noexcept;  // reader < policy().workers + tls_threads

  // Whether some signature could find `id`, or an entry below it, over this IP protocol.
  bool can_run_over(AppId id, uint8_t protocol) const noexcept;

  // What the site leaves end to end although a rule wants it decrypted.
  const ExclusionTable& exclusions() const noexcept;

  // Whether its content is inside TLS or QUIC.
  bool is_encrypted(AppId id) const noexcept;

  // User or device at this address; nullptr when unknown.
  const Subject* subject_at(const IpAddress& address) const noexcept;

  const Application* application(AppId id) const noexcept;  // nullptr: not in the catalogue
  const Application* application(std::string_view name) const noexcept;

  // True when a unicast answer from (server, port) may belong to a question sent to `group` (SLP, mDNS).
  // Writes nothing; the caller then looks for the asking flow.
  const std::vector<IpAddress>& multicast_groups(uint8_t protocol, uint16_t server_port) const noexcept;

  // Readable dump of the compiled tables, the same for the same policy: zones, then rules per zone pair.
  std::string dump() const;

  // How the rules of a zone pair are stored, one line for engineers; empty when no rule names the pair.
  std::string rule_table_shape(Zone source, Zone destination) const;

 private:
  struct Tables;
  explicit PolicySnapshot(Policy policy);
  Policy policy_;
  std::unique_ptr<const Tables> tables_;
};

}  // namespace postern::classify
