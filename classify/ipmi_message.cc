// SPDX-License-Identifier: Apache-2.0
#include "classify/ipmi_message.h"

#include <algorithm>
#include <iterator>

namespace postern::classify {
namespace {

constexpr uint8_t kRmcpVersion = 6;
constexpr uint8_t kClassAsf = 6, kClassIpmi = 7, kAcknowledge = 0x80;
constexpr uint32_t kAsfEnterprise = 0x11be;
constexpr uint8_t kAuthNone = 0, kAuthRmcpPlus = 6;
constexpr uint8_t kAuthTypes15[] = {0, 1, 2, 4, 5};  // none, MD2, MD5, password, OEM
constexpr size_t kShortestMessage = 7;               // addresses, function, command and two checksums

// Early IPMI hardware needs one byte more when the datagram would have one of these lengths (section 13.6,
// "legacy PAD"); they count the RMCP header, so the comparison is with what follows the UDP header.
constexpr size_t kPaddedLengths[] = {56, 84, 112, 128, 156};

bool sums_to_zero(Bytes bytes) noexcept {
  uint8_t sum = 0;
  for (const uint8_t b : bytes) sum = static_cast<uint8_t>(sum + b);
  return sum == 0;
}

bool is_lan_message(Bytes m) noexcept {
  return m.size() >= kShortestMessage && sums_to_zero(m.first(3)) && sums_to_zero(m.subspan(3));
}

// Outside a session this command asks what the other side can. With the top bit of its argument it asks as
// a 2.0 client does, and only the next datagram shows which session follows; its answer leaves that open too.
bool is_discovery(Bytes m) noexcept {
  constexpr uint8_t kAppRequest = 6, kAppResponse = 7, kGetChannelAuthCapabilities = 0x38;
  if (m[5] != kGetChannelAuthCapabilities) return false;
  const uint8_t function = m[1] >> 2;
  return function == kAppResponse || (function == kAppRequest && m.size() >= 8 && (m[6] & 0x80) != 0);
}

RmcpKind classify_ipmi15(Bytes datagram) noexcept {
  ByteReader reader(datagram.subspan(4));
  const uint8_t authentication = reader.u8();
  const uint32_t sequence = reader.be32();
  const uint32_t session = reader.be32();
  if (authentication != kAuthNone) reader.skip(16);
  const uint8_t length = reader.u8();
  const Bytes message = reader.bytes(length);
  if (!reader.ok()) return RmcpKind::None;
  const bool padded = reader.remaining() == 1 &&
                      std::find(std::begin(kPaddedLengths), std::end(kPaddedLengths), datagram.size() - 1) !=
                          std::end(kPaddedLengths);
  if ((reader.remaining() != 0 && !padded) || !is_lan_message(message)) return RmcpKind::None;
  const bool outside = authentication == kAuthNone && session == 0 && sequence == 0;
  return outside && is_discovery(message) ? RmcpKind::IpmiDiscovery : RmcpKind::Ipmi15;
}

// The least a payload must hold; 0 for types that are not defined. Answers may be a bare error status.
size_t shortest_payload(uint8_t type) noexcept {
  switch (type) {
    case 0x00:
      return kShortestMessage;
    case 0x01:
      return 4;  // serial over LAN
    case 0x02:
      return 1;  // OEM explicit
    case 0x10:
      return 32;  // open session request
    case 0x11:
      return 8;  // its response
    case 0x12:
      return 28;  // RAKP 1
    case 0x13:
    case 0x14:
    case 0x15:
      return 8;
    default:
      return type >= 0x20 && type <= 0x27 ? 1 : 0;
  }
}

bool sets_up_session(uint8_t type) noexcept { return type >= 0x10 && type <= 0x15; }

bool is_ipmi20(Bytes datagram) noexcept {
  ByteReader reader(datagram.subspan(5));
  const uint8_t flags = reader.u8();
  const uint8_t type = flags & 0x3f;
  const bool encrypted = flags & 0x80, authenticated = flags & 0x40;
  if (type == 0x02) reader.skip(6);  // enterprise and payload number
  const uint32_t session = reader.be32();
  const uint32_t sequence = reader.be32();
  const uint16_t wire_length = reader.be16();
  const auto length = static_cast<uint16_t>(wire_length << 8 | wire_length >> 8);  // little endian
  const Bytes payload = reader.bytes(length);
  if (!reader.ok() || shortest_payload(type) == 0 || payload.size() < shortest_payload(type)) return false;
  if (sets_up_session(type)) return flags == type && session == 0 && sequence == 0 && reader.remaining() == 0;
  if (!encrypted && type == 0x00 && !is_lan_message(payload)) return false;
  if (!authenticated) return reader.remaining() == 0;
  // Integrity pad of 0xff, its length, next header 7, then the code: 12 (SHA1-96) or 16 bytes (MD5,
  // SHA256-128).
  const Bytes trailer = reader.rest();
  for (const size_t code : {size_t{12}, size_t{16}}) {
    if (trailer.size() < code + 2) continue;
    const size_t pad = trailer.size() - code - 2;
    if (pad < 4 && trailer[pad] == pad && trailer[pad + 1] == kClassIpmi) return true;
  }
  return false;
}

bool is_asf(Bytes datagram) noexcept {
  // Requests and answers of ASF 2.0 section 3.2.4, RSSP session messages included.
  static constexpr uint8_t kTypes[] = {0x10, 0x11, 0x12, 0x13, 0x40, 0x41, 0x42, 0x43, 0x44,
                                       0x80, 0x81, 0x82, 0x83, 0x84, 0xc0, 0xc1, 0xc2};
  ByteReader reader(datagram.subspan(4));
  const uint32_t enterprise = reader.be32();
  const uint8_t type = reader.u8();
  reader.skip(2);  // tag, reserved
  const uint8_t length = reader.u8();
  return reader.ok() && enterprise == kAsfEnterprise && reader.remaining() == length &&
         std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

}  // namespace

RmcpKind classify_rmcp(Bytes datagram) noexcept {
  if (datagram.size() < 4 || datagram[0] != kRmcpVersion || datagram[1] != 0) return RmcpKind::None;
  const uint8_t kind = datagram[3];
  if (kind == (kClassAsf | kAcknowledge)) return datagram.size() == 4 ? RmcpKind::Asf : RmcpKind::None;
  if (kind == kClassAsf) return is_asf(datagram) ? RmcpKind::Asf : RmcpKind::None;
  // IPMI never asks for acknowledgements, so its sequence number is always 255.
  if (kind != kClassIpmi || datagram[2] != 0xff || datagram.size() < 5) return RmcpKind::None;
  const uint8_t authentication = datagram[4];
  if (authentication == kAuthRmcpPlus) return is_ipmi20(datagram) ? RmcpKind::Ipmi20 : RmcpKind::None;
  if (std::find(std::begin(kAuthTypes15), std::end(kAuthTypes15), authentication) == std::end(kAuthTypes15))
    return RmcpKind::None;
  return classify_ipmi15(datagram);
}

}  // namespace postern::classify
