// SPDX-License-Identifier: Apache-2.0
#include "control/eve_words.h"

namespace postern::control {

using dataplane::DecryptResult;
using dataplane::EndReason;
using dataplane::InspectionReason;
using dataplane::InspectionStatus;

std::string_view action_word(Action action) { return action == Action::Allow ? "allow" : "drop"; }

std::string_view protocol_word(uint8_t protocol) {
  switch (protocol) {
    case classify::kIcmp:
      return "ICMP";
    case 2:
      return "IGMP";
    case classify::kTcp:
      return "TCP";
    case classify::kUdp:
      return "UDP";
    case 47:
      return "GRE";
    case 50:
      return "ESP";
    case 51:
      return "AH";
    case classify::kIcmpV6:
      return "IPv6-ICMP";
    case classify::kSctp:
      return "SCTP";
    default:
      return {};
  }
}

std::string_view end_reason_word(EndReason reason) {
  switch (reason) {
    case EndReason::None:
      return {};
    case EndReason::TcpFin:
      return "tcp_fin";
    case EndReason::TcpRstClient:
      return "tcp_rst_client";
    case EndReason::TcpRstServer:
      return "tcp_rst_server";
    case EndReason::AgedOut:
      return "timeout";
    case EndReason::PolicyDeny:
      return "policy_deny";
    case EndReason::Resources:
      return "resources";
    case EndReason::WireDown:
      return "wire_down";
    case EndReason::Shutdown:
      return "shutdown";
  }
  return {};
}

std::string_view inspection_status_word(InspectionStatus status) {
  switch (status) {
    case InspectionStatus::None:
      return "none";
    case InspectionStatus::MetadataOnly:
      return "metadata_only";
    case InspectionStatus::Partial:
      return "partial";
    case InspectionStatus::Full:
      return "full";
  }
  return "none";
}

std::string_view inspection_reason_word(InspectionReason reason) {
  switch (reason) {
    case InspectionReason::NotRequired:
      return "not_required";
    case InspectionReason::Dropped:
      return "dropped";
    case InspectionReason::EngineAbsent:
      return "engine_absent";
    case InspectionReason::EncryptedCertPinnedApp:
      return "encrypted_cert_pinned_app";
    case InspectionReason::EncryptedByPolicy:
      return "encrypted_by_policy";
    case InspectionReason::EncryptedExcluded:
      return "encrypted_excluded";
    case InspectionReason::DecryptionUnavailable:
      return "decryption_unavailable";
    case InspectionReason::ByteSignatures:
      return "byte_signatures";
    case InspectionReason::Exception:
      return "exception";
  }
  return "not_required";
}

std::string_view decryption_mode_word(classify::DecryptionMode mode) {
  switch (mode) {
    case classify::DecryptionMode::None:
      return "none";
    case classify::DecryptionMode::SslInboundInspection:
      return "ssl_inbound_inspection";
    case classify::DecryptionMode::SslForwardProxy:
      return "ssl_forward_proxy";
  }
  return "none";
}

std::string_view decrypt_result_word(DecryptResult result) {
  switch (result) {
    case DecryptResult::NotTls:
      return "not_tls";
    case DecryptResult::NotRequired:
      return "not_required";
    case DecryptResult::Excluded:
      return "excluded";
    case DecryptResult::Unavailable:
      return "unavailable";
    case DecryptResult::Decrypted:
      return "decrypted";
    case DecryptResult::Failed:
      return "failed";
  }
  return "not_tls";
}

std::string_view flow_state_word(const dataplane::LogRecord& record) {
  if (record.action == Action::Drop) return "dropped";
  switch (record.end_reason) {
    case EndReason::TcpFin:
    case EndReason::TcpRstClient:
    case EndReason::TcpRstServer:
      return "closed";
    default:
      break;
  }
  return record.packets[static_cast<size_t>(Direction::ToClient)] != 0 ? "established" : "new";
}

}  // namespace postern::control
