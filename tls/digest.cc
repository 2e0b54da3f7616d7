// SPDX-License-Identifier: Apache-2.0
#include "tls/digest.h"

#include <openssl/evp.h>

namespace postern::tls {

void Digests::Free::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }
void Digests::Free::operator()(evp_md_st* algorithm) const noexcept { EVP_MD_free(algorithm); }

Result<Digests> Digests::make() {
  Digests digests;
  // MD5 only names what was seen, so a FIPS default must not take it away.
  digests.md5_.reset(EVP_MD_fetch(nullptr, "MD5", "-fips"));
  digests.sha1_.reset(EVP_MD_fetch(nullptr, "SHA1", nullptr));
  digests.sha256_.reset(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  digests.context_.reset(EVP_MD_CTX_new());
  if (!digests.md5_) return Error{"OpenSSL has no MD5; JA3 needs it"};
  if (!digests.sha1_) return Error{"OpenSSL has no SHA-1; certificate fingerprints need it"};
  if (!digests.sha256_) return Error{"OpenSSL has no SHA-256; JA4 needs it"};
  if (!digests.context_) return Error{"no memory for a digest"};
  return digests;
}

template <size_t N>
std::array<uint8_t, N> Digests::digest(const Algorithm& algorithm, Bytes bytes) noexcept {
  std::array<uint8_t, N> value{};
  const bool good = EVP_DigestInit_ex2(context_.get(), algorithm.get(), nullptr) == 1 &&
                    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(context_.get(), value.data(), nullptr) == 1;
  return good ? value : std::array<uint8_t, N>{};
}

std::array<uint8_t, 16> Digests::md5(Bytes bytes) noexcept { return digest<16>(md5_, bytes); }
std::array<uint8_t, 20> Digests::sha1(Bytes bytes) noexcept { return digest<20>(sha1_, bytes); }
std::array<uint8_t, 32> Digests::sha256(Bytes bytes) noexcept { return digest<32>(sha256_, bytes); }

}  // namespace postern::tls
