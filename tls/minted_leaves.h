// SPDX-License-Identifier: Apache-2.0
// Minted leaves of servers seen before, with the settings that show them to clients. Bounded: when full, the
// leaf that was not asked for longest goes, which is counted. A leaf of the site's CA and one of the CA for
// untrusted servers never stand for each other. One TLS core.
#pragma once

#include <array>
#include <list>
#include <map>
#include <memory>

#include "base/result.h"
#include "tls/leaf_mint.h"
#include "tls/session_settings.h"

namespace postern::tls {

enum class LeafTrust : uint8_t { Trusted, Untrusted };

class MintedLeaves {
 public:
  struct Setup {
    std::shared_ptr<const SigningCa> ca, untrusted_ca;  // the second may be null
    size_t most = 1024;                                 // leaves, at least 1; each takes some 17 kB
  };
  // The error says what OpenSSL lacks.
  static Result<std::unique_ptr<MintedLeaves>> make(Setup setup);

  // Live until the next call, and as long as the connections made of them. nullptr: see LeafMint::mint, or
  // there is no CA for it.
  ssl_ctx_st* settings_for(x509_st* original, LeafTrust trust) noexcept;

  struct Counts {
    uint64_t minted = 0, reused = 0, refused = 0, displaced = 0;
  };
  const Counts& counts() const noexcept { return counts_; }
  size_t size() const noexcept { return by_use_.size(); }

 private:
  using Name = std::array<uint8_t, 33>;  // SHA-256 of the original, and the trust
  struct Leaf {
    Name name;
    OwnedSettings settings;
  };
  MintedLeaves(Setup setup, LeafMint mint) : setup_(std::move(setup)), mint_(std::move(mint)) {}
  OwnedSettings make_settings(x509_st* original, const SigningCa& ca) const noexcept;

  Setup setup_;
  LeafMint mint_;
  std::list<Leaf> by_use_;  // the latest first
  std::map<Name, std::list<Leaf>::iterator> by_name_;
  Counts counts_;
};

}  // namespace postern::tls
