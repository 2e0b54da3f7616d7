// SPDX-License-Identifier: Apache-2.0
// What all sessions have in common: TLS 1.2 and 1.3, no renegotiation, no early data, no compression. Tickets
// for clients are sealed with keys that OpenSSL makes for these settings alone and that never leave memory.
// The caller owns what is returned; nullptr: no memory.
#pragma once

#include <memory>

struct ssl_ctx_st;

namespace postern::tls {

struct FreeSettings {
  void operator()(ssl_ctx_st* settings) const noexcept;
};
using OwnedSettings = std::unique_ptr<ssl_ctx_st, FreeSettings>;

OwnedSettings new_server_settings() noexcept;  // of the side that speaks to clients, without a certificate
OwnedSettings new_client_settings() noexcept;  // of the side that speaks to servers

}  // namespace postern::tls
