// SPDX-License-Identifier: Apache-2.0
#include "base/decrypt_reason.h"

#include <array>

namespace postern {

std::string_view decrypt_reason_name(DecryptReason reason) noexcept {
  constexpr std::array<std::string_view, kDecryptReasons> kNames = {"",
                                                                    "no_engine",
                                                                    "full",
                                                                    "server_spoke_first",
                                                                    "adoption_failed",
                                                                    "no_certificate",
                                                                    "key_mismatch",
                                                                    "upstream_untrusted",
                                                                    "not_mirrored",
                                                                    "mutual_tls",
                                                                    "server_handshake",
                                                                    "client_handshake",
                                                                    "handshake_timeout",
                                                                    "peer_reset",
                                                                    "content_blocked",
                                                                    "application_denied",
                                                                    "no_verdict",
                                                                    "thread_stuck",
                                                                    "policy_changed",
                                                                    "shutdown",
                                                                    "excluded_host",
                                                                    "excluded_address",
                                                                    "cert_pinned_app",
                                                                    "finance",
                                                                    "health",
                                                                    "unsupported_version",
                                                                    "ech",
                                                                    "client_refused"};
  static_assert(!kNames.back().empty(), "one name per reason");
  return kNames[static_cast<size_t>(reason)];
}

}  // namespace postern
