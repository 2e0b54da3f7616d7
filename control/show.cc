// SPDX-License-Identifier: Apache-2.0
#include "control/show.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "control/eve_words.h"
#include "control/show_tls.h"
#include "control/signature_reader.h"

namespace postern::control {
namespace {

using dataplane::FlowQuery;
using dataplane::LogRecord;
using dataplane::WorkerStats;
using nlohmann::json;

constexpr uint32_t kDefaultFlows = 100, kAllFlows = 1'000'000;

Reply no_answer() {
  return Reply::failure(ExitCode::Failed, "a worker does not answer; see the daemon's log");
}

std::string kind_name(dataplane::PortSpec::Kind kind) {
  using Kind = dataplane::PortSpec::Kind;
  switch (kind) {
    case Kind::Pci:
      return "pci";
    case Kind::AfXdp:
      return "af_xdp";
    case Kind::AfPacket:
      return "af_packet";
    case Kind::Tap:
      return "tap";
    case Kind::Ring:
      return "ring";
    case Kind::Pcap:
      return "pcap";
    case Kind::Vdev:
      return "vdev";
  }
  return "";
}

json zone_names(const std::vector<Zone>& zones, const Names& names) {
  json list = json::array();
  for (const Zone zone : zones) list.push_back(names.zone_name(zone));
  return list;
}

json prefix_texts(const std::vector<Prefix>& prefixes) {
  json list = json::array();
  for (const Prefix& prefix : prefixes) list.push_back(prefix.text());
  return list;
}

std::string port_text(const classify::PortRange& range) {
  if (range.first == range.last) return std::to_string(range.first);
  return std::to_string(range.first) + "-" + std::to_string(range.last);
}

Reply show_wires(const Running& running) {
  const auto stats = running.dataplane.stats();
  if (!stats) return no_answer();
  const auto ports = running.dataplane.port_status();
  json wires = json::array();
  for (const Wire& wire : running.policy.site.wires) {
    json sides = json::array();
    for (size_t side = 0; side < 2; ++side) {
      const size_t index = wire.id.value * 2u + side;
      const WorkerStats::PortStats& counted = stats->ports[index];
      sides.push_back({{"side", wire.sides[side]},
                       {"port", wire.ports[side].text},
                       {"kind", kind_name(wire.ports[side].kind)},
                       {"link", !ports[index].present ? "absent"
                                : ports[index].link   ? "up"
                                                      : "down"},
                       {"rx_packets", counted.received_packets},
                       {"rx_bytes", counted.received_bytes},
                       {"tx_packets", counted.sent_packets},
                       {"tx_bytes", counted.sent_bytes}});
    }
    wires.push_back({{"wire", wire.name}, {"sides", sides}});
  }
  return Reply::success(wires);
}

Reply show_zones(const Running& running) {
  json zones = json::array();
  for (const classify::ZoneBinding& zone : running.policy.snapshot->policy().zones)
    zones.push_back({{"zone", running.names.zone_name(zone.zone)},
                     {"wire", running.names.wire_name(zone.wire)},
                     {"side", running.names.side_name(zone.wire, zone.side)},
                     {"vlan", zone.vlan ? json(*zone.vlan) : json("any")},
                     {"prefixes", zone.prefixes.empty() ? json("any") : prefix_texts(zone.prefixes)}});
  return Reply::success(zones);
}

Reply show_rules(const Running& running) {
  json rules = json::array();
  const auto row = [&](const classify::Rule& rule) {
    uint64_t hits = 0, bytes = 0;
    for (unsigned worker = 0; worker < running.dataplane.workers(); ++worker) {
      const dataplane::RuleCounters& counters = running.dataplane.rule_counters(worker, rule.id);
      hits += counters.flows.value();
      bytes += counters.bytes.value();
    }
    const bool counted = rule.id.value < dataplane::Counters::kRules;
    return json{{"index", rule.index},
                {"pack", rule.pack},
                {"rule", rule.name},
                {"action", rule.action == Action::Allow ? "allow" : "drop"},
                {"source_zones", zone_names(rule.source_zones, running.names)},
                {"destination_zones", zone_names(rule.destination_zones, running.names)},
                {"application", running.names.application_name(rule.application)},
                {"forwarding", running.names.forwarding_name(rule.logging.forwarding)},
                {"hits", counted ? json(hits) : json("not counted")},
                {"bytes", counted ? json(bytes) : json("not counted")}};
  };
  for (const classify::Rule& rule : running.policy.snapshot->policy().rules) rules.push_back(row(rule));
  classify::Rule last;
  last.name = "default";
  last.logging = running.policy.snapshot->policy().default_logging;
  json shown = row(last);
  shown["index"] = nullptr;
  shown["application"] = "any";
  rules.push_back(std::move(shown));
  return Reply::success(rules);
}

json flow_row(const LogRecord& record, dataplane::FlowState state, const Names& names) {
  return {{"flow_id", record.flow_id},
          {"wire", names.wire_name(record.wire)},
          {"source", endpoint_text(record.source, record.source_port, record.protocol)},
          {"destination", endpoint_text(record.destination, record.destination_port, record.protocol)},
          {"proto", protocol_name(record.protocol)},
          {"app", names.application_name(record.application)},
          {"rule", names.rule_name(record.rule).name},
          {"verdict", record.action == Action::Allow ? "allow" : "drop"},
          {"reason", std::string(drop_reason_name(record.drop_reason))},
          {"state", state_name(state)},
          {"packets", record.packets[0] + record.packets[1] + record.dropped_packets},
          {"bytes", record.bytes[0] + record.bytes[1]},
          {"age_s", (record.time - record.start) / kSecond}};
}

bool matches(const json& row, const LogRecord& record, const json& filter) {
  for (const auto& [key, wanted] : filter.items()) {
    const std::string text = wanted.is_string() ? wanted.get<std::string>() : wanted.dump();
    if (key == "address") {
      const auto prefix = Prefix::parse(text);
      if (!prefix || (!prefix->contains(record.source) && !prefix->contains(record.destination)))
        return false;
    } else if (key == "port") {
      if (text != std::to_string(record.source_port) && text != std::to_string(record.destination_port))
        return false;
    } else if (!row.contains(key) || row[key] != text) {
      return false;
    }
  }
  return true;
}

Reply show_flows(const Request& request, const Running& running) {
  const uint32_t limit = request.args.value("limit", kDefaultFlows);
  const json filter = request.args.value("filter", json::object());
  // A filter looks at everything the workers hold; without one only what is shown is copied.
  const uint32_t copied = filter.empty() ? limit : kAllFlows;
  const auto query = running.dataplane.flows(copied);
  if (!query) return no_answer();
  json flows = json::array();
  for (size_t i = 0; i < query->found.size() && flows.size() < limit; ++i) {
    json row = flow_row(query->found[i], query->states[i], running.names);
    if (matches(row, query->found[i], filter)) flows.push_back(std::move(row));
  }
  return Reply::success(flows);
}

json member_ports(const classify::Application& application) {
  json list = json::array();
  for (const classify::Member& member : application.members) {
    std::string text = protocol_name(member.protocol);
    for (const classify::PortRange& range : member.ports) {
      const std::string port = text + "/" + port_text(range);
      if (std::find(list.begin(), list.end(), port) == list.end()) list.push_back(port);
    }
  }
  return list;
}

using Signatures = std::multimap<AppId, const classify::Signature*>;

json port_texts(const std::vector<classify::PortRange>& ports) {
  json list = json::array();
  for (const classify::PortRange& range : ports) list.push_back(port_text(range));
  return list;
}

json signature_row(const classify::Signature& signature) {
  json row = {{"layer", layer_name(signature.layer)},
              {"sender", sender_name(signature.sender)},
              {"confidence", confidence_name(signature.confidence)},
              {"ports", port_texts(signature.ports)},
              {"bound_hosts", signature.bound_hosts},
              {"min_bytes", signature.min_bytes}};
  if (!signature.pattern.empty()) row["pattern"] = signature.pattern;
  if (!signature.decoder.empty()) row["decoder"] = signature.decoder;
  return row;
}

// "tcp client pattern '^SSH-' and decoder ssh (high, first on 22)"
std::string signature_text(const classify::Signature& signature) {
  std::string text = fmt::format("{} {}", layer_name(signature.layer), sender_name(signature.sender));
  if (!signature.pattern.empty()) text += " pattern '" + signature.pattern + "'";
  if (!signature.decoder.empty())
    text += (signature.pattern.empty() ? " decoder " : " and decoder ") + signature.decoder;
  text += fmt::format(" ({}", confidence_name(signature.confidence));
  std::string ports;
  for (const classify::PortRange& range : signature.ports)
    ports += (ports.empty() ? "" : ",") + port_text(range);
  const bool only = signature.confidence == classify::Confidence::Low;
  if (!ports.empty()) text += fmt::format(", {} {}", only ? "only on" : "first on", ports);
  if (signature.bound_hosts) text += ", bound hosts";
  return text + ")";
}

std::string evidence_of(const classify::Application& application, const Signatures& signatures,
                        const Names& names) {
  if (application.wildcard) return "everything";
  std::string text;
  const auto [first, end] = signatures.equal_range(application.id);
  for (auto at = first; at != end; ++at) text += (text.empty() ? "" : "; ") + signature_text(*at->second);
  if (!application.composite) return text.empty() ? "what names it as parent" : text;
  for (const classify::Member& member : application.members) {
    if (!text.empty()) text += ", ";
    text += member.application ? names.application_name(*member.application) : "port alone";
    if (member.bound_hosts) text += " to bound hosts";
  }
  return text;
}

Reply show_apps(const Running& running) {
  const classify::Policy& policy = running.policy.snapshot->policy();
  Signatures signatures;
  for (const classify::Signature& signature : policy.signatures)
    signatures.emplace(signature.application, &signature);
  const auto known = running.dataplane.flows(kAllFlows);
  std::map<AppId, uint64_t> flows;
  if (known)
    for (const LogRecord& record : known->found) ++flows[record.identified];
  json apps = json::array();
  for (const classify::Application& application : policy.applications) {
    if (application.id <= kApplicationUnidentified) continue;
    json rows = json::array();
    const auto [first, end] = signatures.equal_range(application.id);
    for (auto at = first; at != end; ++at) rows.push_back(signature_row(*at->second));
    const bool identified = !application.wildcard && !application.composite;
    apps.push_back({{"app_id", application.name},
                    {"kind", application.wildcard    ? "wildcard"
                             : application.composite ? "composite"
                                                     : "identified"},
                    {"parent", running.names.application_name(application.parent)},
                    {"category", application.category},
                    {"risk", application.risk},
                    {"ports", member_ports(application)},
                    {"evidence", evidence_of(application, signatures, running.names)},
                    {"signatures", rows},
                    {"flows", identified && known ? json(flows[application.id]) : json()}});
  }
  return Reply::success(apps);
}

Reply show_drops(const Running& running) {
  const auto stats = running.dataplane.stats();
  if (!stats) return no_answer();
  json drops = json::array();
  for (size_t i = 1; i < kDropReasons; ++i) {
    const auto reason = static_cast<DropReason>(i);
    drops.push_back({{"reason", drop_reason_name(reason)},
                     {"packets", stats->dropped[i]},
                     {"meaning", drop_reason_meaning(reason)}});
  }
  return Reply::success(drops);
}

Reply show_generation(const Running& running) {
  json packs = json::array();
  for (const std::string& pack : running.policy.site.pack_files) packs.push_back(pack);
  json workers = json::array();
  double slowest = 0;
  for (const dataplane::WorkerSwitch& one : running.dataplane.last_switch()) {
    const double after = static_cast<double>(one.after) / 1e3, round = static_cast<double>(one.round) / 1e3;
    workers.push_back({{"after_us", after}, {"round_us", round}, {"next_round", one.next_round}});
    slowest = std::max(slowest, after);
  }
  const auto committed = static_cast<std::time_t>(running.policy.committed_at / kSecond);
  return Reply::success({{"generation", running.policy.snapshot->generation().value},
                         {"committed_at", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(committed))},
                         {"site", running.policy.site.file},
                         {"packs", packs},
                         {"switched_after_us", workers.empty() ? json() : json(slowest)},
                         {"workers", workers}});
}

Reply show_stats(const Running& running) {
  const auto stats = running.dataplane.stats();
  if (!stats) return no_answer();
  json drops = json::object();
  for (size_t i = 1; i < kDropReasons; ++i)
    if (stats->dropped[i] > 0)
      drops[std::string(drop_reason_name(static_cast<DropReason>(i)))] = stats->dropped[i];
  const uint64_t cycles = stats->busy_cycles + stats->idle_cycles;
  return Reply::success({{"uptime_s", running.uptime_seconds},
                         {"received", stats->received},
                         {"sent", stats->sent},
                         {"forged", stats->forged},          // by TLS threads
                         {"terminated", stats->terminated},  // at TLS threads
                         // What crosses from one worker to another is in nobody's hands for a moment.
                         {"held", stats->held + stats->handed_over - stats->taken_over},
                         {"drops", drops},
                         {"flows",
                          {{"active", stats->flows},
                           {"half_open", stats->half_open},
                           {"opened", stats->flows_created},
                           {"ended", stats->flows_ended},
                           {"half_open_evicted", stats->half_open_evicted},
                           {"unrecorded", stats->flows_unrecorded},
                           {"capacity", stats->flow_capacity},
                           {"memory_bytes", stats->flow_table_bytes}}},
                         {"log",
                          {{"lines", running.log_lines},
                           {"lost_in_ring", stats->log_records_lost},
                           {"lost_on_disk", running.log_lost},
                           {"write_errors", running.log_write_errors}}},
                         {"workers",
                          {{"count", running.dataplane.workers()},
                           {"busy_percent", cycles == 0 ? 0 : stats->busy_cycles * 100 / cycles},
                           {"handed_over", stats->handed_over}}},
                         {"generation", stats->generation}});
}

}  // namespace

std::string endpoint_text(const IpAddress& address, uint16_t port, uint8_t protocol) {
  const bool ports = protocol == classify::kTcp || protocol == classify::kUdp;
  if (!ports) return address.text();
  return address.is_v4() ? fmt::format("{}:{}", address.text(), port)
                         : fmt::format("[{}]:{}", address.text(), port);
}

std::string state_name(dataplane::FlowState state) {
  using State = dataplane::FlowState;
  switch (state) {
    case State::SynSent:
      return "syn_sent";
    case State::SynReceived:
      return "syn_received";
    case State::Established:
      return "established";
    case State::Closing:
      return "closing";
    case State::Closed:
      return "closed";
    case State::Unreplied:
      return "unreplied";
    case State::Replied:
      return "replied";
    case State::Free:
      break;
  }
  return "free";
}

std::string protocol_name(uint8_t protocol) {
  switch (protocol) {
    case classify::kAnyProtocol:
      return "any";
    case classify::kIcmp:
      return "icmp";
    case classify::kTcp:
      return "tcp";
    case classify::kUdp:
      return "udp";
    case classify::kIcmpV6:
      return "icmpv6";
    case classify::kSctp:
      return "sctp";
    default:
      return std::to_string(protocol);
  }
}

Reply show(const Request& request, const Running& running) {
  using Show = std::function<Reply(const Running&)>;
  const std::map<std::string, Show> kinds = {
      {"wires", show_wires},
      {"zones", show_zones},
      {"rules", show_rules},
      {"apps", show_apps},
      {"drops", show_drops},
      {"generation", show_generation},
      {"stats", show_stats},
      {"tls", show_tls},
      {"tls suggestions", show_tls_suggestions},
      {"flows", [&](const Running& now) { return show_flows(request, now); }}};
  const auto kind = kinds.find(request.what);
  if (kind != kinds.end()) {
    Reply reply = kind->second(running);
    const std::string& key_log = running.policy.site.tls.key_log;
    // Whoever has this file reads what was decrypted; nobody shall overlook it.
    if (!key_log.empty() && reply.result.is_object())
      reply.result["notice"] = "the secrets of TLS sessions are written to " + key_log;
    return reply;
  }
  return Reply::failure(ExitCode::Usage, "show: found \"" + request.what +
                                             "\", expected wires, zones, rules, flows, apps, "
                                             "tls, tls suggestions, drops, generation or stats");
}

}  // namespace postern::control
