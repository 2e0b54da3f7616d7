// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>

#include "base/ascii.h"
#include "classify/decoders/datagrams.h"
#include "classify/decoders/text_headers.h"

namespace postern::classify::decoders {
namespace {

constexpr Fit fit_if(bool condition) noexcept { return condition ? Fit::Yes : Fit::No; }

// What may follow a key id: MD5, SHA-1, SHA-256 cut to 20 bytes (RFC 8573); none is a crypto-NAK.
constexpr size_t kKeyId = 4;
bool is_ntp_authenticator(size_t size) noexcept {
  return size == 0 || size == kKeyId || size == kKeyId + 16 || size == kKeyId + 20;
}

// RFC 7822: type, length of all four fields together in bytes, at least 16; then perhaps an authenticator.
bool are_ntp_extensions(Bytes rest) noexcept {
  while (!is_ntp_authenticator(rest.size())) {
    if (rest.size() < 16) return false;
    const size_t length = load_be16(&rest[2]);
    if (length < 16 || length % 4 != 0 || length > rest.size()) return false;
    rest = rest.subspan(length);
  }
  return true;
}

// RFC 9327 section 2: the data is padded to four bytes, with an authenticator to eight.
bool is_ntp_mode_6(Bytes message, Direction direction) noexcept {
  constexpr size_t kHeader = 12;
  constexpr uint8_t kResponse = 0x80, kLastOperation = 12, kUnsetTrap = 31;
  if (message.size() < kHeader) return false;  // ntpq sets the leap bits that RFC 9327 wants zero
  const bool response = message[1] & kResponse;
  const uint8_t operation = message[1] & 0x1f;
  if (response != (direction == Direction::ToClient)) return false;
  if (operation == 0 || (operation > kLastOperation && operation != kUnsetTrap)) return false;
  const size_t data = load_be16(&message[10]), rest = message.size() - kHeader;
  const size_t padded = (data + 3) / 4 * 4, padded_more = (data + 7) / 8 * 8;
  if (rest == data || rest == padded) return true;
  return rest > padded_more && is_ntp_authenticator(rest - padded_more);
}

// ntpd's private mode: a request is one item array in a message that is longer for old servers' sake, an
// answer is exactly its items.
bool is_ntp_mode_7(Bytes message, Direction direction) noexcept {
  constexpr size_t kHeader = 8, kLongestRequest = 216, kLongestAnswer = 508;
  constexpr uint8_t kResponse = 0x80, kLastImplementation = 3, kLastRequestCode = 46;
  if (message.size() < kHeader) return false;
  const bool response = message[0] & kResponse;
  if (response != (direction == Direction::ToClient)) return false;
  if (message[2] > kLastImplementation || message[3] > kLastRequestCode) return false;
  const uint16_t error_and_count = load_be16(&message[4]), reserved_and_size = load_be16(&message[6]);
  const size_t items = size_t{error_and_count & 0xfffu} * (reserved_and_size & 0xfffu);
  if ((reserved_and_size & 0xf000) != 0 || kHeader + items > message.size()) return false;
  if (response) return message.size() <= kLongestAnswer && message.size() == kHeader + items;
  return message.size() <= kLongestRequest && message.size() % 4 == 0 && error_and_count >> 12 == 0;
}

uint8_t ntp_version(uint8_t first) noexcept { return first >> 3 & 7; }

bool is_text(uint8_t byte) noexcept { return byte >= 0x20 && byte != 0x7f; }

// A text that ends with NUL; empty when there is none.
std::string_view terminated_text(ByteReader& in) noexcept {
  const Bytes rest = in.rest();
  const auto end = std::find(rest.begin(), rest.end(), 0);
  const auto length = static_cast<size_t>(end - rest.begin());
  if (end == rest.end() || !std::all_of(rest.begin(), end, is_text)) {
    in.skip(rest.size() + 1);
    return {};
  }
  in.skip(length + 1);
  return as_text(rest.first(length));
}

// RFC 2347: pairs of texts up to the end.
bool are_tftp_options(ByteReader in) noexcept {
  while (in.remaining() != 0) {
    if (terminated_text(in).empty()) return false;
    if (terminated_text(in).empty()) return false;
  }
  return in.ok();
}

constexpr uint8_t kDhcpPad = 0, kDhcpMessageType = 53, kDhcpEnd = 255;

bool are_dhcp_options(ByteReader in) noexcept {
  constexpr uint8_t kLastMessageType = 18;
  while (in.ok()) {
    const uint8_t code = in.u8();
    if (!in.ok()) return false;
    if (code == kDhcpEnd) return true;
    if (code == kDhcpPad) continue;
    const Bytes value = in.bytes(in.u8());
    if (code != kDhcpMessageType) continue;
    if (value.size() != 1 || value[0] == 0 || value[0] > kLastMessageType) return false;
  }
  return false;
}

// What speaks for DHCPv6 among its options beyond that they fill the message.
enum Dhcp6Seen : uint8_t { kIdentity = 1, kOptionRequest = 2, kElapsedTime = 4, kRelayed = 8, kBroken = 128 };

bool is_unique_identifier(Bytes duid) noexcept {
  constexpr uint16_t kLastType = 4;
  if (duid.size() < 3 || duid.size() > 130) return false;
  const uint16_t type = load_be16(duid.data());
  return type >= 1 && type <= kLastType;
}

uint8_t dhcpv6_option(uint16_t code, Bytes value) noexcept {
  switch (code) {
    case 0:
      return kBroken;
    case 1:  // of the client
    case 2:  // of the server
      return uint8_t{is_unique_identifier(value) ? kIdentity : kBroken};
    case 6:
      return uint8_t{value.size() % 2 == 0 ? kOptionRequest : kBroken};
    case 8:
      return uint8_t{value.size() == 2 ? kElapsedTime : kBroken};
    case 9:
      return uint8_t{value.size() >= 4 ? kRelayed : kBroken};
    default:
      return 0;
  }
}

uint8_t walk_dhcpv6_options(ByteReader in) noexcept {
  uint8_t seen = 0;
  while (in.ok() && in.remaining() != 0) {
    const uint16_t code = in.be16();
    const Bytes value = in.bytes(in.be16());
    if (in.ok()) seen |= dhcpv6_option(code, value);
  }
  return in.ok() ? seen : uint8_t{kBroken};
}

// RFC 1002 section 4.1: half an octet per letter.
bool is_netbios_name(ByteReader& in) noexcept {
  if (in.u8() != 32) return false;
  const Bytes letters = in.bytes(32);
  if (!in.ok() ||
      !std::all_of(letters.begin(), letters.end(), [](uint8_t c) { return c >= 'A' && c <= 'P'; }))
    return false;
  size_t length = 33;
  for (uint8_t label = in.u8(); label != 0; label = in.u8()) {  // the scope
    length += size_t{label} + 1;
    if (label > 63 || length > 255) return false;
    in.skip(label);
  }
  return in.ok();
}

constexpr uint16_t kNetbiosNull = 0x0a, kNetbiosName = 0x20, kNetbiosStatus = 0x21, kInternet = 1;

bool is_netbios_record(ByteReader& in) noexcept {
  constexpr uint8_t kPointerToQuestion[] = {0xc0, 0x0c};
  const Bytes rest = in.rest();
  if (rest.size() >= 2 && std::equal(rest.begin(), rest.begin() + 2, kPointerToQuestion))
    in.skip(2);
  else if (!is_netbios_name(in))
    return false;
  const uint16_t type = in.be16(), cls = in.be16();
  in.skip(4);
  const Bytes value = in.bytes(in.be16());
  if (!in.ok() || cls != kInternet) return false;
  if (type == kNetbiosName) return value.size() % 6 == 0 || value.size() == 2;  // 2: a wait acknowledgement
  if (type == kNetbiosStatus) return !value.empty() && value.size() >= 1 + size_t{value[0]} * 18;
  return type == kNetbiosNull && value.empty();
}

}  // namespace

Fit ntp(const Evidence& evidence) noexcept {
  constexpr size_t kHeader = 48;
  constexpr uint8_t kClient = 3, kServer = 4, kBroadcast = 5, kLastStratum = 16;
  const Bytes message = evidence.payload;
  if (message.size() < kHeader) return Fit::No;
  const uint8_t version = ntp_version(message[0]), mode = message[0] & 7;
  if (version < 1 || version > 4 || mode < 1 || mode > kBroadcast || message[1] > kLastStratum)
    return Fit::No;
  const bool to_server = evidence.direction == Direction::ToServer;
  if (mode == (to_server ? kServer : kClient)) return Fit::No;
  const Bytes rest = message.subspan(kHeader);
  return fit_if(version == 4 ? are_ntp_extensions(rest) : is_ntp_authenticator(rest.size()));
}

Fit ntp_control(const Evidence& evidence) noexcept {
  constexpr uint8_t kControl = 6, kPrivate = 7;
  const Bytes message = evidence.payload;
  if (message.size() < 8) return Fit::No;
  const uint8_t version = ntp_version(message[0]), mode = message[0] & 7;
  if (version < 1 || version > 4) return Fit::No;
  if (mode == kControl) return fit_if(is_ntp_mode_6(message, evidence.direction));
  return fit_if(mode == kPrivate && is_ntp_mode_7(message, evidence.direction));
}

Fit dhcp(const Evidence& evidence) noexcept {
  constexpr uint8_t kRequest = 1, kReply = 2, kMostHops = 16, kLongestHardware = 16;
  constexpr uint32_t kMagicCookie = 0x63825363;
  constexpr size_t kCookieAt = 236;
  const Bytes message = evidence.payload;
  if (message.size() < kCookieAt + 4 || load_be32(&message[kCookieAt]) != kMagicCookie) return Fit::No;
  if (message[0] != kRequest && message[0] != kReply) return Fit::No;
  if (message[1] == 0 || message[2] > kLongestHardware || message[3] > kMostHops) return Fit::No;
  return fit_if(are_dhcp_options(ByteReader(message.subspan(kCookieAt + 4))));
}

Fit dhcpv6(const Evidence& evidence) noexcept {
  constexpr uint8_t kInformationRequest = 11, kRelayForward = 12, kRelayReply = 13, kMostHops = 32;
  ByteReader in(evidence.payload);
  const uint8_t type = in.u8();
  if (type == 0 || type > kRelayReply) return Fit::No;
  if (type == kRelayForward || type == kRelayReply) {
    if (in.u8() > kMostHops) return Fit::No;
    in.skip(32);
    const uint8_t seen = walk_dhcpv6_options(in);
    return fit_if((seen & (kRelayed | kBroken)) == kRelayed);
  }
  in.skip(3);
  const uint8_t seen = walk_dhcpv6_options(in);
  if (seen & kBroken) return Fit::No;
  if (seen & kIdentity) return Fit::Yes;
  // The one message that need not tell its sender (RFC 8415 section 18.2.6).
  constexpr uint8_t kBoth = kOptionRequest | kElapsedTime;
  return fit_if(type == kInformationRequest && (seen & kBoth) == kBoth);
}

Fit tftp(const Evidence& evidence) noexcept {
  constexpr uint16_t kRead = 1, kWrite = 2;
  ByteReader in(evidence.payload);
  const uint16_t operation = in.be16();
  if (operation != kRead && operation != kWrite) return Fit::No;
  if (terminated_text(in).empty()) return Fit::No;
  const std::string_view mode = terminated_text(in);
  const bool known = equals_ignoring_case(mode, "octet") || equals_ignoring_case(mode, "netascii") ||
                     equals_ignoring_case(mode, "mail");
  return fit_if(known && are_tftp_options(in));
}

Fit tftp_transfer(const Evidence& evidence) noexcept {
  constexpr uint16_t kData = 3, kAcknowledgement = 4, kError = 5, kOptions = 6, kLastError = 8;
  constexpr size_t kLargestBlock = 65464;  // RFC 2348
  ByteReader in(evidence.payload);
  const uint16_t operation = in.be16();
  if (!in.ok() || in.remaining() < 2) return Fit::No;
  if (operation == kOptions) return fit_if(are_tftp_options(in));
  const uint16_t number = in.be16();
  if (operation == kData) return fit_if(in.remaining() <= kLargestBlock);
  if (operation == kAcknowledgement) return fit_if(in.remaining() == 0);
  if (operation != kError || number > kLastError) return Fit::No;
  terminated_text(in);
  return fit_if(in.ok() && in.remaining() == 0);
}

Fit netbios_ns(const Evidence& evidence) noexcept {
  constexpr uint16_t kZeroFlags = 0x0060;
  ByteReader in(evidence.payload);
  in.skip(2);
  const uint16_t flags = in.be16(), questions = in.be16(), answers = in.be16(), authorities = in.be16(),
                 additionals = in.be16();
  const uint8_t operation = flags >> 11 & 0xf;
  const bool known = operation == 0 || (operation >= 5 && operation <= 9) || operation == 15;
  if (!in.ok() || !known || (flags & kZeroFlags) != 0 || authorities != 0) return Fit::No;
  const bool response = flags & 0x8000;
  if (response ? questions != 0 || answers > 1 || additionals != 0
               : questions != 1 || answers != 0 || additionals > 1)
    return Fit::No;
  if (questions == 1) {
    if (!is_netbios_name(in)) return Fit::No;
    const uint16_t type = in.be16();
    if ((type != kNetbiosName && type != kNetbiosStatus) || in.be16() != kInternet) return Fit::No;
  }
  // A refusal counts no answer and carries one nevertheless (section 4.2.14).
  if ((response || additionals == 1) && !is_netbios_record(in)) return Fit::No;
  return fit_if(in.ok() && in.remaining() == 0);
}

}  // namespace postern::classify::decoders
