// SPDX-License-Identifier: Apache-2.0
#include "classify/application_table.h"

#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

#include "classify/app_ids.h"

namespace postern::classify {
namespace {

const std::vector<IpAddress> kNoGroups;

bool has_ports(uint8_t protocol) { return protocol == kTcp || protocol == kUdp || protocol == kSctp; }

bool identified(const Application& application) noexcept {
  return !application.composite && !application.wildcard && application.id > kApplicationUnidentified;
}

Status check_member(const Application& application, const Member& member) {
  const std::string where = "application '" + application.name + "': ";
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

}  // namespace

Result<ApplicationTable> ApplicationTable::build(const std::vector<Application>& applications,
                                                 const std::vector<Signature>& signatures) {
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
    Entry entry{&application, PrefixSet(application.servers), {}, 0};
    for (const Member& member : application.members) {
      if (Status status = check_member(application, member); !status) return status.error();
      entry.ports.emplace_back(member.ports);
    }
    table.entries_.push_back(std::move(entry));
    number = static_cast<uint32_t>(table.entries_.size());
    claim_multicast(application);
  }
  table.multicast_ = disjoint(claims);
  if (Status status = table.link(); !status) return status.error();
  table.learn_transports(signatures);
  return table;
}

// What entries say of each other.
Status ApplicationTable::link() const {
  for (const Entry& entry : entries_) {
    const Application& application = *entry.application;
    const std::string where = "application '" + application.name + "': ";
    for (const Member& member : application.members) {
      const Application* named = member.application ? find(*member.application) : nullptr;
      if (member.application && (named == nullptr || !identified(*named)))
        return Error{where + "a member names application " + std::to_string(member.application->value) +
                     ", expected an identified application such as tls or dns"};
    }
    size_t steps = 0;
    for (const Application* at = &application; at->parent != kApplicationPending;) {
      at = find(at->parent);
      if (at == nullptr || !identified(*at))
        return Error{where + "a parent of it is not an identified application of the catalogue"};
      if (++steps > entries_.size()) return Error{where + "is its own parent through others"};
    }
  }
  return Ok{};
}

void ApplicationTable::learn_transports(const std::vector<Signature>& signatures) {
  uint8_t over_quic = 0;
  for (const Signature& signature : signatures)
    if (signature.application == app::kQuic && signature.layer == Layer::Udp) over_quic = kOverUdp;
  const auto transports = [over_quic](Layer layer) -> uint8_t {
    switch (layer) {
      case Layer::Udp:
        return kOverUdp;
      case Layer::Icmp:
        return kOverIcmp;
      case Layer::Tls:  // QUIC carries the same handshake
        return kOverTcp | over_quic;
      case Layer::Tcp:
      case Layer::Http:
        break;
    }
    return kOverTcp;
  };
  for (const Signature& signature : signatures)
    for (AppId at = signature.application; at != kApplicationPending && find(at) != nullptr;) {
      Entry& entry = entries_[by_id_[at.value] - 1];
      entry.transports |= transports(signature.layer);
      at = entry.application->parent;
    }
}

bool ApplicationTable::can_run_over(AppId id, uint8_t protocol) const noexcept {
  const Entry* entry = this->entry(id);
  if (entry == nullptr) return false;
  switch (protocol) {
    case kTcp:
      return (entry->transports & kOverTcp) != 0;
    case kUdp:
      return (entry->transports & kOverUdp) != 0;
    case kIcmp:
    case kIcmpV6:
      return (entry->transports & kOverIcmp) != 0;
    default:
      break;
  }
  const std::vector<Member>& members = entry->application->members;
  return std::any_of(members.begin(), members.end(), [&](const Member& m) { return m.protocol == protocol; });
}

const ApplicationTable::Entry* ApplicationTable::entry(AppId id) const noexcept {
  if (id.value >= by_id_.size() || by_id_[id.value] == 0) return nullptr;
  return &entries_[by_id_[id.value] - 1];
}

bool ApplicationTable::is_or_is_below(AppId application, AppId wanted) const noexcept {
  while (application != kApplicationPending) {
    if (application == wanted) return true;
    const Entry* entry = this->entry(application);
    application = entry == nullptr ? kApplicationPending : entry->application->parent;
  }
  return false;
}

// An entry is also met by every one below it, and by what runs inside it.
Match ApplicationTable::match_identity(AppId wanted, const FlowFacts& facts) const noexcept {
  if (facts.application == kApplicationPending)
    return can_run_over(wanted, facts.protocol) ? Match::Maybe : Match::No;
  const bool met = is_or_is_below(facts.application, wanted) || is_or_is_below(facts.carrier, wanted);
  return met ? Match::Yes : Match::No;
}

Match ApplicationTable::match_inside(AppId id, Service service, FlowFacts facts) const noexcept {
  facts.carrier = facts.application;
  facts.application = kApplicationPending;
  return match(id, service, facts) == Match::No ? Match::No : Match::Maybe;
}

const Application* ApplicationTable::find(AppId id) const noexcept {
  const Entry* found = entry(id);
  return found == nullptr ? nullptr : found->application;
}

const Application* ApplicationTable::find(std::string_view name) const noexcept {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : find(at->second);
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

// Says of all ports at once what `match` says of one.
std::vector<PortRange> ApplicationTable::first_packet_ports(AppId id, Service service, uint8_t protocol,
                                                            Action action) const {
  const Entry& entry = entries_[by_id_[id.value] - 1];
  const Application& application = *entry.application;
  if (application.wildcard) return {PortRange{}};
  const bool is_identified = identified(application);
  const auto may_show = [&](AppId wanted) {
    return action == Action::Allow && can_run_over(wanted, protocol);
  };
  if (is_identified && application.members.empty())
    return may_show(id) ? std::vector<PortRange>{{}} : std::vector<PortRange>{};
  std::vector<PortRange> ports;
  for (size_t i = 0; i < application.members.size(); ++i) {
    const Member& member = application.members[i];
    const bool anywhere = service == Service::Any && (is_identified || member.application);
    const bool any_transport = service == Service::Any && is_identified;
    if (!any_transport && member.protocol != kAnyProtocol && member.protocol != protocol) continue;
    const std::optional<AppId> wanted = is_identified ? std::optional(id) : member.application;
    if (wanted && !may_show(*wanted)) continue;
    if (anywhere || entry.ports[i].any()) return {PortRange{}};
    ports.insert(ports.end(), entry.ports[i].ranges().begin(), entry.ports[i].ranges().end());
  }
  return ports;
}

Objection ApplicationTable::objection_of(AppId id, Service service, const FlowFacts& facts) const noexcept {
  const Match answer = match(id, service, facts);
  if (answer == Match::Yes) return Objection::None;
  if (answer == Match::Maybe) return Objection::Application;
  const Entry& entry = entries_[by_id_[id.value] - 1];
  const bool is_identified = identified(*entry.application);
  bool names_another = is_identified, elsewhere = false;
  for (size_t i = 0; i < entry.application->members.size(); ++i) {
    const Member& member = entry.application->members[i];
    const std::optional<AppId> wanted = is_identified ? std::optional(id) : member.application;
    if (wanted) names_another = true;
    if (wanted && match_identity(*wanted, facts) == Match::No) continue;
    const bool anywhere = service == Service::Any && wanted;
    const bool transport = (service == Service::Any && is_identified) || member.protocol == kAnyProtocol ||
                           member.protocol == facts.protocol;
    // The bytes fit, and so does the place: only the host is left.
    if (transport && (anywhere || entry.ports[i].matches(facts.destination_port))) return Objection::Host;
    elsewhere = elsewhere || wanted;
  }
  return elsewhere || !names_another ? Objection::UsualPort : Objection::Application;
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
  if (member.in_clear && facts.carrier != kApplicationPending) return Match::No;
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
