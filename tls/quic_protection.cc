// SPDX-License-Identifier: Apache-2.0
#include "tls/quic_protection.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>

namespace postern::tls {
namespace {

using Salt = std::array<uint8_t, 20>;
constexpr Salt kSaltDraft29 = {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
                               0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99};
constexpr Salt kSaltV1 = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                          0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
constexpr Salt kSaltV2 = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
                          0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};

const Salt& salt_of(QuicVersion version) noexcept {
  switch (version) {
    case QuicVersion::Draft29:
      return kSaltDraft29;
    case QuicVersion::V2:
      return kSaltV2;
    case QuicVersion::V1:
      break;
  }
  return kSaltV1;
}

OSSL_PARAM octets(const char* name, Bytes bytes) noexcept {
  return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

std::optional<QuicVersion> quic_version(uint32_t number) noexcept {
  for (const QuicVersion version : {QuicVersion::V1, QuicVersion::V2, QuicVersion::Draft29})
    if (number == static_cast<uint32_t>(version)) return version;
  return std::nullopt;
}

void QuicProtection::Free::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}
void QuicProtection::Free::operator()(evp_kdf_ctx_st* context) const noexcept { EVP_KDF_CTX_free(context); }

Result<QuicProtection> QuicProtection::make() {
  const auto ready = [](const char* name) {
    std::unique_ptr<evp_cipher_ctx_st, Free> context(EVP_CIPHER_CTX_new());
    EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, name, nullptr);
    const bool good =
        context && cipher && EVP_CipherInit_ex2(context.get(), cipher, nullptr, nullptr, -1, nullptr) == 1;
    EVP_CIPHER_free(cipher);  // the context holds it
    if (!good) context.reset();
    return context;
  };
  QuicProtection protection;
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  if (kdf != nullptr) protection.kdf_.reset(EVP_KDF_CTX_new(kdf));
  EVP_KDF_free(kdf);
  if (!protection.kdf_) return Error{"OpenSSL has no HKDF; QUIC needs it"};
  protection.header_cipher_ = ready("AES-128-ECB");
  protection.payload_cipher_ = ready("AES-128-GCM");
  if (!protection.header_cipher_ || !protection.payload_cipher_)
    return Error{"OpenSSL has no AES-128 in ECB and GCM; QUIC needs both"};
  protection.plain_ = std::make_unique<std::array<uint8_t, kLongestPacket>>();
  return protection;
}

bool QuicProtection::hkdf(int mode, Bytes key, Bytes salt, Bytes label, std::span<uint8_t> out) noexcept {
  char digest[] = "SHA256";
  const OSSL_PARAM extract[] = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0), octets(OSSL_KDF_PARAM_KEY, key),
      label.empty() ? octets(OSSL_KDF_PARAM_SALT, salt) : octets(OSSL_KDF_PARAM_INFO, label),
      OSSL_PARAM_construct_end()};
  EVP_KDF_CTX_reset(kdf_.get());
  return EVP_KDF_derive(kdf_.get(), out.data(), out.size(), extract) == 1;
}

// HKDF-Expand-Label of RFC 8446 section 7.1 without context.
bool QuicProtection::expand(Bytes secret, std::string_view label, std::span<uint8_t> out) noexcept {
  constexpr std::string_view kPrefix = "tls13 ";
  std::array<uint8_t, 32> info;
  size_t size = 0;
  info[size++] = 0;
  info[size++] = static_cast<uint8_t>(out.size());
  info[size++] = static_cast<uint8_t>(kPrefix.size() + label.size());
  for (const char c : kPrefix) info[size++] = static_cast<uint8_t>(c);
  for (const char c : label) info[size++] = static_cast<uint8_t>(c);
  info[size++] = 0;
  return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, secret, {}, Bytes(info).first(size), out);
}

std::optional<QuicKeys> QuicProtection::client_keys(QuicVersion version, Bytes connection_id) noexcept {
  std::array<uint8_t, 32> initial, client;
  QuicKeys keys;
  const bool v2 = version == QuicVersion::V2;
  // OpenSSL 3.0 takes no empty key, and a client's first connection id has at least 8 bytes (RFC 9000
  // section 7.2).
  const bool good = !connection_id.empty() &&
                    hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, connection_id, salt_of(version), {}, initial) &&
                    expand(initial, "client in", client) &&
                    expand(client, v2 ? "quicv2 key" : "quic key", keys.key) &&
                    expand(client, v2 ? "quicv2 iv" : "quic iv", keys.iv) &&
                    expand(client, v2 ? "quicv2 hp" : "quic hp", keys.header_key);
  return good ? std::optional(keys) : std::nullopt;
}

std::optional<std::array<uint8_t, 5>> QuicProtection::header_mask(const QuicKeys& keys,
                                                                  Bytes sample) noexcept {
  std::array<uint8_t, 2 * kSample> block;
  int length = 0;
  if (sample.size() != kSample ||
      EVP_CipherInit_ex2(header_cipher_.get(), nullptr, keys.header_key.data(), nullptr, 1, nullptr) != 1 ||
      EVP_CipherUpdate(header_cipher_.get(), block.data(), &length, sample.data(), kSample) != 1 ||
      length != kSample)
    return std::nullopt;
  std::array<uint8_t, 5> mask;
  std::copy_n(block.begin(), mask.size(), mask.begin());
  return mask;
}

std::optional<Bytes> QuicProtection::open(const QuicKeys& keys, uint64_t packet_number, Bytes header,
                                          Bytes sealed) noexcept {
  if (sealed.size() < kTag || sealed.size() > kLongestPacket) return std::nullopt;
  std::array<uint8_t, 12> nonce = keys.iv;
  for (size_t i = 0; i < 8; ++i) nonce[4 + i] ^= static_cast<uint8_t>(packet_number >> (56 - 8 * i));
  const Bytes cipher_text = sealed.first(sealed.size() - kTag), tag = sealed.last(kTag);
  EVP_CIPHER_CTX* context = payload_cipher_.get();
  int length = 0, rest = 0;
  const bool good =
      EVP_CipherInit_ex2(context, nullptr, keys.key.data(), nonce.data(), 0, nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTag, const_cast<uint8_t*>(tag.data())) == 1 &&
      EVP_CipherUpdate(context, nullptr, &length, header.data(), static_cast<int>(header.size())) == 1 &&
      EVP_CipherUpdate(context, plain_->data(), &length, cipher_text.data(),
                       static_cast<int>(cipher_text.size())) == 1 &&
      EVP_CipherFinal_ex(context, plain_->data() + length, &rest) == 1;
  if (!good) return std::nullopt;
  return Bytes(*plain_).first(static_cast<size_t>(length + rest));
}

}  // namespace postern::tls
