// SPDX-License-Identifier: Apache-2.0
#include "classify/policy_dump.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace postern::classify {
namespace {

constexpr std::pair<Profile, const char*> kProfileNames[] = {
    {kIps, "ips"},
    {kAntivirus, "antivirus"},
    {kSandboxing, "sandboxing"},
    {kUrlFiltering, "url_filtering"},
    {kDnsSecurity, "dns_security"},
    {kC2Protection, "c2_protection"},
    {kFileControl, "file_control"},
    {kDlp, "dlp"},
};

std::string protocol_name(uint8_t protocol) {
  switch (protocol) {
    case kIcmp:
      return "icmp";
    case kTcp:
      return "tcp";
    case kUdp:
      return "udp";
    case kIcmpV6:
      return "icmpv6";
    case kSctp:
      return "sctp";
    default:
      return std::to_string(protocol);
  }
}

const char* decryption_name(DecryptionMode mode) {
  switch (mode) {
    case DecryptionMode::None:
      return "none";
    case DecryptionMode::SslInboundInspection:
      return "ssl_inbound_inspection";
    case DecryptionMode::SslForwardProxy:
      return "ssl_forward_proxy";
  }
  return "";
}

std::string range_text(const PortRange& range) {
  const std::string first = std::to_string(range.first);
  return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

// " word a,b,c", or nothing for an empty list.
template <typename List, typename Text>
std::string listed(const char* word, const List& list, Text text) {
  std::string line;
  for (const auto& item : list) line += (line.empty() ? std::string(" ") + word + " " : ",") + text(item);
  return line;
}

class Dump {
 public:
  explicit Dump(const Policy& policy) : policy_(policy) {
    for (const ZoneBinding& binding : policy.zones)
      if (!binding.name.empty()) zone_names_[binding.zone] = binding.name;
    for (const Application& application : policy.applications) applications_[application.id] = &application;
  }

  std::string text(const std::vector<ZonePairRules>& pairs) const {
    std::string out = zones();
    std::vector<std::tuple<std::string, std::string, const ZonePairRules*>> sorted;
    for (const ZonePairRules& pair : pairs)
      sorted.emplace_back(zone(pair.source), zone(pair.destination), &pair);
    std::sort(sorted.begin(), sorted.end());
    std::set<AppId> used;
    for (const auto& [source, destination, pair] : sorted) {
      out += "rules " + source + " -> " + destination + "\n";
      for (const uint32_t number : *pair->rules) {
        out += "  " + rule(policy_.rules[number]) + "\n";
        used.insert(policy_.rules[number].application);
      }
    }
    return out + applications(used);
  }

 private:
  std::string zone(Zone id) const {
    const auto known = zone_names_.find(id);
    return known == zone_names_.end() ? "zone " + std::to_string(id.value) : known->second;
  }

  std::string application(AppId id) const {
    const auto known = applications_.find(id);
    return known == applications_.end() ? "application " + std::to_string(id.value) : known->second->name;
  }

  std::string zones() const {
    std::vector<std::string> lines;
    for (const ZoneBinding& binding : policy_.zones) {
      std::string line = "  wire " + std::to_string(binding.wire.value) + " side " +
                         std::to_string(static_cast<unsigned>(binding.side)) + " vlan " +
                         (binding.vlan ? std::to_string(*binding.vlan) : "any") + " " + zone(binding.zone);
      lines.push_back(line + listed("at", binding.prefixes, [](const Prefix& p) { return p.text(); }) + "\n");
    }
    std::sort(lines.begin(), lines.end());
    std::string out = "zones\n";
    for (const std::string& line : lines) out += line;
    return out;
  }

  std::string rule(const Rule& r) const {
    const auto prefix_text = [](const Prefix& p) { return p.text(); };
    const auto same = [](const std::string& s) { return s; };
    std::string line = std::to_string(r.index) + " " + r.pack + "/" + r.name +
                       (r.action == Action::Allow ? " allow " : " drop ") + application(r.application);
    if (r.service == Service::Any) line += " service any";
    line += listed("from", r.sources, prefix_text) + listed("to", r.destinations, prefix_text);
    if (r.protocol != kAnyProtocol) line += " protocol " + protocol_name(r.protocol);
    line += listed("ports", r.ports, range_text) + listed("groups", r.identity.groups, same);
    if (r.identity.compliant) line += " compliant";
    line += std::string(" decryption ") + decryption_name(r.decryption) +
            listed("exclusions", r.exclusions, same);
    return line + profiles(r.profiles) + " risk " + std::to_string(r.risk) +
           (r.logging.start ? " log_start" : "") + (r.logging.end ? " log_end" : "");
  }

  static std::string profiles(uint16_t bits) {
    std::vector<std::string> names;
    for (const auto& [bit, name] : kProfileNames)
      if (bits & bit) names.emplace_back(name);
    return listed("profiles", names, [](const std::string& s) { return s; });
  }

  std::string member(const Member& m) const {
    std::string line = m.protocol == kAnyProtocol ? std::string("any") : protocol_name(m.protocol);
    line += listed("ports", m.ports, range_text);
    if (m.application) line += " is " + application(*m.application);
    return line + (m.bound_hosts ? " on its servers" : "");
  }

  std::string applications(const std::set<AppId>& used) const {
    std::map<std::string, const Application*> by_name;
    for (const AppId id : used)
      if (const auto known = applications_.find(id); known != applications_.end())
        by_name[known->second->name] = known->second;
    std::string out = "applications\n";
    for (const auto& [name, a] : by_name) {
      out += "  " + name + (a->wildcard ? " anything" : "") +
             listed("servers", a->servers, [](const Prefix& p) { return p.text(); }) +
             listed("multicast", a->multicast, [](const IpAddress& i) { return i.text(); }) + "\n";
      for (const Member& m : a->members) out += "    " + member(m) + "\n";
    }
    return out;
  }

  const Policy& policy_;
  std::map<Zone, std::string> zone_names_;
  std::map<AppId, const Application*> applications_;
};

}  // namespace

std::string dump_policy(const Policy& policy, const std::vector<ZonePairRules>& pairs) {
  return Dump(policy).text(pairs);
}

}  // namespace postern::classify
