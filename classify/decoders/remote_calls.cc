// SPDX-License-Identifier: Apache-2.0
// Procedure calls: ONC RPC over TCP and UDP (RFC 5531) with the programs of NFS (RFC 1813), the port mapper
// (RFC 1833) and mount, DCE RPC over TCP (C706 chapter 12), AJP 1.3.
#include "classify/decoders/prefix_reader.h"
#include "classify/decoders/stream_decoders.h"
#include "classify/port_range.h"

namespace postern::classify::decoders {
namespace {

using namespace std::string_view_literals;

constexpr uint32_t kPortmap = 100000, kNfs = 100003, kMount = 100005;
constexpr uint32_t kLongestAuthentication = 400;  // RFC 5531 section 8.2

// A datagram is whole: what is missing will not come.
Fit judged(const PrefixReader& reader, const Evidence& evidence) noexcept {
  return reader.fit() == Fit::More && evidence.protocol == kUdp ? Fit::No : reader.fit();
}

// Over TCP a record mark comes first: last fragment and length.
uint32_t record(PrefixReader& reader, const Evidence& evidence, uint32_t least) noexcept {
  constexpr uint32_t kLast = 0x80000000, kLongest = 4 << 20;
  const uint32_t length = evidence.protocol == kUdp ? static_cast<uint32_t>(evidence.payload.size())
                                                    : reader.be32(kLast + least, kLast + kLongest) - kLast;
  reader.require(length >= least && length % 4 == 0);
  return length;
}

struct Programs {
  uint32_t first, last;
};

// `versions`: the highest version of these programs.
Fit call(const Evidence& evidence, Programs programs, uint32_t versions) noexcept {
  if (evidence.direction == Direction::ToClient) return Fit::No;
  PrefixReader reader(evidence.payload);
  const uint32_t length = record(reader, evidence, 40);
  reader.skip(4);
  reader.zeros(4);    // a call
  reader.be32(2, 2);  // version of RPC
  const uint32_t program = reader.be32(programs.first, programs.last);
  if (programs.first != programs.last)
    reader.require(program != kPortmap && program != kNfs && program != kMount);
  reader.be32(0, versions);
  reader.be32(0, 255);  // procedure
  const uint32_t flavor = reader.be32();
  reader.require(flavor <= 7 || flavor / 1000 == 390);  // pseudo flavours of Kerberos
  const uint32_t credential = reader.be32(0, kLongestAuthentication);
  reader.require(credential % 4 == 0 && 40 + credential <= length);
  reader.skip(credential);
  reader.be32(0, 7);
  reader.be32(0, kLongestAuthentication);
  return judged(reader, evidence);
}

// The first PDU each side may send, with the length it has at least.
Fit dce_pdu(PrefixReader& reader, Direction direction) noexcept {
  constexpr uint8_t kLittle = 0x10;
  const bool to_server = direction == Direction::ToServer;
  reader.u8(5, 5);
  reader.u8(0, 1);
  const uint8_t type = reader.one_of(to_server ? "\x0b\x0e"sv : "\x0c\x0d\x0f"sv);
  reader.skip(1);
  const bool little = reader.one_of("\0\x10"sv) == kLittle;
  reader.zeros(3);
  const uint32_t least = type == 0x0d ? 18 : 28;
  const uint32_t length = little ? reader.le16(least) : reader.be16(least);
  const uint32_t authentication = little ? reader.le16() : reader.be16();
  reader.require(authentication + 16 < length);
  reader.skip(4);
  if (type == 0x0d) return reader.fit();
  for (size_t i = 0; i < 2; ++i) little ? reader.le16(512) : reader.be16(512);  // largest fragments
  reader.skip(4);
  if (!to_server) return reader.fit();
  const uint32_t contexts = reader.u8(1, 64);
  reader.zeros(3);
  reader.require(24 + 4 + contexts * 44 + authentication <= length);
  return reader.fit();
}

}  // namespace

Fit sunrpc(const Evidence& evidence) noexcept { return call(evidence, {100000, 0x5fffffff}, 64); }
Fit nfs(const Evidence& evidence) noexcept { return call(evidence, {kNfs, kNfs}, 4); }
Fit portmap(const Evidence& evidence) noexcept { return call(evidence, {kPortmap, kPortmap}, 4); }
Fit mountd(const Evidence& evidence) noexcept { return call(evidence, {kMount, kMount}, 3); }

Fit sunrpc_reply(const Evidence& evidence) noexcept {
  if (evidence.direction == Direction::ToServer) return Fit::No;
  PrefixReader reader(evidence.payload);
  record(reader, evidence, 20);
  reader.skip(4);
  reader.be32(1, 1);  // a reply
  if (reader.be32(0, 1) == 1) {
    if (reader.be32(0, 1) == 1) reader.be32(0, 14);  // denied: a reason, or the versions the server has
    return judged(reader, evidence);
  }
  reader.be32(0, 7);
  const uint32_t verifier = reader.be32(0, kLongestAuthentication);
  reader.require(verifier % 4 == 0);
  reader.skip(verifier);
  reader.be32(0, 5);
  return judged(reader, evidence);
}

Fit dce_rpc(const Evidence& evidence) noexcept {
  PrefixReader reader(evidence.payload);
  return dce_pdu(reader, evidence.direction);
}

Fit ajp(const Evidence& evidence) noexcept {
  PrefixReader reader(evidence.payload);
  if (evidence.direction == Direction::ToClient) {
    reader.literal("AB");
    const uint32_t length = reader.be16(1, 8192);
    const uint8_t code = reader.one_of("\x04\x09"sv);  // headers, or the answer to a ping
    reader.require(code == 4 ? length >= 7 : length == 1);
    if (code == 4) reader.be16(100, 599);
    return reader.fit();
  }
  reader.literal("\x12\x34"sv);
  const uint32_t length = reader.be16(1, 8192);
  const uint8_t code = reader.one_of("\x02\x0a"sv);  // a request, or a ping
  if (code == 0x0a) {
    reader.require(length == 1);
    return reader.fit();
  }
  reader.u8(1, 27);  // method
  reader.literal("\0\x08HTTP/1."sv);
  return reader.fit();
}

}  // namespace postern::classify::decoders
