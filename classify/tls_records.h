// SPDX-License-Identifier: Apache-2.0
// Takes the record layer off the clear part of a TLS stream (RFC 8446 section 5.1): handshake bytes that may
// be spread over records become one piece. Looks at a prefix of a direction and keeps nothing; storage is the
// caller's, one per worker. Any thread.
#pragma once

#include <array>

#include "base/bytes.h"

namespace postern::classify {

inline constexpr size_t kTlsRecordHeader = 5, kTlsHandshakeHeader = 4;
inline constexpr uint16_t kLongestTlsRecord = 16384;                         // before encryption
inline constexpr uint16_t kLongestTlsCiphertext = kLongestTlsRecord + 2048;  // RFC 5246 section 6.2.3

// A 16 KB message and its header, or as much of a server's flight.
using TlsHandshakeStorage = std::array<uint8_t, kTlsHandshakeHeader + 16384>;

struct TlsHandshakeBytes {
  enum class End : uint8_t {
    Missing,      // the stream ends inside or right after a handshake record
    OtherRecord,  // a whole header of another content type follows: `next`
    Full,         // more handshake bytes than fit into the storage
    Broken,       // what follows is no TLS record
  };
  End end = End::Broken;
  Bytes bytes;  // of messages; a view on the stream when one record holds them all, else on the storage
  size_t records = 0;  // whole handshake records in front of `next`
  Bytes next;          // the stream from the first other record on
};

enum class TlsExtent : uint8_t {
  FirstMessage,  // no record beyond the one that ends the first message
  Everything,
};

TlsHandshakeBytes take_tls_handshake(Bytes stream, TlsExtent extent, TlsHandshakeStorage& storage) noexcept;

}  // namespace postern::classify
