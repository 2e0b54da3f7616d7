// SPDX-License-Identifier: Apache-2.0
#include "control/eve.h"

#include <chrono>

#include "control/address_text.h"
#include "control/community_id.h"
#include "control/eve_tls.h"
#include "control/eve_words.h"

namespace postern::control {
namespace {

using dataplane::DecryptResult;
using dataplane::InspectionReason;
using dataplane::InspectionStatus;
using dataplane::LogRecord;
using dataplane::RecordKind;

constexpr size_t kToServer = static_cast<size_t>(Direction::ToServer);
constexpr size_t kToClient = static_cast<size_t>(Direction::ToClient);

// 2026-01-02T03:04:05.123456+0000
struct TimeText {
  char characters[31];
  std::string_view view() const { return {characters, sizeof characters}; }
};

char* put_digits(char* at, uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
  return at + width;
}

TimeText time_text(Timestamp time) {
  using namespace std::chrono;
  const auto seconds_of_day = time / kSecond % 86400;
  const year_month_day date{sys_days{days{static_cast<int>(time / kSecond / 86400)}}};
  TimeText text;
  char* at = put_digits(text.characters, static_cast<uint64_t>(static_cast<int>(date.year())), 4);
  *at++ = '-';
  at = put_digits(at, static_cast<unsigned>(date.month()), 2);
  *at++ = '-';
  at = put_digits(at, static_cast<unsigned>(date.day()), 2);
  *at++ = 'T';
  at = put_digits(at, seconds_of_day / 3600, 2);
  *at++ = ':';
  at = put_digits(at, seconds_of_day / 60 % 60, 2);
  *at++ = ':';
  at = put_digits(at, seconds_of_day % 60, 2);
  *at++ = '.';
  at = put_digits(at, time % kSecond / kMicrosecond, 6);
  std::memcpy(at, "+0000", 5);
  return text;
}

std::string_view event_type(RecordKind kind) {
  switch (kind) {
    case RecordKind::FlowStart:
    case RecordKind::FlowChange:
    case RecordKind::FlowEnd:
      return "flow";
    case RecordKind::FlowDrop:
    case RecordKind::PacketDrop:
      return "drop";
    case RecordKind::Alert:
      return "alert";
    case RecordKind::Tls:
      return "tls";
  }
  return "";
}

// Tells a flow as a whole.
bool is_flow(RecordKind kind) {
  return kind != RecordKind::PacketDrop && kind != RecordKind::Tls && kind != RecordKind::Alert;
}

bool is_ip(const LogRecord& r) { return r.source != IpAddress{} || r.destination != IpAddress{}; }
bool is_icmp(const LogRecord& r) { return r.protocol == classify::kIcmp || r.protocol == classify::kIcmpV6; }
bool has_ports(const LogRecord& r) {
  return r.protocol == classify::kTcp || r.protocol == classify::kUdp || r.protocol == classify::kSctp;
}

// Rule 0 on a record means the default rule only where the default rule judged; elsewhere no rule did.
bool rule_judged(const LogRecord& r) {
  return r.rule != kDefaultRule || r.drop_reason == DropReason::PolicyDefault;
}

std::string_view decrypt_reason(const LogRecord& r) {
  if (r.decrypt_result == DecryptResult::Unavailable) return decrypt_reason_name(DecryptReason::NoEngine);
  const bool pinned = r.inspection_reason == InspectionReason::EncryptedCertPinnedApp;
  return r.decrypt_result == DecryptResult::Excluded && pinned ? "cert_pinned_app" : "";
}

std::string quoted_unless_empty(const std::string& name) { return name.empty() ? "" : json_quoted(name); }

}  // namespace

EveFormatter::EveFormatter(const Names& names, std::string_view observer) : names_(names) { renew(observer); }

void EveFormatter::renew(std::string_view observer) {
  observer_ = observer.empty() ? "" : json_quoted(observer);
  wires_.clear();
}

template <typename Make>
std::string_view EveFormatter::cached(Fragments& fragments, size_t index, Make make) {
  // Ids are dense. Whatever is beyond this is a mistake of ours, and must not become gigabytes of empty
  // strings.
  static constexpr size_t kMostCached = 1 << 20;
  if (index >= kMostCached) return uncached_ = make();
  if (index >= fragments.size()) fragments.resize(index + 1);
  if (fragments[index].empty()) fragments[index] = make();
  return fragments[index];
}

std::string_view EveFormatter::zone(Zone id) {
  return cached(zones_, id.value, [&] { return quoted_unless_empty(names_.zone_name(id)); });
}

std::string_view EveFormatter::application(AppId id) {
  if (id == kApplicationPending) return {};
  return cached(applications_, id.value, [&] { return quoted_unless_empty(names_.application_name(id)); });
}

std::string_view EveFormatter::subject(SubjectId id) {
  if (id == SubjectId{}) return {};
  return cached(subjects_, id.value, [&] { return quoted_unless_empty(names_.subject_name(id)); });
}

std::string_view EveFormatter::rule(RuleId id) {
  return cached(rules_, id.value, [&] {
    const RuleName name = names_.rule_name(id);
    JsonLine json;
    if (!name.pack.empty()) json.escaped("pack", name.pack);
    json.escaped("rule", name.name);
    if (!name.pack.empty()) json.number("index", name.index);
    return std::string(json.text());
  });
}

std::string_view EveFormatter::wire_and_side(WireId wire, Side side) {
  return cached(wires_, wire.value * 2u + static_cast<size_t>(side), [&] {
    const std::string name = names_.wire_name(wire);
    if (name.empty()) return std::string();
    JsonLine json;
    json.escaped("in_iface", name);
    json.escaped("side", names_.side_name(wire, side));
    return std::string(json.text());
  });
}

void EveFormatter::start_line(Timestamp time) {
  json_.clear();
  json_.open_object();
  json_.word("timestamp", time_text(time).view());
}

std::string_view EveFormatter::line(const LogRecord& record, Bytes extra) {
  start_line(record.time);
  if (record.flow_id != 0) json_.number("flow_id", record.flow_id);
  if (const auto place = wire_and_side(record.wire, record.opener_side); !place.empty()) json_.members(place);
  json_.word("event_type", event_type(record.kind));
  if (!observer_.empty()) json_.in_quotes("observer", observer_);
  endpoints(record);
  applications(record);
  particulars(record, extra);
  judgement(record);
  if (is_flow(record.kind)) content(record);
  if (record.kind == RecordKind::Alert) decryption(record, DecryptReason::None, tls::CertificateFault::None);
  if (record.kind == RecordKind::Tls && record.decryption_mode != 0) {
    const auto facts = dataplane::read_extra<classify::TlsFacts>(extra);
    decryption(record, facts.decrypt_reason, static_cast<tls::CertificateFault>(facts.certificate_fault));
  }
  if (const auto name = subject(record.subject); !name.empty()) json_.in_quotes("user", name);
  json_.close_object();
  json_.end_line();
  return json_.text();
}

void EveFormatter::endpoints(const LogRecord& record) {
  if (record.vlan[0] != 0 || record.vlan[1] != 0) {
    json_.open_array("vlan");
    for (const uint16_t vlan : record.vlan)
      if (vlan != 0) json_.number(vlan);
    json_.close_array();
  }
  if (!is_ip(record)) return;
  json_.word("src_ip", AddressText(record.source).view());
  if (has_ports(record)) json_.number("src_port", record.source_port);
  json_.word("dest_ip", AddressText(record.destination).view());
  if (has_ports(record)) json_.number("dest_port", record.destination_port);
  // Dropped before its protocol was read. (A flow of protocol 0 can be: IPv4 may name it.)
  if (record.protocol == 0 && record.kind == RecordKind::PacketDrop) return;
  if (const auto word = protocol_word(record.protocol); !word.empty()) {
    json_.word("proto", word);
  } else {
    char digits[3];
    const auto end = std::to_chars(digits, digits + sizeof digits, record.protocol).ptr;
    json_.word("proto", {digits, end});
  }
  if (is_icmp(record)) {
    json_.number("icmp_type", record.source_port);
    json_.number("icmp_code", record.destination_port);
  }
  const FlowTuple tuple{record.source, record.destination, record.protocol, record.source_port,
                        record.destination_port};
  json_.word("community_id", community_id(tuple).text());
}

void EveFormatter::applications(const LogRecord& record) {
  if (record.identified == kApplicationUnidentified) {
    json_.word("app_proto", "failed");
  } else if (const auto name = application(record.identified); !name.empty()) {
    json_.in_quotes("app_proto", name);
  }
  if (const auto name = application(record.application); !name.empty()) json_.in_quotes("app_id", name);
}

void EveFormatter::particulars(const LogRecord& record, Bytes extra) {
  switch (record.kind) {
    case RecordKind::FlowStart:
    case RecordKind::FlowChange:
    case RecordKind::FlowEnd:
    case RecordKind::FlowDrop:
      flow(record);
      return tcp(record);
    case RecordKind::PacketDrop:
      json_.open_object("drop");
      json_.number("suppressed", record.suppressed);
      json_.close_object();
      return tcp(record);
    case RecordKind::Alert:
      return alert(dataplane::read_extra<dataplane::AlertFacts>(extra));
    case RecordKind::Tls:
      return write_tls(json_, dataplane::read_extra<classify::TlsFacts>(extra));
  }
}

// Of a generator of its own, with a number that follows from the name: the same in every posternd.
void EveFormatter::alert(const dataplane::AlertFacts& facts) {
  constexpr uint32_t kAntivirusGenerator = 7000;
  uint32_t number = 2166136261;  // FNV-1a
  for (const char c : facts.signature.view()) number = (number ^ static_cast<uint8_t>(c)) * 16777619;
  json_.open_object("alert");
  json_.word("action", facts.blocked ? "blocked" : "allowed");
  json_.number("gid", kAntivirusGenerator);
  json_.number("signature_id", number);
  json_.number("rev", 1u);
  json_.escaped("signature", facts.signature.view());
  json_.word("category", "antivirus");
  json_.number("severity", 1u);
  json_.close_object();
  json_.word("direction", facts.direction == Direction::ToServer ? "to_server" : "to_client");
}

void EveFormatter::flow(const LogRecord& record) {
  json_.open_object("flow");
  json_.number("pkts_toserver", record.packets[kToServer]);
  json_.number("pkts_toclient", record.packets[kToClient]);
  json_.number("bytes_toserver", record.bytes[kToServer]);
  json_.number("bytes_toclient", record.bytes[kToClient]);
  json_.word("start", time_text(record.start).view());
  if (record.kind != RecordKind::FlowStart) {
    json_.word("end", time_text(record.last).view());
    json_.number("age", record.last > record.start ? (record.last - record.start) / kSecond : 0);
  }
  json_.word("state", flow_state_word(record));
  if (const auto word = end_reason_word(record.end_reason); !word.empty()) json_.word("reason", word);
  if (record.kind == RecordKind::FlowStart) json_.word("log", "start");
  if (record.kind == RecordKind::FlowChange) json_.word("log", "change");
  if (record.kind == RecordKind::FlowEnd) json_.word("log", "end");
  json_.number("dropped_pkts", record.dropped_packets);
  json_.close_object();
}

void EveFormatter::tcp(const LogRecord& record) {
  const uint8_t to_server = record.tcp_flags[kToServer], to_client = record.tcp_flags[kToClient];
  if (record.protocol != classify::kTcp || (to_server | to_client) == 0) return;
  const auto hex = [this](std::string_view key, uint8_t flags) {
    static constexpr char kHex[] = "0123456789abcdef";
    const char digits[2] = {kHex[flags >> 4], kHex[flags & 15]};
    json_.word(key, {digits, 2});
  };
  json_.open_object("tcp");
  hex("tcp_flags", to_server | to_client);
  hex("tcp_flags_ts", to_server);
  hex("tcp_flags_tc", to_client);
  json_.close_object();
}

void EveFormatter::judgement(const LogRecord& record) {
  json_.open_object("policy");
  if (rule_judged(record)) json_.members(rule(record.rule));
  json_.number("generation", record.generation.value);
  json_.close_object();

  if (record.source_zone != kNoZone || record.destination_zone != kNoZone) {
    json_.open_object("zone");
    if (const auto name = zone(record.source_zone); !name.empty()) json_.in_quotes("src", name);
    if (const auto name = zone(record.destination_zone); !name.empty()) json_.in_quotes("dst", name);
    json_.close_object();
  }

  json_.open_object("verdict");
  json_.word("action", action_word(record.action));
  if (record.drop_reason != DropReason::None) json_.word("reason", drop_reason_name(record.drop_reason));
  json_.close_object();
}

void EveFormatter::content(const LogRecord& record) {
  json_.open_object("inspection");
  json_.word("status", inspection_status_word(record.inspection));
  // What was fully inspected needs no reason why it was not.
  if (record.inspection != InspectionStatus::Full)
    json_.word("reason", inspection_reason_word(record.inspection_reason));
  json_.close_object();
  decryption(record, DecryptReason::None, tls::CertificateFault::None);
}

void EveFormatter::decryption(const LogRecord& record, DecryptReason reason, tls::CertificateFault cause) {
  json_.open_object("decrypt");
  json_.word("mode", decryption_mode_word(static_cast<classify::DecryptionMode>(record.decryption_mode)));
  json_.word("result", decrypt_result_word(record.decrypt_result));
  const std::string_view word =
      reason == DecryptReason::None ? decrypt_reason(record) : decrypt_reason_name(reason);
  if (!word.empty()) json_.word("reason", word);
  if (cause != tls::CertificateFault::None) json_.word("cause", tls::certificate_fault_name(cause));
  json_.close_object();
}

std::string_view EveFormatter::line(const StatsRecord& stats) {
  start_line(stats.time);
  json_.word("event_type", "stats");
  if (!observer_.empty()) json_.in_quotes("observer", observer_);
  json_.open_object("stats");
  json_.number("uptime", stats.uptime_seconds);
  json_.number("generation", stats.generation.value);
  json_.number("received", stats.received);
  json_.number("sent", stats.sent);
  json_.number("forged", stats.forged);
  json_.number("terminated", stats.terminated);
  json_.number("held", stats.held);
  uint64_t dropped = 0;
  for (const uint64_t count : stats.dropped) dropped += count;
  json_.number("dropped", dropped);
  json_.open_object("drops");
  for (size_t i = 1; i < kDropReasons; ++i)
    json_.number(drop_reason_name(static_cast<DropReason>(i)), stats.dropped[i]);
  json_.close_object();
  json_.open_object("flows");
  json_.number("active", stats.flows_active);
  json_.number("opened", stats.flows_opened);
  json_.close_object();
  wires(stats);
  json_.open_object("log");
  json_.number("lines", stats.log_lines);
  json_.number("lost", stats.log_lost);
  json_.number("write_errors", stats.log_write_errors);
  json_.close_object();
  json_.close_object();
  json_.close_object();
  json_.end_line();
  return json_.text();
}

void EveFormatter::wires(const StatsRecord& stats) {
  json_.open_array("wires");
  for (const WireStats& wire : stats.wires) {
    json_.open_object();
    json_.escaped("wire", wire.wire);
    json_.open_array("sides");
    for (const PortStats& port : wire.sides) {
      json_.open_object();
      json_.escaped("side", port.side);
      json_.escaped("port", port.port);
      json_.number("rx_packets", port.rx_packets);
      json_.number("rx_bytes", port.rx_bytes);
      json_.number("tx_packets", port.tx_packets);
      json_.number("tx_bytes", port.tx_bytes);
      json_.close_object();
    }
    json_.close_array();
    json_.close_object();
  }
  json_.close_array();
}

std::string_view EveFormatter::line(const LogLoss& loss) {
  start_line(loss.time);
  json_.word("event_type", "anomaly");
  if (!observer_.empty()) json_.in_quotes("observer", observer_);
  json_.open_object("anomaly");
  json_.word("type", "log_loss");
  json_.word("cause", loss.cause == LossCause::QueueFull ? "queue_full" : "write_failed");
  json_.number("lost", loss.lost);
  json_.close_object();
  json_.close_object();
  json_.end_line();
  return json_.text();
}

}  // namespace postern::control
