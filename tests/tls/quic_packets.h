// SPDX-License-Identifier: Apache-2.0
// Builds a client's QUIC Initial packets, for tests. Keys are given, so a vector of an RFC checks the
// derivation.
#pragma once

#include <openssl/evp.h>

#include "tests/classify/wire_bytes.h"
#include "tls/quic_protection.h"

namespace postern::tls {

// A variable-length integer of two bytes, or four.
inline std::string variable2(size_t value) { return classify::be16(0x4000 | value); }

inline std::string crypto_frame(size_t offset, const std::string& bytes) {
  return '\x06' + variable2(offset) + variable2(bytes.size()) + bytes;
}

class QuicPacketBuilder {
 public:
  QuicVersion version = QuicVersion::V1;
  std::string connection_id = classify::hex("8394c8f03e515708"), source, token;
  uint32_t number = 2;
  uint8_t number_bytes = 4;

  // Header without protection, of an Initial whose payload has `payload` bytes.
  std::string header(size_t payload) const {
    const uint32_t v = static_cast<uint32_t>(version);
    const char type = version == QuicVersion::V2 ? '\x10' : '\0';
    std::string out(1, static_cast<char>(0xc0 | type | (number_bytes - 1)));
    out += classify::be16(v >> 16) + classify::be16(v & 0xffff);
    out += static_cast<char>(connection_id.size()) + connection_id;
    out += static_cast<char>(source.size()) + source;
    out += (token.empty() ? std::string(1, '\0') : variable2(token.size())) + token;
    out += variable2(number_bytes + payload + 16);
    for (int i = number_bytes - 1; i >= 0; --i) out += static_cast<char>(number >> (8 * i));
    return out;
  }

  std::string seal(const QuicKeys& keys, const std::string& payload) const {
    std::string head = header(payload.size());
    std::string nonce(keys.iv.begin(), keys.iv.end());
    for (size_t i = 0; i < 4; ++i) nonce[8 + i] = static_cast<char>(nonce[8 + i] ^ (number >> (24 - 8 * i)));
    std::string sealed = encrypt(EVP_aes_128_gcm(), keys.key.data(), nonce, head, payload);
    const std::string sample = sealed.substr(4u - number_bytes, 16);
    const std::string mask = encrypt(EVP_aes_128_ecb(), keys.header_key.data(), "", "", sample);
    head[0] = static_cast<char>(head[0] ^ (mask[0] & 0x0f));
    for (size_t i = 0; i < number_bytes; ++i) {
      char& byte = head[head.size() - number_bytes + i];
      byte = static_cast<char>(byte ^ mask[1 + i]);
    }
    return head + sealed;
  }

  std::string seal(QuicProtection& protection, const std::string& payload) const {
    return seal(*protection.client_keys(version, as_bytes(connection_id)), payload);
  }

 private:
  static const uint8_t* pointer(const std::string& text) {
    return reinterpret_cast<const uint8_t*>(text.data());
  }

  static std::string encrypt(const EVP_CIPHER* cipher, const uint8_t* key, const std::string& nonce,
                             const std::string& header, const std::string& plain) {
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    std::string out(plain.size() + 16, '\0');
    uint8_t* to = reinterpret_cast<uint8_t*>(out.data());
    int length = 0, rest = 0;
    EVP_EncryptInit_ex(context, cipher, nullptr, key, nonce.empty() ? nullptr : pointer(nonce));
    if (!header.empty())
      EVP_EncryptUpdate(context, nullptr, &length, pointer(header), static_cast<int>(header.size()));
    EVP_CIPHER_CTX_set_padding(context, 0);
    EVP_EncryptUpdate(context, to, &length, pointer(plain), static_cast<int>(plain.size()));
    EVP_EncryptFinal_ex(context, to + length, &rest);
    if (!header.empty()) EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, to + plain.size());
    EVP_CIPHER_CTX_free(context);
    return out;
  }
};

}  // namespace postern::tls
