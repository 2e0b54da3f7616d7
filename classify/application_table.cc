// SPDX-License-Identifier: Apache-2.0
#include "classify/application_table.h"

#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

#include "classify/application_identifier.h"

namespace postern::classify {
namespace {

const std::vector<IpAddress> kNoGroups;

bool has_ports(uint8_t protocol) { return protocol == kTcp || protocol == kUdp || protocol == kSctp; }

Status check_member(const Application& application, const Member& member) {
  const std::string where = "application '" + application.name + "': ";
  if (member.application && identified_name(*member.application).empty())
    return Error{where + "a member names application " + std::to_string(member.application->value) +
                 ", which no decoder recognises; expected an identified application such as tls or dns"};
  if (!member.ports.empty() && member.protocol != kAnyProtocol && !has_ports(member.protocol))
    return Error{where + "a member has ports with protocol " + std::to_string(member.protocol) +
                 "; expected tcp, udp, sctp or any"};
  for (const PortRange& range : member.ports)
    if (range.first > range.last)
      return Error{where + "port range " + std::to_string(range.first) + "-" + std::to_string(range.last) +
                   " is empty; expected the lower port first"};
  return Ok{};
}

Match either(Match a, Match b) { return a > b ? a : b; }

Match match_identity(AppId wanted, const FlowFacts& facts) {
  if (facts.application == kApplicationPending)
    return can_run_over(wanted, facts.protocol) ? Match::Maybe : Match::No;
  return facts.application == wanted ? Match::Yes : Match::No;
}

}  // namespace

Result<ApplicationTable> ApplicationTable::build(const std::vector<Application>& applications) {
  ApplicationTable table;
  table.entries_.reserve(applications.size());
  std::vector<Multicast> claims;
  const auto claim_multicast = [&claims](const Application& application) {
    if (application.multicast.empty()) return;
    for (const Member& member : application.members)
      for (const uint8_t protocol : {kTcp, kUdp, kSctp}) {
        if (member.protocol != kAnyProtocol && member.protocol != protocol) continue;
        if (member.ports.empty()) claims.push_back({protocol, {}, application.multicast});
        for (const PortRange& range : member.ports)
          claims.push_back({protocol, range, application.multicast});
      }
  };
  for (const Application& application : applications) {
    if (table.by_id_.size() <= application.id.value) table.by_id_.resize(application.id.value + size_t{1});
    uint32_t& number = table.by_id_[application.id.value];
    if (number != 0)
      return Error{"application '" + application.name + "': its id is taken by another application"};
    if (!application.name.empty() && !table.by_name_.emplace(application.name, application.id).second)
      return Error{"application '" + application.name + "' is in the catalogue twice; expected it once"};
    Entry entry{&application, PrefixSet(application.servers), {}};
    for (const Member& member : application.members) {
      if (Status status = check_member(application, member); !status) return status.error();
      entry.ports.emplace_back(member.ports);
    }
    table.entries_.push_back(std::move(entry));
    number = static_cast<uint32_t>(table.entries_.size());
    claim_multicast(application);
  }
  table.multicast_ = disjoint(claims);
  return table;
}

const Application* ApplicationTable::find(AppId id) const noexcept {
  if (id.value >= by_id_.size() || by_id_[id.value] == 0) return nullptr;
  return entries_[by_id_[id.value] - 1].application;
}

const Application* ApplicationTable::find(std::string_view name) const noexcept {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : find(at->second);
}

// A catalogue entry above the fixed ids is never what a decoder says, so its members are all there is to it.
bool ApplicationTable::identified(const Application& application) noexcept {
  return !application.composite && application.id.value < app::kFirstCatalogueApp;
}

Match ApplicationTable::match(AppId id, Service service, const FlowFacts& facts) const noexcept {
  assert(find(id) != nullptr);
  const Entry& entry = entries_[by_id_[id.value] - 1];
  const Application& application = *entry.application;
  if (application.wildcard) return Match::Yes;
  // No members: an identified application without usual ports. Bound hosts count whatever the ports do.
  if (identified(application) && application.members.empty()) return match_identity(id, facts);
  Match best = Match::No;
  for (size_t i = 0; i < application.members.size() && best != Match::Yes; ++i)
    best = either(best, match_member(entry, i, service, facts));
  return best;
}

Match ApplicationTable::match_member(const Entry& entry, size_t index, Service service,
                                     const FlowFacts& facts) const noexcept {
  const Application& application = *entry.application;
  const Member& member = application.members[index];
  const bool is_identified = identified(application);
  // With `service: any` an identified application may be on every transport its decoder knows.
  const bool anywhere = service == Service::Any && (is_identified || member.application);
  const bool any_transport = service == Service::Any && is_identified;
  if (!any_transport && member.protocol != kAnyProtocol && member.protocol != facts.protocol)
    return Match::No;
  if (!anywhere && !entry.ports[index].matches(facts.destination_port)) return Match::No;
  if (member.bound_hosts && !entry.servers.contains(facts.destination)) return Match::No;
  if (is_identified) return match_identity(application.id, facts);
  return member.application ? match_identity(*member.application, facts) : Match::Yes;
}

// Cuts overlapping claims into ranges with one answer each, so a lookup can hand out a reference.
std::vector<ApplicationTable::Multicast> ApplicationTable::disjoint(const std::vector<Multicast>& claims) {
  std::set<std::pair<uint8_t, uint32_t>> cuts;  // protocol, first port of a piece
  for (const Multicast& claim : claims) {
    cuts.emplace(claim.protocol, claim.ports.first);
    cuts.emplace(claim.protocol, claim.ports.last + uint32_t{1});
  }
  std::vector<Multicast> pieces;
  for (auto cut = cuts.begin(); cut != cuts.end(); ++cut) {
    const auto next = std::next(cut);
    if (next == cuts.end() || next->first != cut->first) continue;
    Multicast piece{
        cut->first, {static_cast<uint16_t>(cut->second), static_cast<uint16_t>(next->second - 1)}, {}};
    for (const Multicast& claim : claims)
      if (claim.protocol == piece.protocol && claim.ports.contains(piece.ports.first))
        piece.groups.insert(piece.groups.end(), claim.groups.begin(), claim.groups.end());
    std::sort(piece.groups.begin(), piece.groups.end());
    piece.groups.erase(std::unique(piece.groups.begin(), piece.groups.end()), piece.groups.end());
    if (!piece.groups.empty()) pieces.push_back(std::move(piece));
  }
  return pieces;
}

const std::vector<IpAddress>& ApplicationTable::multicast_groups(uint8_t protocol,
                                                                 uint16_t server_port) const noexcept {
  for (const Multicast& entry : multicast_)
    if (entry.protocol == protocol && entry.ports.contains(server_port)) return entry.groups;
  return kNoGroups;
}

}  // namespace postern::classify
