// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "classify/decoders/datagrams.h"

namespace postern::classify::decoders {
namespace {

constexpr uint8_t kLongHeader = 0x80, kFixedBit = 0x40;
constexpr uint32_t kVersion1 = 1, kVersion2 = 0x6b3343cf, kFirstDraft = 0xff000017, kLastDraft = 0xff000022;
constexpr size_t kLongestConnectionId = 20;
constexpr size_t kShortestClientInitial = 1200;  // RFC 9000 section 14.1
constexpr size_t kSample = 20;                   // section 5.4.2 of RFC 9001: what header protection needs
constexpr size_t kRetryTag = 16;

enum class PacketType : uint8_t { Initial, ZeroRtt, Handshake, Retry };

// Drafts before 23 have other headers.
bool is_known_version(uint32_t version) noexcept {
  return version == kVersion1 || version == kVersion2 || (version >= kFirstDraft && version <= kLastDraft);
}

// RFC 9000 section 15: versions that exist to be refused.
bool is_reserved_version(uint32_t version) noexcept { return (version & 0x0f0f0f0f) == 0x0a0a0a0a; }

// RFC 9369 section 3.2 turns the types of version 2 by one.
PacketType packet_type(uint8_t first, uint32_t version) noexcept {
  const uint8_t type = first >> 4 & 3;
  return static_cast<PacketType>(version == kVersion2 ? (type + 3) & 3 : type);
}

uint64_t variable_integer(ByteReader& in) noexcept {
  const uint8_t first = in.u8();
  uint64_t value = first & 0x3f;
  const size_t more = (size_t{1} << (first >> 6)) - 1;
  for (size_t i = 0; i < more; ++i) value = value << 8 | in.u8();
  return value;
}

struct LongHeader {
  bool fits = false;
  uint8_t first = 0;
  uint32_t version = 0;
  Bytes destination, source;
};

LongHeader read_long_header(ByteReader& in) noexcept {
  LongHeader header;
  header.first = in.u8();
  header.version = in.be32();
  header.destination = in.bytes(in.u8());
  header.source = in.bytes(in.u8());
  header.fits = in.ok() && (header.first & kLongHeader) != 0;
  return header;
}

bool is_version_negotiation(ByteReader in) noexcept {
  if (in.remaining() == 0 || in.remaining() % 4 != 0) return false;
  bool known = false;
  while (in.remaining() != 0) {
    const uint32_t version = in.be32();
    if (version == 0) return false;
    known |= is_known_version(version) || is_reserved_version(version);
  }
  return known;
}

// One packet; what follows it in the datagram stays in the reader.
bool take_packet(ByteReader& in, const LongHeader& header, const Evidence& evidence) noexcept {
  const bool to_server = evidence.direction == Direction::ToServer;
  const PacketType type = packet_type(header.first, header.version);
  if (type == PacketType::Retry) {
    const bool fits = !to_server && in.remaining() > kRetryTag;
    in.skip(in.remaining());
    return fits;
  }
  if (type == PacketType::ZeroRtt && !to_server) return false;
  if (type == PacketType::Initial) {
    const uint64_t token = variable_integer(in);
    if (token > in.remaining() || (token != 0 && !to_server)) return false;
    in.skip(token);
    if (to_server && evidence.payload.size() < kShortestClientInitial) return false;
  }
  const uint64_t length = variable_integer(in);
  if (!in.ok() || length < kSample || length > in.remaining()) return false;
  in.skip(length);
  return true;
}

bool are_zeros(Bytes bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
}

}  // namespace

// RFC 9000 section 12.2: packets of one connection behind each other; the last may have a short header, which
// has no length, and some pad with zeros.
Fit quic(const Evidence& evidence) noexcept {
  ByteReader in(evidence.payload);
  const LongHeader first = read_long_header(in);
  if (!first.fits) return Fit::No;
  if (first.version == 0)
    return evidence.direction == Direction::ToClient && is_version_negotiation(in) ? Fit::Yes : Fit::No;
  LongHeader header = first;
  while (true) {
    if (!header.fits || header.version != first.version || (header.first & kFixedBit) == 0) return Fit::No;
    if (!is_known_version(header.version) || header.destination.size() > kLongestConnectionId ||
        header.source.size() > kLongestConnectionId)
      return Fit::No;
    if (!std::equal(header.destination.begin(), header.destination.end(), first.destination.begin(),
                    first.destination.end()))
      return Fit::No;
    if (!take_packet(in, header, evidence)) return Fit::No;
    const Bytes rest = in.rest();
    if (rest.empty() || are_zeros(rest)) return Fit::Yes;
    const bool more = rest[0] & kLongHeader;
    if (!more) return (rest[0] & kFixedBit) != 0 && rest.size() > kSample ? Fit::Yes : Fit::No;
    header = read_long_header(in);
  }
}

}  // namespace postern::classify::decoders
