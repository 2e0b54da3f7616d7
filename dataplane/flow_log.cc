// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow_log.h"

#include "classify/policy.h"

namespace postern::dataplane {
namespace {

bool is_icmp(uint8_t protocol) noexcept {
  return protocol == classify::kIcmp || protocol == classify::kIcmpV6;
}

// last_seen counts milliseconds modulo 2^32; the flow was seen less than 49 days before `now`.
Timestamp last_seen_of(const FlowHot& hot, Timestamp now) noexcept {
  const uint64_t now_ms = now / kMillisecond;
  const uint32_t ago = static_cast<uint32_t>(now_ms) - hot.last_seen;
  return (now_ms - ago) * kMillisecond;
}

}  // namespace

uint64_t flow_id_of(const FlowKey& key, uint64_t start_us) noexcept {
  // 53 bits, so a JSON reader that keeps numbers as doubles keeps it whole.
  return hash_of(key, start_us) >> 11;
}

LogRecord describe(const FlowHot& hot, const FlowCold& cold, const VlanMap& vlan_map,
                   Timestamp now) noexcept {
  const auto opener = static_cast<size_t>(hot.opener());
  LogRecord record;
  record.protocol = hot.key.protocol;
  record.wire = WireId{hot.key.wire};
  record.opener_side = hot.opener();
  const bool by_first = hot.opener() == Side::First;
  record.vlan[0] = by_first ? hot.key.vlan[0] : vlan_map.translate(Side::First, hot.key.vlan[0]);
  record.vlan[1] = hot.key.vlan[1];
  record.source = hot.key.address[opener];
  record.destination = hot.key.address[1 - opener];
  if (is_icmp(hot.key.protocol)) {
    record.source_port = hot.key.port[1];  // request type
    record.destination_port = 0;
  } else {
    record.source_port = hot.key.port[opener];
    record.destination_port = hot.key.port[1 - opener];
  }
  record.flow_id = flow_id_of(hot.key, cold.start_us);
  record.time = now;
  record.start = cold.start_us * kMicrosecond;
  record.last = std::max(record.start, last_seen_of(hot, now));
  record.packets[0] = cold.packets_to_server;
  record.packets[1] = cold.packets_to_client;
  record.bytes[0] = cold.bytes_to_server;
  record.bytes[1] = cold.bytes_to_client;
  record.dropped_packets = cold.dropped;
  record.rule = hot.rule;
  record.subject = SubjectId{static_cast<uint32_t>(cold.subject)};
  record.generation = hot.generation;
  record.application = hot.application;
  record.identified = AppId{static_cast<uint16_t>(cold.identified)};
  if (const Carrier carrier = carrier_of(hot, cold); carrier.opened) record.carrier = carrier.application;
  record.source_zone = hot.source_zone;
  record.destination_zone = hot.destination_zone;
  record.forwarding = hot.forwarding;
  record.action = hot.verdict == FlowVerdict::Drop ? Action::Drop : Action::Allow;
  record.drop_reason = hot.verdict == FlowVerdict::Drop ? hot.reason : DropReason::None;
  record.inspection = static_cast<InspectionStatus>(cold.inspection);
  record.inspection_reason = static_cast<InspectionReason>(cold.inspection_reason);
  record.decryption_mode = cold.decryption_mode;
  record.decrypt_result = static_cast<DecryptResult>(cold.decrypt_result);
  record.tcp_flags[0] = cold.flags_to_server;
  record.tcp_flags[1] = cold.flags_to_client;
  return record;
}

LogRecord describe(const Slot& slot, Timestamp now) noexcept {
  const auto from = static_cast<size_t>(slot.port.side());
  LogRecord record;
  record.protocol = slot.key.protocol;
  record.wire = slot.port.wire();
  record.opener_side = slot.port.side();
  record.vlan[0] = slot.key.vlan[0];
  record.vlan[1] = slot.key.vlan[1];
  record.source = slot.key.address[from];
  record.destination = slot.key.address[1 - from];
  record.source_port = is_icmp(slot.key.protocol) ? slot.icmp_type : slot.key.port[from];
  record.destination_port = is_icmp(slot.key.protocol) ? slot.icmp_code : slot.key.port[1 - from];
  record.time = record.start = record.last = now;
  return record;
}

LogRecord FlowLog::describe_flow(const FlowHot& hot, const FlowCold& cold, Timestamp now) const noexcept {
  return describe(hot, cold, vlan_maps_[hot.key.wire], now);
}

void FlowLog::push(const LogRecord& record, Bytes extra) noexcept {
  if (!ring_.push(record, extra)) counters_.log_records_lost.add(1);
}

void FlowLog::start(const FlowHot& hot, const FlowCold& cold, Timestamp now) noexcept {
  LogRecord record = describe_flow(hot, cold, now);
  record.kind = RecordKind::FlowStart;
  push(record);
}

void FlowLog::drop(const FlowHot& hot, const FlowCold& cold, Timestamp now) noexcept {
  LogRecord record = describe_flow(hot, cold, now);
  record.kind = RecordKind::FlowDrop;
  push(record);
}

void FlowLog::refused(FlowHot& hot, const FlowCold& cold, Timestamp now) noexcept {
  if ((hot.flags & (kLogStart | kDropLogged)) != kLogStart) return;
  hot.flags |= kDropLogged;
  drop(hot, cold, now);
}

void FlowLog::change(const FlowHot& hot, const FlowCold& cold, Timestamp now) noexcept {
  if ((hot.flags & (kLogStart | kLogEnd)) == 0) return;
  LogRecord record = describe_flow(hot, cold, now);
  record.kind = RecordKind::FlowChange;
  push(record);
}

void FlowLog::end(const FlowHot& hot, const FlowCold& cold, EndReason reason, Timestamp now) noexcept {
  LogRecord record = describe_flow(hot, cold, now);
  record.kind = RecordKind::FlowEnd;
  record.end_reason = reason;
  push(record);
}

void FlowLog::alert(const FlowHot& hot, const FlowCold& cold, const AlertFacts& facts,
                    Timestamp now) noexcept {
  LogRecord record = describe_flow(hot, cold, now);
  record.kind = RecordKind::Alert;
  push(record, extra_of(facts));
}

void FlowLog::tls(const FlowHot& hot, const FlowCold& cold, const classify::TlsFacts& facts,
                  Timestamp now) noexcept {
  const bool asked = (hot.flags & (kLogStart | kLogEnd)) != 0;
  if (!asked && hot.verdict != FlowVerdict::Drop) return;
  LogRecord record = describe_flow(hot, cold, now);
  record.kind = RecordKind::Tls;
  push(record, extra_of(facts));
}

void FlowLog::packet_drop(const Slot& slot, const DropOrigin& origin, Timestamp now) noexcept {
  Limit& limit = limits_[static_cast<size_t>(slot.reason)];
  const Timestamp second = now / kSecond;
  if (limit.second != second) {
    limit.second = second;
    limit.written = 0;
  }
  if (limit.written >= packet_drops_per_second_) {
    ++limit.suppressed;
    return;
  }
  ++limit.written;
  LogRecord record = describe(slot, now);
  record.kind = RecordKind::PacketDrop;
  record.dropped_packets = 1;
  record.suppressed = std::exchange(limit.suppressed, 0);
  record.generation = origin.generation;
  record.forwarding = origin.forwarding;
  record.rule = origin.rule;
  record.source_zone = origin.source_zone;
  record.destination_zone = origin.destination_zone;
  record.action = Action::Drop;
  record.drop_reason = slot.reason;
  record.inspection_reason = InspectionReason::Dropped;
  push(record);
}

}  // namespace postern::dataplane
