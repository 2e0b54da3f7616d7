// SPDX-License-Identifier: Apache-2.0
// Reads the ClientHello out of a client's QUIC Initial packets (RFC 9000 section 17.2.2): versions 1 and 2
// and draft 29, packets coalesced in a datagram, CRYPTO frames in any order over any number of datagrams.
// Fixed size, one per flow under inspection; what does not open is skipped, as a server skips it. Where two
// frames differ about a byte the flow is refused, so that no server can read another hello than this. One
// flow may carry several connections: datagrams that come after the hello, under a connection id that was not
// seen, are for a new QuicInitial to read. Worker only.
#pragma once

#include <array>
#include <optional>

#include "base/bytes.h"
#include "tls/quic_protection.h"

namespace postern::tls {

// The bytes of one CRYPTO stream, in any order, as many as a hello needs.
class QuicCryptoStream {
 public:
  static constexpr size_t kLongest = 4096;  // with post-quantum key shares clients send 1800

  enum class Write : uint8_t { Kept, Differs, TooLong };
  Write write(uint64_t offset, Bytes bytes) noexcept;
  // The first `count` bytes once all of them are there.
  std::optional<Bytes> first(size_t count) const noexcept;

 private:
  bool has(size_t at) const noexcept { return (present_[at / 64] >> (at % 64) & 1) != 0; }

  std::array<uint64_t, kLongest / 64> present_{};
  std::array<uint8_t, kLongest> bytes_{};
};

class QuicInitial {
 public:
  enum class State : uint8_t {
    Nothing,  // no packet has opened so far
    Partial,  // packets opened, the hello has not come in full
    Whole,
    Refused,  // no hello that a server would take, or one longer than is kept
  };

  // Version and lengths of the first packet alone, without any key: whether a datagram can be the first of a
  // client.
  static bool can_start(Bytes datagram) noexcept;

  // The payload of one datagram from the client.
  State take(Bytes datagram, QuicProtection& protection) noexcept;

  State state() const noexcept { return state_; }
  std::optional<QuicVersion> version() const noexcept { return version_; }
  // The ClientHello without its handshake header, when Whole. Lives as long as this.
  Bytes client_hello() const noexcept;

 private:
  struct Packet;
  static std::optional<Packet> read_packet(Bytes datagram) noexcept;
  std::optional<Bytes> open(const Packet& packet, QuicProtection& protection) noexcept;
  std::optional<Bytes> open_with(const QuicKeys& keys, const Packet& packet,
                                 QuicProtection& protection) noexcept;
  void read_frames(Bytes payload) noexcept;
  void judge() noexcept;

  State state_ = State::Nothing;
  std::optional<QuicVersion> version_;
  std::optional<QuicKeys> keys_;
  uint64_t largest_number_ = 0;
  QuicCryptoStream crypto_;
};

}  // namespace postern::tls
