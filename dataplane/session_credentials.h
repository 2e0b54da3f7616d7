// SPDX-License-Identifier: Apache-2.0
// What one TLS core's sessions may show their clients, by the mode that their rule names. The core's own
// OpenSSL objects, made from what the control thread has read. TLS core; the control thread makes some to
// see that they can be made.
#pragma once

#include <memory>

#include "classify/policy.h"
#include "dataplane/tls_setup.h"

namespace postern::dataplane {

class SessionCredentials {
 public:
  // The error says what OpenSSL refuses, and names the file to blame.
  static Result<SessionCredentials> make(const TlsCredentials& from);

  // nullptr: nothing decrypts in this mode.
  std::shared_ptr<tls::ServerCredentials> of(classify::DecryptionMode mode) const noexcept;

  const tls::MintedLeaves* leaves() const noexcept {
    return forward_ != nullptr ? &forward_->leaves() : nullptr;
  }

 private:
  std::shared_ptr<tls::InboundCredentials> inbound_;
  std::shared_ptr<tls::ForwardCredentials> forward_;
};

}  // namespace postern::dataplane
