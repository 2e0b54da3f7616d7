// SPDX-License-Identifier: Apache-2.0
#include "tls/inbound_credentials.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

namespace postern::tls {

Result<std::unique_ptr<InboundCredentials>> InboundCredentials::make(
    std::shared_ptr<const ServerIdentities> identities) {
  std::unique_ptr<InboundCredentials> credentials(new InboundCredentials);
  for (const ServerIdentity& identity : *identities) {
    credentials->settings_.emplace_back(new_server_settings());
    ssl_ctx_st* settings = credentials->settings_.back().get();
    const bool ok = settings != nullptr && identity.install(settings);
    ERR_clear_error();
    if (!ok)
      return Error{
          "OpenSSL does not take this certificate, expected a key and signatures of today's strength",
          identity.file()};
  }
  credentials->identities_ = std::move(identities);
  return credentials;
}

DecryptReason InboundCredentials::admits(const SessionHello& hello) const noexcept {
  const bool known = std::any_of(
      identities_->begin(), identities_->end(),
      [&](const ServerIdentity& identity) { return identity.is_for(hello.server_name, hello.server); });
  return known ? DecryptReason::None : DecryptReason::NoCertificate;
}

// A server may have several certificates of one name, RSA and ECDSA: the one that it has shown is the one.
ServerCredentials::Shown InboundCredentials::shown_to_client(const SessionHello& hello,
                                                             ssl_st* server) noexcept {
  const X509* shown = SSL_get0_peer_certificate(server);
  if (shown == nullptr) return {.reason = DecryptReason::KeyMismatch};
  const unsigned char* staple = nullptr;
  const long staple_size = SSL_get_tlsext_status_ocsp_resp(server, &staple);
  for (size_t i = 0; i < identities_->size(); ++i) {
    const ServerIdentity& identity = (*identities_)[i];
    if (identity.is_for(hello.server_name, hello.server) && identity.has_key_of(shown))
      return {.settings = settings_[i].get(),
              .staple = staple_size > 0 ? Bytes(staple, static_cast<size_t>(staple_size)) : Bytes{}};
  }
  return {.reason = DecryptReason::KeyMismatch};
}

}  // namespace postern::tls
