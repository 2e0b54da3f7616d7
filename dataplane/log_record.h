// SPDX-License-Identifier: Apache-2.0
// What a worker hands to the log thread: fixed size, no pointers, names as ids. Some kinds are followed by
// extra bytes, one trivially copyable struct. Written by a worker, read once by the log thread, which turns
// it into text.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/text.h"
#include "base/time.h"
#include "base/verdict.h"

namespace postern::dataplane {

enum class RecordKind : uint8_t {
  FlowStart,   // log_start of an allowed flow
  FlowChange,  // an allowed flow turned out to be another application
  FlowEnd,     // log_end of an allowed flow, or of a dropped one when its entry ages out
  FlowDrop,    // a flow met a drop, written at once
  PacketDrop,  // a packet that belongs to no flow was dropped; rate limited, `suppressed` counts the silent
               // ones
  Alert,       // a profile found something in a flow; extra: AlertFacts
  Tls,         // what a TLS handshake showed; extra: classify::TlsFacts
};

enum class EndReason : uint8_t {
  None,
  TcpFin,
  TcpRstClient,
  TcpRstServer,
  AgedOut,
  PolicyDeny,
  Resources,
  WireDown,
  Shutdown
};

// How much of the flow's content was judged; `None` with a reason is the honest default. Partial: some bytes
// were looked at, and others passed without.
enum class InspectionStatus : uint8_t { None, MetadataOnly, Partial, Full };
enum class InspectionReason : uint8_t {
  NotRequired,             // the rule asks for no profile
  Dropped,                 // nothing passed
  EngineAbsent,            // the profile's engine is not part of this build
  EncryptedCertPinnedApp,  // decryption none, exclusion cert_pinned_app
  EncryptedByPolicy,       // decryption none, no exclusion named
  DecryptionUnavailable,   // decryption demanded, no engine, exception policy passed it
  EncryptedExcluded,       // decryption demanded, and the site excludes the flow
  ByteSignatures,          // every byte was scanned for antivirus signatures, and nothing was unpacked
  Exception,               // another exception policy passed it uninspected
};
enum class DecryptResult : uint8_t {
  NotTls,
  NotRequired,
  Excluded,
  Unavailable,  // demanded, and not begun
  Decrypted,    // adopted by a TLS core
  Failed,       // adopted, and not decrypted to the end
};

struct LogRecord {
  RecordKind kind{};
  uint8_t protocol = 0;
  WireId wire;
  Side opener_side{};     // side of the wire the flow was opened from (PacketDrop: the packet came from)
  uint16_t vlan[2] = {};  // outer, inner as seen from the opener's side; 0: none
  IpAddress source, destination;                   // of the side that opened the flow
  uint16_t source_port = 0, destination_port = 0;  // ICMP: type and code of the first packet
  uint64_t flow_id = 0;  // same for every record of a flow, and in every replay of it; 0: no flow
  Timestamp time = 0;    // of the event
  Timestamp start = 0, last = 0;
  uint64_t packets[2] = {}, bytes[2] = {};  // by Direction; layer 2 lengths without FCS; forwarded packets
  uint64_t dropped_packets = 0;             // packets of this flow that were dropped
  uint32_t suppressed = 0;
  RuleId rule;
  SubjectId subject;
  Generation generation;
  AppId application;  // what the matched rule calls it, else what was identified
  AppId identified;   // what the bytes are (app_proto)
  AppId carrier;      // what carries it, of a decrypted flow whose inside is known
  Zone source_zone, destination_zone;
  ForwardingId forwarding;
  Action action{};
  DropReason drop_reason{};
  EndReason end_reason{};
  InspectionStatus inspection{};
  InspectionReason inspection_reason{};
  uint8_t decryption_mode = 0;  // classify::DecryptionMode
  DecryptResult decrypt_result{};
  uint8_t tcp_flags[2] = {};  // all flags seen, by Direction
};

struct AlertFacts {
  FixedText<64> signature;
  Direction direction{};  // of the bytes
  bool blocked = false;
};

// A record as its reader gets it.
struct LogEvent {
  LogRecord record;
  std::vector<uint8_t> extra;  // the struct of the record's kind, else empty
};

inline constexpr size_t kMostLogExtra = 2048;

// The extra bytes of a record: the struct itself, and back.
template <typename Facts>
Bytes extra_of(const Facts& facts) noexcept {
  static_assert(std::is_trivially_copyable_v<Facts> && sizeof(Facts) <= kMostLogExtra);
  return {reinterpret_cast<const uint8_t*>(&facts), sizeof(Facts)};
}

template <typename Facts>
Facts read_extra(Bytes extra) noexcept {
  static_assert(std::is_trivially_copyable_v<Facts> && sizeof(Facts) <= kMostLogExtra);
  assert(extra.size() == sizeof(Facts));
  Facts facts;
  if (extra.size() == sizeof(Facts)) std::memcpy(&facts, extra.data(), sizeof(Facts));
  return facts;
}

}  // namespace postern::dataplane
