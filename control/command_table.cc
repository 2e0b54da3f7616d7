// SPDX-License-Identifier: Apache-2.0
#include "control/command_table.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "control/endpoint.h"
#include "control/flow_name.h"

namespace postern::control {
namespace {

using nlohmann::json;

constexpr uint64_t kMostFlows = 1'000'000;
constexpr uint64_t kMostVlan = 4094;
constexpr uint64_t kMostFollowed = 600;  // seconds

Error wrong(std::string message) { return Error{.message = std::move(message), .file = {}}; }

Result<uint64_t> number_in(std::string_view name, const std::string& text, uint64_t most) {
  uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value > most)
    return wrong(std::string(name) + " is \"" + text + "\"; expected a number from 0 to " +
                 std::to_string(most));
  return value;
}

constexpr std::string_view kFilterKeys[] = {"address", "port",   "proto", "app", "rule",
                                            "verdict", "reason", "state", "wire"};

Result<Request> flows_request(const Arguments& arguments) {
  Request request{"show", "flows", json::object()};
  if (const auto text = arguments.one("limit")) {
    const auto limit = number_in("--limit", *text, kMostFlows);
    if (!limit) return limit.error();
    request.args["limit"] = *limit;
  }
  for (const std::string& filter : arguments.all("filter")) {
    const size_t equals = filter.find('=');
    const std::string key = filter.substr(0, equals);
    if (equals == std::string::npos ||
        std::find(std::begin(kFilterKeys), std::end(kFilterKeys), key) == std::end(kFilterKeys)) {
      std::string keys;
      for (const std::string_view known : kFilterKeys) keys.append(keys.empty() ? "" : ", ").append(known);
      return wrong("filter \"" + filter + "\"; expected KEY=VALUE with a key of: " + keys);
    }
    request.args["filter"][key] = filter.substr(equals + 1);
  }
  return request;
}

Result<Request> commit_request(const Arguments& arguments) {
  Request request{"commit", "", json::object()};
  // The daemon works in another directory.
  if (const auto site = arguments.one("SITE_FILE"))
    request.args["site"] = std::filesystem::absolute(*site).string();
  return request;
}

Status put_endpoint(json& args, const std::string& end, const std::string& text, uint8_t protocol) {
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) return endpoint.error();
  if (endpoint->port && !has_ports(protocol))
    return wrong("\"" + text + "\" has a port, and the protocol has none");
  args[end] = endpoint->address.text();
  if (endpoint->port) args[end + "_port"] = *endpoint->port;
  return Ok{};
}

Result<Request> test_flow_request(const Arguments& arguments) {
  Request request{"test", "flow", json::object()};
  json& args = request.args;
  const auto protocol = parse_protocol(arguments.one("PROTO").value_or(""));
  if (!protocol) return protocol.error();
  args["proto"] = *protocol;
  for (const auto& [name, end] : {std::pair("SRC", "source"), std::pair("DST", "destination")})
    if (auto put = put_endpoint(args, end, arguments.one(name).value_or(""), *protocol); !put)
      return put.error();
  if (has_ports(*protocol) && !args.contains("destination_port")) return wrong("expected a port: DST:PORT");
  for (const std::string name : {"app", "wire", "side"})
    if (const auto value = arguments.one(name)) args[name] = *value;
  if (const auto text = arguments.one("vlan")) {
    const auto vlan = number_in("--vlan", *text, kMostVlan);
    if (!vlan) return vlan.error();
    args["vlan"] = *vlan;
  }
  return request;
}

Result<Request> trace_request(const Arguments& arguments) {
  Request request{"trace", "", json::object()};
  const std::string flow = arguments.one("FLOW").value_or("");
  if (const auto target = parse_flow_name(flow); !target) return target.error();
  request.args["flow"] = flow;
  if (const auto text = arguments.one("follow")) {
    const auto seconds = number_in("--follow", *text, kMostFollowed);
    if (!seconds) return seconds.error();
    request.args["follow"] = *seconds;
  }
  return request;
}

std::optional<Request> further_trace(const json& result) {
  if (!result.contains("session")) return std::nullopt;
  return Request{"trace", "more", {{"session", result["session"]}}};
}

constexpr Align R = Align::Right;
constexpr Column kWires[] = {{"WIRE", "wire"},
                             {"SIDE", "side"},
                             {"PORT", "port"},
                             {"KIND", "kind"},
                             {"LINK", "link"},
                             {"RX_PACKETS", "rx_packets", R},
                             {"RX_BYTES", "rx_bytes", R},
                             {"TX_PACKETS", "tx_packets", R},
                             {"TX_BYTES", "tx_bytes", R}};
constexpr Column kZones[] = {
    {"ZONE", "zone"}, {"WIRE", "wire"}, {"SIDE", "side"}, {"VLAN", "vlan", R}, {"PREFIXES", "prefixes"}};
constexpr Column kRules[] = {{"INDEX", "index", R},
                             {"PACK", "pack"},
                             {"RULE", "rule"},
                             {"ACTION", "action"},
                             {"SOURCE", "source_zones"},
                             {"DESTINATION", "destination_zones"},
                             {"APPLICATION", "application"},
                             {"FORWARDING", "forwarding"},
                             {"HITS", "hits", R},
                             {"BYTES", "bytes", R}};
constexpr Column kFlows[] = {
    {"FLOW", "flow_id", R}, {"WIRE", "wire"},   {"SOURCE", "source"},      {"DESTINATION", "destination"},
    {"PROTO", "proto"},     {"APP", "app"},     {"RULE", "rule"},          {"VERDICT", "verdict"},
    {"REASON", "reason"},   {"STATE", "state"}, {"PACKETS", "packets", R}, {"BYTES", "bytes", R},
    {"AGE", "age_s", R}};
constexpr Column kApps[] = {{"APP", "app_id"},        {"KIND", "kind"},        {"PARENT", "parent"},
                            {"CATEGORY", "category"}, {"RISK", "risk", R},     {"FLOWS", "flows", R},
                            {"PORTS", "ports"},       {"EVIDENCE", "evidence"}};
constexpr Column kDrops[] = {{"REASON", "reason"}, {"PACKETS", "packets", R}, {"MEANING", "meaning"}};
constexpr Column kTlsSuggestions[] = {{"HOST", "host"},
                                      {"SERVER", "server"},
                                      {"PORT", "port", R},
                                      {"OBJECTION", "objection"},
                                      {"SESSIONS", "sessions", R},
                                      {"LAST_CLIENT", "client"},
                                      {"FIRST", "first"},
                                      {"LAST", "last"}};
constexpr Column kTls[] = {{"notice", "notice"},
                           {"threads", "threads"},
                           {"inbound certificates", "inbound_certificates"},
                           {"forward proxy", "forward_proxy"},
                           {"sessions", "sessions"},
                           {"adopted", "adopted"},
                           {"opened", "opened"},
                           {"ended", "ended"},
                           {"resumed by clients", "resumed_by_clients"},
                           {"resumed with servers", "resumed_with_servers"},
                           {"minted leaves kept", "minted_leaves"},
                           {"leaves minted", "leaves_minted"},
                           {"leaves reused", "leaves_reused"},
                           {"leaves displaced", "leaves_displaced"},
                           {"leaves refused", "leaves_refused"},
                           {"suggested exclusions", "suggestions"},
                           {"clear bytes to servers", "clear_bytes_to_server"},
                           {"clear bytes to clients", "clear_bytes_to_client"},
                           {"packets in", "packets_in"},
                           {"packets out", "packets_out"},
                           {"strange packets", "strange_packets"},
                           {"lost frames", "lost_frames"}};
constexpr Column kGeneration[] = {
    {"notice", "notice"}, {"generation", "generation"}, {"committed at", "committed_at"},
    {"site", "site"},     {"packs", "packs"},           {"switched after us", "switched_after_us"}};
constexpr Column kCommit[] = {{"generation", "generation"}, {"seconds", "seconds"}};
constexpr Column kTestFlow[] = {{"verdict", "verdict"},
                                {"reason", "reason"},
                                {"pack", "rule.pack"},
                                {"rule", "rule.rule"},
                                {"index", "rule.index"},
                                {"application", "application"},
                                {"source zone", "source_zone"},
                                {"destination zone", "destination_zone"},
                                {"final", "final"}};

constexpr Option kFlowsOptions[] = {
    {"limit", "N", "show at most N flows (default 100)"},
    {"filter", "KEY=VALUE", "show only flows like this; several must all hold", Takes::Many}};
constexpr Option kDropsOptions[] = {{"all", "", "show reasons that never happened, too", Takes::Nothing}};
constexpr Option kTestFlowOptions[] = {
    {"app", "NAME", "as if the flow had been identified as this application"},
    {"wire", "WIRE", "the wire the flow enters; default: found from the source zone"},
    {"side", "SIDE", "the side of the wire it enters"},
    {"vlan", "ID", "outer VLAN on that side, 0 for untagged"}};
constexpr Option kTraceOptions[] = {
    {"follow", "SECONDS", "go on telling for so long, also of a flow that is yet to come"}};
constexpr Positional kTracedFlow[] = {{"FLOW"}};
constexpr Positional kSiteFile[] = {{"SITE_FILE", Need::Optional}};
constexpr Positional kFlowWords[] = {{"SRC"}, {"DST"}, {"PROTO"}};

constexpr View rows(std::span<const Column> columns, std::string_view expand = {},
                    std::string_view hide_zero = {}) {
  return {.shape = Shape::Rows, .columns = columns, .expand = expand, .hide_zero = hide_zero};
}
constexpr View fields(std::span<const Column> columns, std::string_view lines = {},
                      std::string_view prefix = {}) {
  return {.shape = Shape::Fields, .columns = columns, .lines = lines, .line_prefix = prefix};
}

constexpr View lines(std::string_view field) { return {.shape = Shape::Lines, .lines = field}; }

const Command kCommands[] = {
    {"show wires",
     "",
     "ports of each wire, their links and counters",
     "",
     {},
     {},
     nullptr,
     rows(kWires, "sides")},
    {"show zones", "", "which wire, side, VLAN and prefixes make a zone", "", {}, {}, nullptr, rows(kZones)},
    {"show rules", "", "rules in the order they are tried, with hits", "", {}, {}, nullptr, rows(kRules)},
    {"show flows",
     "[--limit N] [--filter KEY=VALUE]...",
     "flows the workers know now",
     "Keys of filters: address (an address or prefix of either end), port (of either end), proto, app, rule, "
     "verdict,\n"
     "reason, state, wire. Example: posternctl show flows --filter address=10.1.0.0/24 --filter "
     "verdict=drop\n",
     {},
     kFlowsOptions,
     flows_request,
     rows(kFlows)},
    {"show apps", "", "the application catalogue", "", {}, {}, nullptr, rows(kApps)},
    {"show drops",
     "[--all]",
     "dropped packets by reason",
     "",
     {},
     kDropsOptions,
     nullptr,
     rows(kDrops, {}, "packets")},
    {"show tls",
     "",
     "threads that decrypt, their sessions and why sessions ended",
     "",
     {},
     {},
     nullptr,
     fields(kTls, "details")},
    {"show tls suggestions",
     "",
     "servers whose clients did not take a minted leaf, or that want their clients' certificates",
     "Nothing here is excluded by itself: tls.exclude of the site file is the operator's.\n"
     "OBJECTION: bad_certificate, certificate_unknown, unknown_ca (the client's alert), client_left (it "
     "closed at "
     "once, without a byte), mutual_tls (the server's wish).\n",
     {},
     {},
     nullptr,
     rows(kTlsSuggestions)},
    {"show generation", "", "the policy that runs", "", {}, {}, nullptr, fields(kGeneration)},
    {"show stats",
     "",
     "totals since the start: received + forged = sent + terminated + held + dropped",
     "",
     {},
     {},
     nullptr,
     fields({})},
    {"commit",
     "[SITE_FILE]",
     "validate a site file and make it the running policy",
     "Without SITE_FILE the running one is read again. A file with errors changes nothing and ends with exit "
     "code 3.\n",
     kSiteFile,
     {},
     commit_request,
     fields(kCommit, "warnings", "warning: ")},
    {"test flow", "SRC[:PORT] DST[:PORT] PROTO [--app NAME] [--wire W --side S --vlan V]",
     "what the policy says of a flow, and why",
     "PROTO: tcp, udp, sctp, icmp, icmpv6, esp, gre or a number. IPv6 with a port: [fd00::1]:443. No packet "
     "is sent.\n",
     kFlowWords, kTestFlowOptions, test_flow_request, fields(kTestFlow, "story")},
    {"trace", "FLOW [--follow SECONDS]", "the story of a flow's verdict",
     "FLOW: a flow_id as show flows and the logs have it, or SRC:PORT-DST:PORT/PROTO, whoever opened it.\n"
     "Example: posternctl trace 10.1.0.5:40000-10.3.0.10:443/tcp --follow 30\n",
     kTracedFlow, kTraceOptions, trace_request, lines("story"), further_trace},
};

}  // namespace

std::optional<std::string> Arguments::one(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second.back());
}

std::vector<std::string> Arguments::all(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::span<const std::string> words) {
  constexpr size_t kMostWords = 3;
  const Command* longest = nullptr;
  std::string name;
  for (size_t i = 0; i < std::min(words.size(), kMostWords); ++i) {
    name += (i > 0 ? " " : "") + words[i];
    for (const Command& command : kCommands)
      if (command.name == name) longest = &command;
  }
  return longest;
}

Result<Request> request_of(const Command& command, const Arguments& arguments) {
  if (command.request != nullptr) return command.request(arguments);
  const size_t blank = command.name.find(' ');
  Request request;
  request.command = command.name.substr(0, blank);
  if (blank != std::string_view::npos) request.what = command.name.substr(blank + 1);
  return request;
}

}  // namespace postern::control
