// SPDX-License-Identifier: Apache-2.0
#include "tls/forward_credentials.h"

#include <openssl/ssl.h>

#include <algorithm>

namespace postern::tls {

Result<std::unique_ptr<ForwardCredentials>> ForwardCredentials::make(Setup setup) {
  const bool asks = std::find(setup.actions.begin(), setup.actions.end(), FaultAction::UntrustedLeaf) !=
                    setup.actions.end();
  if (asks && setup.leaves.untrusted_ca == nullptr)
    return Error{"found the action untrusted_leaf, expected a CA for untrusted servers with it"};
  std::unique_ptr<ForwardCredentials> credentials(new ForwardCredentials);
  auto verifier = UpstreamVerifier::make(std::move(setup.trust));
  if (!verifier) return verifier.error();
  auto leaves = MintedLeaves::make(std::move(setup.leaves));
  if (!leaves) return leaves.error();
  credentials->verifier_ = std::move(*verifier);
  credentials->leaves_ = std::move(*leaves);
  credentials->actions_ = setup.actions;
  credentials->clock_ = std::move(setup.clock);
  return credentials;
}

DecryptReason ForwardCredentials::admits(const SessionHello&) const noexcept { return DecryptReason::None; }

CertificateFaults ForwardCredentials::verify(const SessionHello& hello, ssl_st* server) noexcept {
  const unsigned char* answer = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(server, &answer);
  return verifier_->verify({.leaf = SSL_get0_peer_certificate(server),
                            .chain = SSL_get_peer_cert_chain(server),
                            .ocsp = size > 0 ? Bytes(answer, static_cast<size_t>(size)) : Bytes{},
                            .name = hello.server_name,
                            .address = hello.server,
                            .now = clock_()});
}

// The fault whose action is the strictest, or the first of those.
CertificateFault ForwardCredentials::gravest(const CertificateFaults& faults) const noexcept {
  CertificateFault gravest = faults.first();
  for (size_t i = 1; i < kCertificateFaults; ++i)
    if (faults.has(static_cast<CertificateFault>(i)) && actions_[i] < actions_[static_cast<size_t>(gravest)])
      gravest = static_cast<CertificateFault>(i);
  return gravest;
}

ServerCredentials::Shown ForwardCredentials::shown_to_client(const SessionHello& hello,
                                                             ssl_st* server) noexcept {
  const CertificateFault fault = gravest(verify(hello, server));
  const FaultAction action =
      fault == CertificateFault::None ? FaultAction::Allow : actions_[static_cast<size_t>(fault)];
  X509* original = SSL_get0_peer_certificate(server);
  if (action == FaultAction::Block || original == nullptr)
    return {.reason = DecryptReason::UpstreamUntrusted, .fault = fault};
  const LeafTrust trust = action == FaultAction::Allow ? LeafTrust::Trusted : LeafTrust::Untrusted;
  ssl_ctx_st* settings = leaves_->settings_for(original, trust);
  return {.settings = settings,
          .reason = settings != nullptr ? DecryptReason::None : DecryptReason::NotMirrored,
          .fault = fault};
}

}  // namespace postern::tls
