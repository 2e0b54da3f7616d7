// SPDX-License-Identifier: Apache-2.0
#include "dataplane/session_credentials.h"

#include <utility>

namespace postern::dataplane {

Result<SessionCredentials> SessionCredentials::make(const TlsCredentials& from) {
  SessionCredentials credentials;
  if (from.inbound != nullptr && !from.inbound->empty()) {
    auto inbound = tls::InboundCredentials::make(from.inbound);
    if (!inbound) return inbound.error();
    credentials.inbound_ = std::move(*inbound);
  }
  if (from.forward) {
    auto forward = tls::ForwardCredentials::make(*from.forward);
    if (!forward) return forward.error();
    credentials.forward_ = std::move(*forward);
  }
  return credentials;
}

std::shared_ptr<tls::ServerCredentials> SessionCredentials::of(classify::DecryptionMode mode) const noexcept {
  switch (mode) {
    case classify::DecryptionMode::None:
      return nullptr;
    case classify::DecryptionMode::SslInboundInspection:
      return inbound_;
    case classify::DecryptionMode::SslForwardProxy:
      return forward_;
  }
  return nullptr;
}

}  // namespace postern::dataplane
