// SPDX-License-Identifier: Apache-2.0
// Disks over the network: NBD (its proto.md), iSCSI (RFC 7143), SMB in NetBIOS sessions (RFC 1002, MS-SMB2)
// and IUSB, the virtual media of AMI's BMCs.
#include "classify/decoders/prefix_reader.h"
#include "classify/decoders/stream_decoders.h"

namespace postern::classify::decoders {
namespace {

using namespace std::string_view_literals;

// A message after the length of its session packet.
void smb_message(PrefixReader& reader, Direction direction) noexcept {
  static constexpr std::string_view kProtocols[] = {"\xffSMB"sv, "\xfeSMB"sv};
  constexpr uint32_t kFromServer = 1, kSmb2Commands = 19;
  const uint32_t response = direction == Direction::ToClient ? 1 : 0;
  if (reader.choice(kProtocols) == 0) {
    reader.literal("r");  // negotiation comes first
    if (response == 0) reader.zeros(4);
    if (response == 1) reader.le32();
    reader.require((reader.u8() >> 7) == response);
    reader.skip(12);
    reader.zeros(2);
    return;
  }
  reader.le16(64, 64);
  reader.skip(2);
  reader.le32();
  reader.le16(0, kSmb2Commands - 1);
  reader.skip(2);
  reader.require((reader.le32() & kFromServer) == response);
}

Fit nbd_client(Bytes stream) noexcept {
  PrefixReader reader(stream);
  if (reader.peek() == 0x25) {  // old style: a request at once
    reader.literal("\x25\x60\x95\x13"sv);
    reader.be16(0, 0x1f);
    reader.be16(0, 7);
    reader.skip(16);
    reader.be32(0, 32 << 20);
    return reader.fit();
  }
  reader.be32(0, 3);
  reader.literal("IHAVEOPT");
  reader.be32(1, 255);
  reader.be32(0, 4096 + 64);
  return reader.fit();
}

Fit iscsi_login_request(Bytes stream) noexcept {
  PrefixReader reader(stream);
  reader.one_of("\x03\x43"sv);
  const uint32_t flags = reader.u8();
  reader.require((flags & 0x30) == 0 && (flags >> 2 & 3) < 2 && (flags & 3) != 2);
  reader.zeros(3);  // versions, no additional header
  const uint32_t length = reader.be24(2, 65536);
  reader.skip(6);
  reader.zeros(2);  // a new session
  reader.skip(6);
  reader.zeros(2);
  reader.skip(8);
  reader.zeros(16);
  const std::string_view key = reader.visible_until('=', 63);
  reader.require(!key.empty() && key.size() < length && key[0] >= 'A' && key[0] <= 'Z');
  return reader.fit();
}

Fit iscsi_login_response(Bytes stream) noexcept {
  PrefixReader reader(stream);
  reader.u8(0x23, 0x23);
  const uint32_t flags = reader.u8();
  reader.require((flags & 0x30) == 0 && (flags >> 2 & 3) < 2 && (flags & 3) != 2);
  reader.zeros(3);
  reader.be24(0, 65536);
  reader.skip(12);
  reader.zeros(4);
  reader.skip(12);
  reader.u8(0, 3);   // status class
  reader.u8(0, 11);  // and detail
  reader.zeros(10);
  return reader.fit();
}

}  // namespace

Fit nbd(const Evidence& evidence) noexcept {
  static constexpr std::string_view kStyles[] = {"IHAVEOPT"sv, "\x00\x00\x42\x02\x81\x86\x12\x53"sv};
  if (evidence.direction == Direction::ToServer) return nbd_client(evidence.payload);
  PrefixReader reader(evidence.payload);
  reader.literal("NBDMAGIC");
  reader.choice(kStyles);
  return reader.fit();
}

Fit iscsi(const Evidence& evidence) noexcept {
  return evidence.direction == Direction::ToServer ? iscsi_login_request(evidence.payload)
                                                   : iscsi_login_response(evidence.payload);
}

Fit smb(const Evidence& evidence) noexcept {
  static constexpr std::string_view kAccepted = "\x82\0\0\0"sv;
  PrefixReader reader(evidence.payload);
  const uint8_t first = reader.peek();
  if (first == 0x81 && evidence.direction == Direction::ToServer) {  // asks for a session, on port 139
    reader.literal("\x81\0\0\x44\x20"sv);
    for (size_t i = 0; i < 32; ++i) reader.u8('A', 'P');
    reader.zeros(1);
    return reader.fit();
  }
  if (first == 0x82 && evidence.direction == Direction::ToClient) reader.literal(kAccepted);
  reader.zeros(1);
  reader.be24(35, 1 << 20);
  smb_message(reader, evidence.direction);
  return reader.fit();
}

// A header of 32 bytes: signature, version 1.0, its own length.
Fit iusb(const Evidence& evidence) noexcept {
  PrefixReader reader(evidence.payload);
  reader.literal("IUSB    \x01\0\x20"sv);
  return reader.fit();
}

}  // namespace postern::classify::decoders
