// SPDX-License-Identifier: Apache-2.0
// What a worker remembers of a flow, 120 bytes in two parts: what every packet needs, and what counts and
// logs need. Owned by one worker.
#pragma once

#include <cstdint>

#include "base/ids.h"
#include "base/time.h"
#include "base/verdict.h"
#include "dataplane/flow_key.h"
#include "dataplane/log_record.h"

namespace postern::dataplane {

enum class FlowState : uint8_t {
  Free,
  SynSent,      // TCP: opened, not answered
  SynReceived,  // TCP: answered, not confirmed
  Established,
  Closing,    // TCP: a FIN was seen
  Closed,     // TCP: both FINs or a valid RST
  Unreplied,  // other protocols: only one side has spoken
  Replied,
};

// The standing answer for the flow's packets.
enum class FlowVerdict : uint8_t { Pending, Allow, Drop, Bypass };

enum FlowFlag : uint16_t {
  kOpenedBySecond = 1,  // the wire's second side opened the flow
  kLogStart = 2,
  kLogEnd = 4,
  kStartLogged = 8,
  kAdopted = 16,  // a TLS core has its packets
  kFinToServer = 32,
  kFinToClient = 64,
  kRstByClient = 128,
  kRstByServer = 256,
  kDropLogged = 512,
  kPolicyMatched = 1024,  // `application` is the rule's word for the flow
  kMidstream = 2048,      // picked up without its handshake
  kTcpMd5 = 4096,         // RFC 2385 signatures were negotiated
  kRelated = 8192,        // answers a question sent to a multicast group
  kAsksGroup = 16384,     // asks a multicast group
  kGaveUp = 32768,        // the pending budget was used up
};

// What a flow still owes; a flow that owes nothing is not looked at beyond its table entry.
enum Owed : uint8_t {
  kOwesApplication = 1,  // first bytes still to be identified
  kOwesOrder = 2,        // has a stream: its segments are put in order or compared with what passed
  kOwesReading = 4,      // the stream's reader looks for another application or for facts
  kOwesContent = 8,      // its rule's profiles look at every byte
  kAlertsOnly = 16,      // and what antivirus finds is told, not stopped
};

struct alignas(64) FlowHot {
  FlowKey key;
  AppId application;       // the matched rule's, else the identified one
  Generation generation;   // of the policy that judged it last
  uint32_t last_seen = 0;  // milliseconds, modulo 2^32
  RuleId rule;
  FlowVerdict verdict : 4 {};
  FlowState state : 4 {};
  uint8_t owes = 0;  // Owed bits
  uint16_t flags = 0;
  Zone source_zone, destination_zone;
  ForwardingId forwarding;
  DropReason reason{};

  Side opener() const noexcept { return (flags & kOpenedBySecond) != 0 ? Side::Second : Side::First; }
  Direction direction_from(Side side) const noexcept {
    return side == opener() ? Direction::ToServer : Direction::ToClient;
  }
  bool owes_any(uint8_t bits) const noexcept { return (owes & bits) != 0; }
  void pay(uint8_t bits) noexcept { owes = static_cast<uint8_t>(owes & ~bits); }
  bool half_open() const noexcept {
    return state == FlowState::SynSent || state == FlowState::SynReceived || state == FlowState::Unreplied;
  }
};
static_assert(sizeof(FlowHot) == 64);

struct FlowCold {
  static constexpr uint64_t kMaxDropped = (1u << 28) - 1;  // the count stays there

  uint64_t start_us : 52, identified : 12;
  uint64_t bytes_to_server : 44, subject : 20;
  uint64_t bytes_to_client : 44, flags_to_server : 6, flags_to_client : 6, scale_to_server : 4,
      scale_to_client : 4;
  uint64_t packets_to_server : 36, dropped : 28;  // forwarded ones; `dropped` by the flow's verdict
  uint64_t packets_to_client : 36, inspection : 2, inspection_reason : 4, decryption_mode : 2,
      decrypt_result : 3, unfollowed : 1, asked_port : 16;
  // `unfollowed`: HTTP requests beyond the first were not looked at; `asked_port`: UDP, of the server that
  // this flow answers for from another port (Expectation), 0: none; TCP, HandshakeOptions, and once adopted
  // the Carrier
  uint32_t next[2];        // TCP, by Direction: sequence number after the last one seen
  uint32_t window_end[2];  // TCP, by Direction: first sequence number the receiver has not offered room for
};
static_assert(sizeof(FlowCold) == 56);

// What a TLS core decrypts, and whether it has found out what runs inside (FlowCold::identified is that
// then).
struct Carrier {
  AppId application;
  bool opened = false;
  uint16_t pack() const noexcept { return static_cast<uint16_t>(application.value << 1 | (opened ? 1 : 0)); }
  static Carrier unpack(uint16_t packed) noexcept {
    return {AppId{static_cast<uint16_t>(packed >> 1)}, (packed & 1) != 0};
  }
};

// None: nothing is decrypted, or the client's hello is being judged.
inline Carrier carrier_of(const FlowHot& hot, const FlowCold& cold) noexcept {
  const bool decrypted = (hot.flags & kAdopted) != 0 && !hot.owes_any(kOwesOrder);
  return decrypted ? Carrier::unpack(cold.asked_port) : Carrier{};
}

inline bool sequence_before(uint32_t a, uint32_t b) noexcept { return static_cast<int32_t>(a - b) < 0; }

}  // namespace postern::dataplane
