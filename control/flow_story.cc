// SPDX-License-Identifier: Apache-2.0
#include "control/flow_story.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "control/endpoint.h"
#include "control/eve_words.h"
#include "control/rule_story.h"
#include "control/show.h"
#include "control/table_printer.h"

namespace postern::control {
namespace {

using classify::FlowFacts;
using dataplane::FlowState;
using dataplane::FlowVerdict;
using dataplane::LogRecord;
using dataplane::TraceEvent;
using dataplane::TraceStep;
using nlohmann::json;

constexpr size_t kMostOpen = 8;  // applications that may still be, by name in the text

std::string_view step_word(TraceStep step) {
  static constexpr std::string_view kWords[] = {"now",    "opened", "looked",  "refined", "gave_up",
                                                "judged", "held",   "refused", "ended"};
  return kWords[static_cast<size_t>(step)];
}

std::string_view verdict_word(FlowVerdict verdict) {
  static constexpr std::string_view kWords[] = {"pending", "allow", "drop", "bypass"};
  return kWords[static_cast<size_t>(verdict)];
}

std::string_view direction_word(Direction direction) {
  return direction == Direction::ToServer ? "to_server" : "to_client";
}

std::string direction_text(Direction direction) {
  return direction == Direction::ToServer ? "to the server" : "to the client";
}

std::string_view layer_word(classify::Layer layer) { return layer == classify::Layer::Http ? "http" : "tls"; }

json owed(uint8_t owes) {
  json list = json::array();
  if ((owes & dataplane::kOwesApplication) != 0) list.push_back("application");
  if ((owes & dataplane::kOwesReading) != 0) list.push_back("reading");
  if ((owes & dataplane::kOwesOrder) != 0) list.push_back("order");
  if ((owes & dataplane::kOwesContent) != 0) list.push_back("content");
  return list;
}

std::string owed_text(uint8_t owes) {
  std::string text;
  const auto owed = [&](dataplane::Owed bit, std::string_view what) {
    if ((owes & bit) != 0) text.append(text.empty() ? "" : " and ").append(what);
  };
  owed(dataplane::kOwesApplication, "its application");
  owed(dataplane::kOwesReading, "what runs inside");
  owed(dataplane::kOwesOrder, "the order of its bytes");
  owed(dataplane::kOwesContent, "its content");
  return text.empty() ? "nothing" : text;
}

// What a text of facts may show: of a request method and path, since queries hold tokens; of a handshake the
// names.
std::string facts_text(const TraceEvent& event) {
  constexpr size_t kMostShown = 120;
  const std::string_view text = as_text(event.seen());
  if (event.layer == classify::Layer::Http)
    return std::string(text.substr(0, std::min(text.find_first_of("?\n"), kMostShown)));
  std::string shown;
  for (size_t at = 0; at < text.size() && shown.size() < kMostShown;) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    const auto starts = [&](std::string_view key) { return line.starts_with(key); };
    if (starts("sni=") || starts("alpn=") || starts("selected=") || starts("version=") || starts("ech="))
      shown.append(shown.empty() ? "" : ", ").append(line);
  }
  return shown;
}

std::string counted(uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string time_text(Timestamp time) {
  const auto seconds = static_cast<std::time_t>(time / kSecond);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}+0000", fmt::gmtime(seconds), time % kSecond / kMicrosecond);
}

FlowFacts facts_of(const LogRecord& flow) {
  FlowFacts facts;
  facts.source = flow.source;
  facts.destination = flow.destination;
  if (has_ports(flow.protocol)) {
    facts.source_port = flow.source_port;
    facts.destination_port = flow.destination_port;
  }
  facts.protocol = flow.protocol;
  facts.source_zone = flow.source_zone;
  facts.destination_zone = flow.destination_zone;
  facts.application = flow.identified;
  facts.carrier = flow.carrier;
  return facts;
}

// The policy is asked about the question that such a flow answers.
FlowFacts asked_about(const TraceEvent& event) {
  FlowFacts facts = facts_of(event.flow);
  if (!event.related) return facts;
  if (event.asked_port != 0) facts.source_port = event.asked_port;
  std::swap(facts.source, facts.destination);
  std::swap(facts.source_port, facts.destination_port);
  std::swap(facts.source_zone, facts.destination_zone);
  return facts;
}

std::string traffic_text(const LogRecord& flow) {
  const auto side = [&](size_t direction) {
    return fmt::format("{}, {}", counted(flow.packets[direction], "packet"),
                       counted(flow.bytes[direction], "byte"));
  };
  std::string text = fmt::format("{} to the server, {} to the client", side(0), side(1));
  if (flow.dropped_packets > 0) text += fmt::format(", {} dropped", counted(flow.dropped_packets, "packet"));
  return text;
}

std::string ends_text(const LogRecord& flow) {
  return fmt::format("{} -> {} {}", endpoint_text(flow.source, flow.source_port, flow.protocol),
                     endpoint_text(flow.destination, flow.destination_port, flow.protocol),
                     protocol_name(flow.protocol));
}

std::string inspection_text(const LogRecord& flow) {
  if (flow.inspection == dataplane::InspectionStatus::Full) return "full";
  return fmt::format("{} ({})", inspection_status_word(flow.inspection),
                     inspection_reason_word(flow.inspection_reason));
}

void tell_traffic(json& step, const LogRecord& flow) {
  step["packets"] = {{"to_server", flow.packets[0]}, {"to_client", flow.packets[1]}};
  step["bytes"] = {{"to_server", flow.bytes[0]}, {"to_client", flow.bytes[1]}};
  step["dropped_packets"] = flow.dropped_packets;
  step["inspection"] = {{"status", inspection_status_word(flow.inspection)},
                        {"reason", inspection_reason_word(flow.inspection_reason)}};
}

}  // namespace

FlowStory::FlowStory(const classify::PolicySnapshot& snapshot, const Names& names)
    : snapshot_(snapshot), names_(names), scratch_(snapshot.engine().make_scratch()) {}

json FlowStory::step(const TraceEvent& event) {
  const LogRecord& flow = event.flow;
  json step = {{"step", step_word(event.step)},
               {"time", time_text(flow.time)},
               {"source", endpoint_text(flow.source, flow.source_port, flow.protocol)},
               {"destination", endpoint_text(flow.destination, flow.destination_port, flow.protocol)},
               {"proto", protocol_name(flow.protocol)}};
  if (event.packet != 0 && event.step != TraceStep::Ended) step["packet"] = event.packet;
  if (event.known) step["flow_id"] = flow.flow_id;
  if (event.known) step["after_us"] = flow.time > flow.start ? (flow.time - flow.start) / kMicrosecond : 0;
  switch (event.step) {
    case TraceStep::Opened:
      tell_opening(step, event);
      break;
    case TraceStep::Looked:
      tell_look(step, event);
      break;
    case TraceStep::Refined:
      tell_facts(step, event);
      break;
    case TraceStep::GaveUp:
      step["text"] = "could not say in time what it is, or its bytes found no room: stays unidentified";
      break;
    case TraceStep::Judged:
      tell_judgement(step, event);
      break;
    case TraceStep::Held:
    case TraceStep::Refused:
      tell_packet(step, event);
      break;
    case TraceStep::Ended:
      tell_end(step, event);
      break;
    case TraceStep::Now:
      tell_now(step, event);
      break;
  }
  return step;
}

void FlowStory::tell_opening(json& step, const TraceEvent& event) const {
  const LogRecord& flow = event.flow;
  step["wire"] = names_.wire_name(flow.wire);
  step["side"] = names_.side_name(flow.wire, flow.opener_side);
  step["text"] = fmt::format("opened: {}, enters wire {} at side {}", ends_text(flow),
                             names_.wire_name(flow.wire), names_.side_name(flow.wire, flow.opener_side));
}

void FlowStory::tell_packet(json& step, const TraceEvent& event) {
  step["direction"] = direction_word(event.direction);
  step["payload"] = event.size;
  if (event.step == TraceStep::Held) {
    step["text"] = fmt::format("a segment {} with {} waits for the bytes before it",
                               direction_text(event.direction), counted(event.size, "byte"));
    return;
  }
  const DropReason reason = event.flow.drop_reason;
  step["reason"] = drop_reason_name(reason);
  step["text"] = fmt::format("dropped {}: {}, {}", event.known ? "the packet" : "a packet without a flow",
                             drop_reason_name(reason), drop_reason_meaning(reason));
}

void FlowStory::tell_end(json& step, const TraceEvent& event) {
  tell_traffic(step, event.flow);
  step["reason"] = end_reason_word(event.flow.end_reason);
  step["verdict"] = verdict_word(event.verdict);
  step["text"] = fmt::format("ended: {}; {}; inspection {}", end_reason_word(event.flow.end_reason),
                             traffic_text(event.flow), inspection_text(event.flow));
}

void FlowStory::tell_now(json& step, const TraceEvent& event) {
  tell_judgement(step, event);
  tell_traffic(step, event.flow);
  step["state"] = state_name(event.state);
  step["text"] = fmt::format("{}, {}: {}", ends_text(event.flow), state_name(event.state),
                             step["text"].get<std::string>());
  step["details"] = {traffic_text(event.flow), "inspection " + inspection_text(event.flow)};
  if (event.kept == 0) return;
  step["direction"] = direction_word(event.direction);
  step["seen"] = event.size;
  step["applications"] = applications(event);
  step["details"].push_back(fmt::format("its first {} {} are still kept", counted(event.size, "byte"),
                                        direction_text(event.direction)));
}

std::string FlowStory::verdict_text(const TraceEvent& event) const {
  const LogRecord& flow = event.flow;
  std::string text(verdict_word(event.verdict));
  if (event.verdict == FlowVerdict::Drop) text += fmt::format(" for {}", drop_reason_name(flow.drop_reason));
  const bool by_rule = flow.rule != kDefaultRule;
  if (by_rule) {
    const RuleName rule = names_.rule_name(flow.rule);
    text += fmt::format(" by rule {} {} (index {})", rule.pack, rule.name, rule.index);
  }
  return text;
}

void FlowStory::tell_judgement(json& step, const TraceEvent& event) const {
  const LogRecord& flow = event.flow;
  const FlowFacts facts = asked_about(event);
  const std::string application = names_.application_name(flow.identified);
  step["verdict"] = verdict_word(event.verdict);
  if (event.verdict == FlowVerdict::Drop) step["reason"] = drop_reason_name(flow.drop_reason);
  step["generation"] = flow.generation.value;
  step["source_zone"] = names_.zone_name(flow.source_zone);
  step["destination_zone"] = names_.zone_name(flow.destination_zone);
  step["application"] = application.empty() ? json(nullptr) : json(application);
  if (flow.subject != SubjectId{}) step["user"] = names_.subject_name(flow.subject);
  step["owes"] = owed(event.owes);
  const auto zone = [&](Zone id) { return id == kNoZone ? std::string("none") : names_.zone_name(id); };
  step["text"] = fmt::format("judged by generation {}: {}; zone {} to zone {}, application {}, owes {}",
                             flow.generation.value, verdict_text(event), zone(flow.source_zone),
                             zone(flow.destination_zone), application.empty() ? "not known" : application,
                             owed_text(event.owes));
  if (event.related) step["answers_multicast"] = true;
  if (flow.generation == snapshot_.generation() && flow.source_zone != kNoZone &&
      flow.destination_zone != kNoZone)
    step["rules"] = rules_considered(snapshot_, facts, names_);
}

void FlowStory::tell_look(json& step, const TraceEvent& event) {
  const std::string found = found_text(event.found);
  step["direction"] = direction_word(event.direction);
  step["seen"] = event.size;
  step["application"] = event.found == kApplicationPending ? json(nullptr) : json(found);
  step["text"] = fmt::format("looked at {} {}: application {}", counted(event.size, "byte"),
                             direction_text(event.direction), found);
  step["applications"] = applications(event);
  if (event.kept < event.size)
    step["details"] = {fmt::format("considered again with the first {} only", counted(event.kept, "byte"))};
}

void FlowStory::tell_facts(json& step, const TraceEvent& event) const {
  step["direction"] = direction_word(event.direction);
  step["layer"] = layer_word(event.layer);
  step["facts"] = facts_text(event);
  step["application"] = names_.application_name(event.found);
  step["text"] = fmt::format("{} {} says {}: application {}", layer_word(event.layer),
                             direction_text(event.direction), facts_text(event), found_text(event.found));
}

std::string FlowStory::found_text(AppId found) const {
  return found == kApplicationPending ? "not known yet" : names_.application_name(found);
}

json FlowStory::applications(const TraceEvent& event) {
  json list = json::array();
  if (!scratch_) return list;
  const LogRecord& flow = event.flow;
  classify::Evidence evidence{.protocol = flow.protocol,
                              .client_port = flow.source_port,
                              .server_port = flow.destination_port,
                              .server = flow.destination,
                              .direction = event.direction,
                              .payload = event.seen()};
  if (event.related) {
    std::swap(evidence.client_port, evidence.server_port);
    evidence.server = flow.source;
  }
  for (const auto& opinion : snapshot_.engine().explain(evidence, *scratch_)) {
    if (opinion.fit == classify::Fit::No) continue;
    list.push_back({{"app_id", names_.application_name(opinion.application)},
                    {"fit", opinion.fit == classify::Fit::Yes ? "yes" : "more"},
                    {"why", opinion.why}});
  }
  return list;
}

std::vector<std::string> FlowStory::lines(const json& step) {
  std::string when;
  if (step.contains("packet")) when = fmt::format("packet {} ", step["packet"].get<uint64_t>());
  if (step.contains("after_us")) {
    const auto after = step["after_us"].get<uint64_t>();
    when += fmt::format("+{}.{:06} ", after / 1'000'000, after % 1'000'000);
  }
  std::vector<std::string> lines = {printable(when + step["text"].get<std::string>())};
  const auto detail = [&](const std::string& text) { lines.push_back("    " + text); };
  for (const json& text : step.value("details", json::array())) detail(text.get<std::string>());
  std::string open;
  size_t more = 0;
  for (const json& application : step.value("applications", json::array())) {
    const std::string name = application["app_id"].get<std::string>();
    if (application["fit"] == "yes") detail(name + ": " + application["why"].get<std::string>());
    if (application["fit"] == "more" && ++more <= kMostOpen) open += (open.empty() ? "" : ", ") + name;
  }
  if (more > kMostOpen) open += fmt::format(" and {} more", more - kMostOpen);
  if (more > 0) detail("may still be: " + open);
  for (const json& rule : step.value("rules", json::array())) detail(rule["text"].get<std::string>());
  return lines;
}

}  // namespace postern::control
