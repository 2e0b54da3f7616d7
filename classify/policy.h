// SPDX-License-Identifier: Apache-2.0
// The words of a policy after the operator's text has been read and before it is compiled: what `control`
// writes and `PolicySnapshot::compile` reads. Plain values, no lookups. Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/ids.h"
#include "base/time.h"
#include "base/verdict.h"
#include "classify/evidence.h"
#include "classify/exclusion.h"
#include "classify/port_range.h"
#include "classify/signature.h"

namespace postern::profiles {
class ContentEngine;
}

namespace postern::classify {

// How a catalogue entry is recognised. An identified application is what a decoder says the bytes are (tls,
// dns); a composite is what a policy names (bmc_management): any of its members.
struct Member {
  std::optional<AppId> application;  // the identified application it must be; none: protocol and port suffice
  uint8_t protocol = kAnyProtocol;
  std::vector<PortRange> ports;  // of the server; empty: any
  bool bound_hosts = false;      // the server must be one of the site's `applications.<app_id>.servers`
  bool in_clear = false;         // not of what a TLS core finds inside a session that it decrypts
};

struct Application {
  AppId id;
  std::string name;  // app_id of the kit and of the catalogue
  AppId parent;  // a member that names the parent is met by this one too (redfish_power: redfish); 0: none
  std::string category;
  uint8_t risk = 1;
  std::vector<std::string> depends_on;
  bool composite = false;
  bool wildcard = false;             // any_application
  std::vector<Member> members;       // for an identified application: its default ports (application_default)
  std::vector<Prefix> servers;       // bound by the site
  std::vector<IpAddress> multicast;  // groups whose unicast answers belong to the asking flow
  Decoder answers = nullptr;         // servers answer from another port, with bytes this decoder takes (TFTP)
  bool provisional = false;          // further datagrams may show another application
};

enum class DecryptionMode : uint8_t { None, SslInboundInspection, SslForwardProxy };
// A hello that may hide another one: answered like a server that knows no ECH, or not decrypted at all.
enum class EchAnswer : uint8_t { Decrypt, Refuse };
enum class Service : uint8_t { ApplicationDefault, Any };

// Profiles a rule asks for; parameters are added beside the engine that understands them.
enum Profile : uint16_t {
  kIps = 1,
  kAntivirus = 2,
  kSandboxing = 4,
  kUrlFiltering = 8,
  kDnsSecurity = 16,
  kC2Protection = 32,
  kFileControl = 64,
  kDlp = 128,
};

// What a profile does with what it finds.
enum class ProfileAction : uint8_t { Block, Alert };

struct Identity {
  std::vector<std::string> groups;  // any of these; already bound by the site
  bool compliant = false;           // device_posture: compliant
  bool empty() const { return groups.empty() && !compliant; }
};

struct Logging {
  ForwardingId forwarding;
  bool start = false, end = true;
};

struct Rule {
  RuleId id;
  std::string pack;    // pack id, or "site"
  std::string name;    // app_id of a pack rule, rule name of a site rule
  uint32_t index = 0;  // position in its pack, from 0
  Action action = Action::Drop;
  std::vector<Zone> source_zones, destination_zones;
  std::vector<Prefix> sources, destinations;  // empty: any
  uint8_t protocol = kAnyProtocol;
  std::vector<PortRange> ports;  // empty: any
  AppId application;             // catalogue entry
  Service service = Service::ApplicationDefault;
  Identity identity;
  DecryptionMode decryption = DecryptionMode::None;
  std::vector<std::string> exclusions;
  ExclusionSet excluded_categories;  // of `exclusions`, those that this build knows
  uint16_t profiles = 0;             // Profile bits
  ProfileAction antivirus{};
  uint8_t risk = 1;
  Logging logging;
};

struct ZoneBinding {
  Zone zone;
  WireId wire;
  Side side;
  std::optional<uint16_t> vlan;  // none: any VLAN and untagged
  std::vector<Prefix> prefixes;  // empty: any address
  std::string name;              // of the zone, for dumps and errors; empty: shown as its number
};

struct Subject {  // a user at an address, or a registered device
  SubjectId id;
  std::string name;
  IpAddress address;
  std::vector<std::string> groups;
  bool compliant = false;
};

enum class ExceptionAction : uint8_t { Drop, Pass, Bypass };
struct Exceptions {
  ExceptionAction malformed{}, flow_table_full{}, midstream{}, fragments_full{}, stream_full{},
      application_unknown{}, decryption_unavailable{}, inspection_unavailable{};
};

struct PendingBudget {
  uint32_t packets = 16, bytes = 16384, seconds = 10;
};

struct Timeouts {  // seconds
  uint32_t tcp_half_open = 10, tcp_established = 3600, tcp_closed = 5, udp_unreplied = 10, udp = 60,
           icmp = 10, drop = 30, other = 60;
};

// Everything a snapshot is compiled from. Ids in it were interned by `Names`.
struct Policy {
  Generation generation;
  std::vector<ZoneBinding> zones;
  std::vector<Application> applications;  // ascending id; the first two are pending and unidentified
  std::vector<Signature> signatures;      // of the identified ones
  std::vector<Rule> rules;                // in order of evaluation
  std::vector<Subject> subjects;
  bool follow_applications = false;  // look at every HTTP request even where no rule depends on it
  bool inbound_inspection = false;   // certificates of servers were imported for ssl_inbound_inspection
  bool forward_proxy = false;        // there is a CA for ssl_forward_proxy
  EchAnswer ech{};
  std::vector<ExclusionEntry> exclusions;  // of flows that rules want decrypted
  Logging default_logging;
  Exceptions exceptions;
  PendingBudget pending;
  Timeouts timeouts;
  // What the rules' profiles look for, published with the rules; null: none of them looks at content.
  std::shared_ptr<const profiles::ContentEngine> content;
  unsigned workers = 1;      // that will read the snapshot
  unsigned tls_threads = 0;  // that will, too
};

}  // namespace postern::classify
