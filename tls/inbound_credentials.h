// SPDX-License-Identifier: Apache-2.0
// ssl_inbound_inspection: the client sees the certificate that the operator imported for its server, and only
// when the server has proved that it holds the same key. One per TLS core and policy generation.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "tls/server_credentials.h"
#include "tls/server_identity.h"
#include "tls/session_settings.h"

namespace postern::tls {

class InboundCredentials : public ServerCredentials {
 public:
  // The error says what OpenSSL refused. Settings of its own for every identity: sharing them between
  // threads costs locks.
  static Result<std::unique_ptr<InboundCredentials>> make(std::shared_ptr<const ServerIdentities> identities);

  DecryptReason admits(const SessionHello& hello) const noexcept override;
  Shown shown_to_client(const SessionHello& hello, ssl_st* server) noexcept override;

 private:
  InboundCredentials() = default;

  std::shared_ptr<const ServerIdentities> identities_;
  std::vector<OwnedSettings> settings_;  // by identity
};

}  // namespace postern::tls
