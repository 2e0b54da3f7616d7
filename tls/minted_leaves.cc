// SPDX-License-Identifier: Apache-2.0
#include "tls/minted_leaves.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>

namespace postern::tls {

Result<std::unique_ptr<MintedLeaves>> MintedLeaves::make(Setup setup) {
  Result<LeafMint> mint = LeafMint::make();
  if (!mint) return mint.error();
  setup.most = std::max<size_t>(setup.most, 1);
  return std::unique_ptr<MintedLeaves>(new MintedLeaves(std::move(setup), std::move(*mint)));
}

OwnedSettings MintedLeaves::make_settings(x509_st* original, const SigningCa& ca) const noexcept {
  const LeafMint::Certificate leaf = mint_.mint(original, ca);
  if (leaf == nullptr) return nullptr;
  OwnedSettings settings = new_server_settings();
  bool ok = settings != nullptr && SSL_CTX_use_certificate(settings.get(), leaf.get()) == 1 &&
            SSL_CTX_use_PrivateKey(settings.get(), mint_.key()) == 1;
  for (x509_st* next : ca.chain()) ok = ok && SSL_CTX_add1_chain_cert(settings.get(), next) == 1;
  ERR_clear_error();
  return ok ? std::move(settings) : nullptr;
}

ssl_ctx_st* MintedLeaves::settings_for(x509_st* original, LeafTrust trust) noexcept {
  const SigningCa* ca = trust == LeafTrust::Trusted ? setup_.ca.get() : setup_.untrusted_ca.get();
  Name name{};
  unsigned size = 0;
  if (ca == nullptr || X509_digest(original, EVP_sha256(), name.data(), &size) != 1) {
    ++counts_.refused;
    return nullptr;
  }
  name.back() = static_cast<uint8_t>(trust);
  if (const auto known = by_name_.find(name); known != by_name_.end()) {
    ++counts_.reused;
    by_use_.splice(by_use_.begin(), by_use_, known->second);
    return known->second->settings.get();
  }
  OwnedSettings settings = make_settings(original, *ca);
  if (settings == nullptr) {
    ++counts_.refused;
    return nullptr;
  }
  if (by_use_.size() >= setup_.most) {
    ++counts_.displaced;
    by_name_.erase(by_use_.back().name);
    by_use_.pop_back();
  }
  ++counts_.minted;
  by_use_.push_front({name, std::move(settings)});
  by_name_.emplace(name, by_use_.begin());
  return by_use_.front().settings.get();
}

}  // namespace postern::tls
