// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bitset>

#include "classify/decoders/datagrams.h"

namespace postern::classify::decoders {
namespace {

constexpr Fit fit_if(bool condition) noexcept { return condition ? Fit::Yes : Fit::No; }

bool are_zeros(Bytes bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
}

constexpr uint8_t kIkeV1 = 0x10, kIkeV2 = 0x20;

bool is_ike_exchange(uint8_t version, uint8_t exchange, uint8_t flags) noexcept {
  if (version == kIkeV2) return exchange >= 34 && exchange <= 44 && (flags & 0xc7) == 0;
  const bool known = (exchange >= 1 && exchange <= 6) || (exchange >= 32 && exchange <= 34);
  return version == kIkeV1 && known && (flags & 0xf8) == 0;
}

// Payloads behind each other, each naming the next, up to the end; an encrypted one is the last.
bool are_ike_payloads(ByteReader in, uint8_t type, uint8_t version) noexcept {
  constexpr uint8_t kEncrypted = 46, kEncryptedFragment = 53;
  while (type != 0) {
    const bool last = version == kIkeV2 && (type == kEncrypted || type == kEncryptedFragment);
    const uint8_t next = in.u8(), critical = in.u8();
    const uint16_t length = in.be16();
    if (!in.ok() || length < 4 || (critical & 0x7f) != 0) return false;
    in.skip(length - size_t{4});
    if (!in.ok()) return false;
    if (last) return in.remaining() == 0;
    type = next;
  }
  return in.remaining() == 0;
}

// RFC 7296 section 3.1, RFC 2408 section 3.1.
bool is_ike_message(Bytes message) noexcept {
  constexpr size_t kHeader = 28;
  constexpr uint8_t kEncryptedV1 = 1;
  if (message.size() < kHeader || load_be32(&message[24]) != message.size()) return false;
  if (are_zeros(message.first(8))) return false;
  const uint8_t type = message[16], version = message[17], exchange = message[18], flags = message[19];
  if (!is_ike_exchange(version, exchange, flags)) return false;
  if (version == kIkeV1 && (flags & kEncryptedV1)) return message.size() > kHeader;
  return are_ike_payloads(ByteReader(message.subspan(kHeader)), type, version);
}

// Keys and tags are random: text, zeros and counters repeat themselves, so many random bytes do not (less
// than half of 16 different: 4 in 10^11, of 32: never).
bool looks_random(Bytes bytes) noexcept {
  const Bytes front = bytes.first(std::min<size_t>(bytes.size(), 32));
  std::bitset<256> seen;
  for (const uint8_t byte : front) seen.set(byte);
  return front.size() >= 16 && seen.count() * 2 >= front.size();
}

constexpr uint8_t kResetClient = 7, kResetServer = 8, kResetClientV3 = 10;
constexpr size_t kSessionId = 8, kReplayId = 8;

// Replay id of tls-auth and tls-crypt: a counter that has just begun and the sender's clock. tls-crypt-v2
// servers and clients that can do without state begin at 0x0f000001.
bool is_replay_id(Bytes id) noexcept {
  constexpr uint8_t kEarlyNegotiation = 0x0f;
  constexpr uint32_t kYear2001 = 1000000000, kFewRetries = 255;
  const uint32_t counter = load_be32(id.data()) & 0xffffff;
  if (id[0] != 0 && id[0] != kEarlyNegotiation) return false;
  return counter >= 1 && counter <= kFewRetries && load_be32(&id[4]) >= kYear2001;
}

// After session id and authentication: acknowledged ids with the session they belong to, then our own first
// packet id. A server's reset acknowledges the client's.
bool is_reset_tail(Bytes tail, uint8_t operation) noexcept {
  ByteReader in(tail);
  const uint8_t acknowledged = in.u8();
  if (acknowledged != (operation == kResetServer ? 1 : 0)) return false;
  if (acknowledged == 1) {
    if (in.be32() != 0) return false;
    in.skip(kSessionId);
  }
  return in.be32() == 0 && in.ok() && in.remaining() == 0;
}

// https://openvpn.net/community-resources/openvpn-protocol/: plain, tls-auth with its usual digests,
// tls-crypt (whose tail is ciphertext of known length), tls-crypt-v2 (with a wrapped key that ends in its own
// length).
bool is_openvpn_reset(Bytes packet, Direction direction) noexcept {
  constexpr size_t kDigests[] = {16, 20, 28, 32, 48, 64};
  constexpr size_t kCryptDigest = 32, kShortestWrappedKey = 32 + 256 + 2;
  if (packet.size() < 1 + kSessionId + 5) return false;
  const uint8_t operation = packet[0] >> 3, key = packet[0] & 7;
  const bool server = direction == Direction::ToClient;
  const bool reset =
      server ? operation == kResetServer : operation == kResetClient || operation == kResetClientV3;
  if (!reset || key != 0 || are_zeros(packet.subspan(1, kSessionId))) return false;
  const Bytes rest = packet.subspan(1 + kSessionId);
  const size_t tail = server ? 17 : 5;
  if (rest.size() == tail) return operation != kResetClientV3 && is_reset_tail(rest, operation);
  const size_t crypt = kReplayId + kCryptDigest + tail;
  if (operation == kResetClientV3) {
    if (rest.size() < crypt + kShortestWrappedKey || !is_replay_id(rest)) return false;
    return load_be16(&rest[rest.size() - 2]) == rest.size() - crypt;
  }
  if (rest.size() == crypt && is_replay_id(rest) && looks_random(rest.subspan(kReplayId))) return true;
  for (const size_t digest : kDigests) {
    if (rest.size() != digest + kReplayId + tail) continue;
    return is_replay_id(rest.subspan(digest)) && is_reset_tail(rest.subspan(digest + kReplayId), operation);
  }
  return false;
}

}  // namespace

Fit ike(const Evidence& evidence) noexcept { return fit_if(is_ike_message(evidence.payload)); }

// RFC 3948 section 2.2: four zeros where ESP has its SPI.
Fit ike_nat_traversal(const Evidence& evidence) noexcept {
  const Bytes datagram = evidence.payload;
  return fit_if(datagram.size() > 4 && are_zeros(datagram.first(4)) && is_ike_message(datagram.subspan(4)));
}

// SPI, sequence number, then nothing that can be read; RFC 3948 section 2.3: a lone 0xff keeps a NAT open.
Fit esp_in_udp(const Evidence& evidence) noexcept {
  constexpr uint32_t kFirstSpi = 256;      // RFC 4303 section 2.1 reserves those below
  constexpr size_t kShortest = 8 + 4 + 8;  // padding to four bytes and the shortest tag
  const Bytes datagram = evidence.payload;
  if (datagram.size() == 1) return fit_if(datagram[0] == 0xff);
  if (datagram.size() < kShortest || datagram.size() % 4 != 0) return Fit::No;
  return fit_if(load_be32(datagram.data()) >= kFirstSpi && load_be32(&datagram[4]) != 0);
}

// Type and three zeros, fixed lengths (https://www.wireguard.com/protocol/), and keys that look like keys.
Fit wireguard(const Evidence& evidence) noexcept {
  constexpr size_t kInitiation = 148, kResponse = 92, kCookieReply = 64;
  const Bytes message = evidence.payload;
  if (message.size() < kCookieReply || !are_zeros(message.subspan(1, 3))) return Fit::No;
  if (message[0] == 1) return fit_if(message.size() == kInitiation && looks_random(message.subspan(8, 32)));
  if (message[0] == 2) return fit_if(message.size() == kResponse && looks_random(message.subspan(12, 32)));
  return fit_if(message[0] == 3 && message.size() == kCookieReply && looks_random(message.subspan(32, 32)));
}

Fit wireguard_data(const Evidence& evidence) noexcept {
  constexpr size_t kShortest = 32;
  const Bytes message = evidence.payload;
  if (message.size() < kShortest || message.size() % 16 != 0) return Fit::No;
  // The counter is little-endian; no session lives long enough to reach its upper bytes.
  return fit_if(message[0] == 4 && are_zeros(message.subspan(1, 3)) && are_zeros(message.subspan(14, 2)) &&
                looks_random(message.subspan(16)));
}

Fit openvpn(const Evidence& evidence) noexcept {
  return fit_if(is_openvpn_reset(evidence.payload, evidence.direction));
}

Fit openvpn_tcp(const Evidence& evidence) noexcept {
  constexpr size_t kShortest = 14, kLongest = 2048;
  ByteReader in(evidence.payload);
  if (in.remaining() < 2) return in.remaining() == 1 && in.u8() > kLongest >> 8 ? Fit::No : Fit::More;
  const size_t length = in.be16();
  if (length < kShortest || length > kLongest) return Fit::No;
  if (in.remaining() == 0) return Fit::More;
  const uint8_t operation = in.rest()[0];
  if (operation != kResetClient << 3 && operation != kResetServer << 3 && operation != kResetClientV3 << 3)
    return Fit::No;
  if (in.remaining() < length) return Fit::More;
  return fit_if(is_openvpn_reset(in.bytes(length), evidence.direction));
}

}  // namespace postern::classify::decoders
