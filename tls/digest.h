// SPDX-License-Identifier: Apache-2.0
// Hashes for fingerprints. Algorithms are fetched and the one context is made at start; a digest then reuses
// them. OpenSSL 3.0 still takes memory once per digest, for the algorithm's state, whatever EVP is asked, so
// hash once per handshake, not per packet. One per worker. An algorithm that fails at run time gives zeros.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

struct evp_md_ctx_st;
struct evp_md_st;

namespace postern::tls {

class Digests {
 public:
  // The error says which algorithm OpenSSL lacks.
  static Result<Digests> make();

  std::array<uint8_t, 16> md5(Bytes bytes) noexcept;  // names a client, protects nothing
  std::array<uint8_t, 20> sha1(Bytes bytes) noexcept;
  std::array<uint8_t, 32> sha256(Bytes bytes) noexcept;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
    void operator()(evp_md_st* algorithm) const noexcept;
  };
  using Algorithm = std::unique_ptr<evp_md_st, Free>;

  template <size_t N>
  std::array<uint8_t, N> digest(const Algorithm& algorithm, Bytes bytes) noexcept;

  Algorithm md5_, sha1_, sha256_;
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace postern::tls
