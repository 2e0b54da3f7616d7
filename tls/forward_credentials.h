// SPDX-License-Identifier: Apache-2.0
// ssl_forward_proxy: the client sees a leaf of the site's CA that says what the server's own certificate
// says, after that has been verified. A server with a fault is blocked, or shown behind a CA that clients do
// not trust, or vouched for, as the operator says for that fault. One per TLS core and policy generation.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "base/result.h"
#include "tls/minted_leaves.h"
#include "tls/server_credentials.h"
#include "tls/upstream_verifier.h"

namespace postern::tls {

enum class FaultAction : uint8_t { Block, UntrustedLeaf, Allow };  // the strictest first
using FaultActions = std::array<FaultAction, kCertificateFaults>;  // by CertificateFault; all block

class ForwardCredentials : public ServerCredentials {
 public:
  struct Setup {
    std::shared_ptr<const TrustStore> trust;
    MintedLeaves::Setup leaves;
    FaultActions actions{};
    std::function<Timestamp()> clock;
  };
  // The error says what OpenSSL lacks, or that a fault asks for a leaf of a CA that there is not.
  static Result<std::unique_ptr<ForwardCredentials>> make(Setup setup);

  DecryptReason admits(const SessionHello& hello) const noexcept override;
  Shown shown_to_client(const SessionHello& hello, ssl_st* server) noexcept override;

  const MintedLeaves& leaves() const noexcept { return *leaves_; }

 private:
  ForwardCredentials() = default;
  CertificateFaults verify(const SessionHello& hello, ssl_st* server) noexcept;
  CertificateFault gravest(const CertificateFaults& faults) const noexcept;

  std::unique_ptr<UpstreamVerifier> verifier_;
  std::unique_ptr<MintedLeaves> leaves_;
  FaultActions actions_{};
  std::function<Timestamp()> clock_;
};

}  // namespace postern::tls
