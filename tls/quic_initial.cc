// SPDX-License-Identifier: Apache-2.0
#include "tls/quic_initial.h"

#include <algorithm>

namespace postern::tls {
namespace {

constexpr size_t kLongestConnectionId = 20, kHandshakeHeader = 4;
constexpr uint8_t kLongHeader = 0x80, kFixedBit = 0x40, kClientHello = 1;

// RFC 9000 section 16.
uint64_t variable_length(ByteReader& reader) noexcept {
  const uint8_t first = reader.u8();
  uint64_t value = first & 0x3f;
  for (size_t more = (size_t{1} << (first >> 6)) - 1; more > 0; --more) value = value << 8 | reader.u8();
  return value;
}

enum class Kind : uint8_t { Initial, ZeroRtt, Handshake, Retry };

// RFC 9369 section 3.2 turns the types of RFC 9000 by one.
Kind kind_of(uint8_t first, QuicVersion version) noexcept {
  const uint8_t type = first >> 4 & 3;
  return static_cast<Kind>(version == QuicVersion::V2 ? (type + 3) & 3 : type);
}

// RFC 9000 appendix A.3.
uint64_t full_number(uint64_t largest, uint64_t truncated, size_t bytes) noexcept {
  const uint64_t window = uint64_t{1} << (8 * bytes), expected = largest + 1;
  const uint64_t candidate = (expected & ~(window - 1)) | truncated;
  if (candidate + window / 2 <= expected && candidate < (uint64_t{1} << 62) - window)
    return candidate + window;
  if (candidate > expected + window / 2 && candidate >= window) return candidate - window;
  return candidate;
}

}  // namespace

// A packet with long header, as much as is in clear.
struct QuicInitial::Packet {
  QuicVersion version{};
  Kind kind{};
  Bytes connection_id;
  bool token = false;
  Bytes whole;               // header and payload
  size_t number_offset = 0;  // of the packet number, in `whole`
};

// Nothing: not of a version that is known, or lengths that do not fit.
std::optional<QuicInitial::Packet> QuicInitial::read_packet(Bytes datagram) noexcept {
  Packet packet;
  ByteReader reader(datagram);
  const uint8_t first = reader.u8();
  const std::optional<QuicVersion> version = quic_version(reader.be32());
  if (!version || (first & kLongHeader) == 0 || (first & kFixedBit) == 0) return std::nullopt;
  packet.version = *version;
  packet.kind = kind_of(first, *version);
  const uint8_t destination_length = reader.u8();
  packet.connection_id = reader.bytes(destination_length);
  const uint8_t source_length = reader.u8();
  reader.skip(source_length);
  if (packet.kind == Kind::Retry || destination_length > kLongestConnectionId ||
      source_length > kLongestConnectionId)
    return std::nullopt;
  if (packet.kind == Kind::Initial) {
    const uint64_t token_length = variable_length(reader);
    packet.token = token_length > 0;
    if (token_length > reader.remaining()) return std::nullopt;
    reader.skip(token_length);
  }
  const uint64_t length = variable_length(reader);
  if (!reader.ok() || length > reader.remaining()) return std::nullopt;
  packet.number_offset = datagram.size() - reader.remaining();
  packet.whole = datagram.first(packet.number_offset + length);
  // The sample is taken as if the packet number had four bytes (RFC 9001 section 5.4.2).
  if (length < 4 + QuicProtection::kSample) return std::nullopt;
  return packet;
}

bool QuicInitial::can_start(Bytes datagram) noexcept {
  constexpr uint8_t kShortestConnectionId = 8;  // of a client's first packet, RFC 9000 section 7.2
  const auto packet = read_packet(datagram);
  return packet && packet->kind == Kind::Initial && packet->connection_id.size() >= kShortestConnectionId;
}

QuicCryptoStream::Write QuicCryptoStream::write(uint64_t offset, Bytes bytes) noexcept {
  if (offset > kLongest || bytes.size() > kLongest - offset) return Write::TooLong;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const size_t at = static_cast<size_t>(offset) + i;
    if (has(at) && bytes_[at] != bytes[i]) return Write::Differs;
    present_[at / 64] |= uint64_t{1} << (at % 64);
    bytes_[at] = bytes[i];
  }
  return Write::Kept;
}

std::optional<Bytes> QuicCryptoStream::first(size_t count) const noexcept {
  if (count > kLongest) return std::nullopt;
  for (size_t at = 0; at < count; ++at)
    if (!has(at)) return std::nullopt;
  return Bytes(bytes_).first(count);
}

std::optional<Bytes> QuicInitial::open_with(const QuicKeys& keys, const Packet& packet,
                                            QuicProtection& protection) noexcept {
  constexpr size_t kLongestHeader = 1024;  // with a token; it is copied to take its protection off
  const Bytes sample = packet.whole.subspan(packet.number_offset + 4, QuicProtection::kSample);
  const auto mask = protection.header_mask(keys, sample);
  if (!mask || packet.number_offset + 4 > kLongestHeader) return std::nullopt;
  std::array<uint8_t, kLongestHeader> header;
  std::copy_n(packet.whole.begin(), packet.number_offset + 4, header.begin());
  header[0] ^= (*mask)[0] & 0x0f;
  const size_t number_bytes = (header[0] & 3) + size_t{1};
  uint64_t truncated = 0;
  for (size_t i = 0; i < number_bytes; ++i) {
    header[packet.number_offset + i] ^= (*mask)[1 + i];
    truncated = truncated << 8 | header[packet.number_offset + i];
  }
  const size_t header_bytes = packet.number_offset + number_bytes;
  const uint64_t number = full_number(largest_number_, truncated, number_bytes);
  const auto payload =
      protection.open(keys, number, Bytes(header).first(header_bytes), packet.whole.subspan(header_bytes));
  // RFC 9000 section 17.2: reserved bits are zero.
  if (!payload || (header[0] & 0x0c) != 0) return std::nullopt;
  largest_number_ = std::max(largest_number_, number);
  return payload;
}

// Keys stay those of the client's first connection id, though later packets carry the server's; only after a
// Retry, which gives the client a token, are they made anew (RFC 9001 section 5.2).
std::optional<Bytes> QuicInitial::open(const Packet& packet, QuicProtection& protection) noexcept {
  if (keys_ && packet.version == version_) {
    const auto payload = open_with(*keys_, packet, protection);
    if (payload || !packet.token) return payload;
  } else if (keys_ && !packet.token) {
    return std::nullopt;
  }
  const auto keys = protection.client_keys(packet.version, packet.connection_id);
  if (!keys) return std::nullopt;
  const auto payload = open_with(*keys, packet, protection);
  if (!payload) return std::nullopt;
  keys_ = keys;
  version_ = packet.version;
  return payload;
}

void QuicInitial::read_frames(Bytes payload) noexcept {
  enum Frame : uint64_t { Padding = 0, Ping = 1, Ack = 2, AckEcn = 3, Crypto = 6 };
  ByteReader reader(payload);
  while (reader.remaining() > 0) {
    const uint64_t type = variable_length(reader);
    if (type == Padding || type == Ping) continue;
    if (type == Ack || type == AckEcn) {
      variable_length(reader);
      variable_length(reader);
      uint64_t ranges = variable_length(reader);
      variable_length(reader);
      for (; ranges > 0 && reader.ok(); --ranges) {
        variable_length(reader);
        variable_length(reader);
      }
      for (int count = 0; type == AckEcn && count < 3; ++count) variable_length(reader);
      continue;
    }
    if (type != Crypto) return;  // CONNECTION_CLOSE, or what an Initial must not carry
    const uint64_t offset = variable_length(reader);
    const uint64_t length = variable_length(reader);
    if (!reader.ok() || length > reader.remaining()) return;
    if (crypto_.write(offset, reader.bytes(length)) != QuicCryptoStream::Write::Kept) {
      state_ = State::Refused;
      return;
    }
  }
}

void QuicInitial::judge() noexcept {
  if (state_ == State::Refused) return;
  state_ = State::Partial;
  const auto header = crypto_.first(kHandshakeHeader);
  if (!header) return;
  const size_t length = size_t{(*header)[1]} << 16 | load_be16(&(*header)[2]);
  if ((*header)[0] != kClientHello || length > QuicCryptoStream::kLongest - kHandshakeHeader) {
    state_ = State::Refused;
  } else if (crypto_.first(kHandshakeHeader + length)) {
    state_ = State::Whole;
  }
}

QuicInitial::State QuicInitial::take(Bytes datagram, QuicProtection& protection) noexcept {
  if (datagram.size() > QuicProtection::kLongestPacket) return state_;
  while (state_ == State::Nothing || state_ == State::Partial) {
    const auto packet = read_packet(datagram);
    if (!packet) break;
    if (packet->kind == Kind::Initial) {
      if (const auto payload = open(*packet, protection)) {
        read_frames(*payload);
        judge();
      }
    }
    datagram = datagram.subspan(packet->whole.size());
  }
  return state_;
}

Bytes QuicInitial::client_hello() const noexcept {
  if (state_ != State::Whole) return {};
  const Bytes header = *crypto_.first(kHandshakeHeader);
  const size_t length = size_t{header[1]} << 16 | load_be16(&header[2]);
  return crypto_.first(kHandshakeHeader + length)->subspan(kHandshakeHeader);
}

}  // namespace postern::tls
