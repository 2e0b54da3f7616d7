// SPDX-License-Identifier: Apache-2.0
#include "classify/decoders/ber.h"
#include "classify/decoders/datagrams.h"

namespace postern::classify::decoders {
namespace {

// Context tags of the PDUs (RFC 1157 section 4.1, RFC 3416 section 3).
constexpr uint8_t kSetRequest = 0xa3, kTrapV1 = 0xa4, kGetBulk = 0xa5, kReport = 0xa8, kGetRequest = 0xa0;
constexpr uint8_t kIpAddress = 0x40, kTimeTicks = 0x43;
constexpr int64_t kVersion1 = 0, kVersion2c = 1, kVersion3 = 3;
constexpr int64_t kLastErrorStatus = 18;

bool are_variable_bindings(Bytes list) noexcept {
  BerReader in(list);
  while (in.ok() && !in.done()) {
    BerReader binding(in.expect(kBerSequence));
    if (binding.expect(kBerObjectId).empty()) return false;
    binding.next();
    if (!binding.done()) return false;
  }
  return in.done();
}

bool is_trap_v1(Bytes content) noexcept {
  BerReader pdu(content);
  if (pdu.expect(kBerObjectId).empty() || pdu.expect(kIpAddress).size() != 4) return false;
  const int64_t generic = pdu.integer();
  pdu.integer();
  pdu.expect(kTimeTicks);
  const Bytes list = pdu.expect(kBerSequence);
  return pdu.done() && generic >= 0 && generic <= 6 && are_variable_bindings(list);
}

bool is_pdu(BerElement element) noexcept {
  if (element.tag == kTrapV1) return is_trap_v1(element.content);
  BerReader pdu(element.content);
  pdu.integer();
  const int64_t status = pdu.integer(), index = pdu.integer();  // of GetBulk: two counts
  const Bytes list = pdu.expect(kBerSequence);
  if (!pdu.done() || status < 0 || index < 0) return false;
  if (element.tag != kGetBulk && status > kLastErrorStatus) return false;
  return are_variable_bindings(list);
}

bool is_pdu_of(int64_t version, uint8_t tag) noexcept {
  if (version == kVersion1) return tag >= kGetRequest && tag <= kTrapV1;
  return (tag >= kGetRequest && tag <= kSetRequest) || (tag >= kGetBulk && tag <= kReport);
}

Fit is_community_message(Bytes datagram, int64_t version) noexcept {
  BerReader outer(datagram);
  BerReader message(outer.expect(kBerSequence));
  if (!outer.done() || message.integer() != version) return Fit::No;
  message.expect(kBerOctetString);
  const BerElement pdu = message.next();
  return message.done() && is_pdu_of(version, pdu.tag) && is_pdu(pdu) ? Fit::Yes : Fit::No;
}

// RFC 3412 section 6: msgID, msgMaxSize, msgFlags, msgSecurityModel.
bool is_global_data(Bytes content) noexcept {
  constexpr int64_t kSmallestMaxSize = 484;
  constexpr uint8_t kAuthenticated = 1, kPrivate = 2;
  BerReader in(content);
  const int64_t id = in.integer(), max_size = in.integer();
  const Bytes flags = in.expect(kBerOctetString);
  const int64_t model = in.integer();
  if (!in.done() || id < 0 || max_size < kSmallestMaxSize || flags.size() != 1 || model < 1) return false;
  return (flags[0] & (kAuthenticated | kPrivate)) != kPrivate;  // privacy needs authentication
}

bool is_scoped_pdu(Bytes content) noexcept {
  BerReader in(content);
  in.expect(kBerOctetString);  // engine
  in.expect(kBerOctetString);  // context
  const BerElement pdu = in.next();
  return in.done() && is_pdu_of(kVersion3, pdu.tag) && is_pdu(pdu);
}

}  // namespace

Fit snmp_v1(const Evidence& evidence) noexcept { return is_community_message(evidence.payload, kVersion1); }
Fit snmp_v2c(const Evidence& evidence) noexcept { return is_community_message(evidence.payload, kVersion2c); }

Fit snmp_v3(const Evidence& evidence) noexcept {
  BerReader outer(evidence.payload);
  BerReader message(outer.expect(kBerSequence));
  if (!outer.done() || message.integer() != kVersion3) return Fit::No;
  const Bytes global = message.expect(kBerSequence);
  message.expect(kBerOctetString);  // belongs to the security model
  const BerElement scoped = message.next();
  if (!message.done() || !is_global_data(global)) return Fit::No;
  const bool encrypted = scoped.tag == kBerOctetString && !scoped.content.empty();
  return encrypted || (scoped.tag == kBerSequence && is_scoped_pdu(scoped.content)) ? Fit::Yes : Fit::No;
}

}  // namespace postern::classify::decoders
