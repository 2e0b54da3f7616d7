// SPDX-License-Identifier: Apache-2.0
// Keys and ciphers of QUIC Initial packets (RFC 9001 section 5, RFC 9369 section 3.3). The keys come from a
// connection id that is in clear, so they hide nothing and prove only that the packet is whole. The contexts
// are made at start and used again; deriving keys still allocates a little inside OpenSSL, once per flow. One
// per worker.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

struct evp_cipher_ctx_st;
struct evp_kdf_ctx_st;

namespace postern::tls {

enum class QuicVersion : uint32_t { Draft29 = 0xff00001d, V1 = 0x00000001, V2 = 0x6b3343cf };
std::optional<QuicVersion> quic_version(uint32_t number) noexcept;

struct QuicKeys {
  std::array<uint8_t, 16> key, header_key;
  std::array<uint8_t, 12> iv;
};

class QuicProtection {
 public:
  // UDP over any link a wire joins; a longer packet is not opened.
  static constexpr size_t kLongestPacket = 16384;
  static constexpr size_t kSample = 16, kTag = 16;

  static Result<QuicProtection> make();

  // What the client protects its Initial packets with. nullopt: OpenSSL failed.
  std::optional<QuicKeys> client_keys(QuicVersion version, Bytes connection_id) noexcept;

  // The mask for first byte and packet number.
  std::optional<std::array<uint8_t, 5>> header_mask(const QuicKeys& keys, Bytes sample) noexcept;

  // The payload of a packet, until the next call; nullopt when the tag does not fit. `header` with protection
  // removed.
  std::optional<Bytes> open(const QuicKeys& keys, uint64_t packet_number, Bytes header,
                            Bytes sealed) noexcept;

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
    void operator()(evp_kdf_ctx_st* context) const noexcept;
  };

  bool hkdf(int mode, Bytes key, Bytes salt, Bytes label, std::span<uint8_t> out) noexcept;
  bool expand(Bytes secret, std::string_view label, std::span<uint8_t> out) noexcept;

  std::unique_ptr<evp_kdf_ctx_st, Free> kdf_;
  std::unique_ptr<evp_cipher_ctx_st, Free> header_cipher_, payload_cipher_;
  std::unique_ptr<std::array<uint8_t, kLongestPacket>> plain_;
};

}  // namespace postern::tls
