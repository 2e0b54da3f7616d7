// SPDX-License-Identifier: Apache-2.0
// Names and log records that the tests of logging start from.
#pragma once

#include "classify/tls_facts.h"
#include "control/names.h"
#include "dataplane/log_record.h"

namespace postern::control {

// 2026-01-02 03:04:05.123456 UTC
inline constexpr Timestamp kSampleTime = 1'767'323'045'123'456'000;

struct Sample {
  Names names;
  WireId wire = names.wire("front", "it", "management");
  Zone trust = names.zone("trust"), management = names.zone("management");
  AppId application = names.application("infra_mgmt_web");
  RuleId rule = names.rule({"out_of_band_server_management", "infra_mgmt_web", 0});
  SubjectId alice = names.subject("alice");
  ForwardingId standard = names.forwarding("siem_default"), urgent = names.forwarding("siem_high_priority");

  // The end of an allowed HTTPS flow.
  dataplane::LogRecord https() const {
    dataplane::LogRecord r;
    r.kind = dataplane::RecordKind::FlowEnd;
    r.protocol = 6;
    r.wire = wire;
    r.vlan[0] = 10;
    r.source = *IpAddress::parse("10.1.0.5");
    r.destination = *IpAddress::parse("10.3.0.10");
    r.source_port = 49152;
    r.destination_port = 443;
    r.flow_id = 1234567890123;
    r.time = r.last = kSampleTime;
    r.start = kSampleTime - 5 * kSecond;
    r.packets[0] = 10;
    r.packets[1] = 9;
    r.bytes[0] = 1000;
    r.bytes[1] = 9000;
    r.rule = rule;
    r.subject = alice;
    r.generation = Generation{7};
    r.application = application;
    r.identified = AppId{2};
    r.source_zone = trust;
    r.destination_zone = management;
    r.forwarding = standard;
    r.end_reason = dataplane::EndReason::TcpFin;
    r.inspection_reason = dataplane::InspectionReason::EngineAbsent;
    r.decryption_mode = 1;
    r.decrypt_result = dataplane::DecryptResult::Unavailable;
    r.tcp_flags[0] = 0x1b;
    r.tcp_flags[1] = 0x13;
    return r;
  }

  // The handshake of that flow, to go with tls_facts().
  dataplane::LogRecord handshake() const {
    dataplane::LogRecord r = https();
    r.kind = dataplane::RecordKind::Tls;
    r.end_reason = dataplane::EndReason::None;
    return r;
  }
  static classify::TlsFacts tls_facts() {
    classify::TlsFacts f;
    f.client_hello = f.server_hello = f.server_complete = f.certificate_read = true;
    f.server_name.append("bmc7.example");
    f.alpn_offered.append("\x02h2\x08http/1.1");
    f.alpn_chosen.append("h2");
    f.version = f.client_version = 0x0303;
    f.cipher_suite = 0xc02f;
    f.ja3.append("773906b0efdefa24a7f2b8eb6985bf37");
    f.ja3s.append("ae4edc6faf64d08308082ad26be60767");
    f.ja4.append("t12d1516h2_8daaf6152771_02713d6af862");
    f.certificate = classify::TlsFacts::Certificate::Clear;
    f.chain_length = 1;
    f.subject.append("C=DE, O=Example, CN=bmc7.example");
    f.issuer.append("CN=Example CA");
    f.serial.append("0A:1B");
    f.not_before.append("2026-01-01T00:00:00");
    f.not_after.append("2027-01-01T00:00:00");
    f.names.append("bmc7.example,bmc7");
    f.sha1.fill(0x4a);
    f.sha256.fill(0xb7);
    return f;
  }

  // IPMI that the default rule drops, just met.
  dataplane::LogRecord dropped_ipmi() const {
    dataplane::LogRecord r;
    r.kind = dataplane::RecordKind::FlowDrop;
    r.protocol = 17;
    r.wire = wire;
    r.source = *IpAddress::parse("10.1.0.5");
    r.destination = *IpAddress::parse("10.4.0.7");
    r.source_port = 40000;
    r.destination_port = 623;
    r.flow_id = 42;
    r.time = r.last = r.start = kSampleTime;
    r.dropped_packets = 1;
    r.generation = Generation{7};
    r.source_zone = trust;
    r.destination_zone = management;
    r.forwarding = urgent;
    r.action = Action::Drop;
    r.drop_reason = DropReason::PolicyDefault;
    r.inspection_reason = dataplane::InspectionReason::Dropped;
    return r;
  }

  // A frame that is no IP.
  dataplane::LogRecord dropped_frame() const {
    dataplane::LogRecord r;
    r.kind = dataplane::RecordKind::PacketDrop;
    r.wire = wire;
    r.opener_side = Side::Second;
    r.time = r.last = r.start = kSampleTime;
    r.dropped_packets = 1;
    r.suppressed = 12;
    r.generation = Generation{7};
    r.action = Action::Drop;
    r.drop_reason = DropReason::L2Policy;
    r.inspection_reason = dataplane::InspectionReason::Dropped;
    return r;
  }
};

}  // namespace postern::control
