// SPDX-License-Identifier: Apache-2.0
// Why a TLS flow that a rule wants decrypted is not, or is no longer. Each has a counter, this name in logs
// and CLI, and a test that reaches it. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern {

enum class DecryptReason : uint8_t {
  None,               // decrypted, or no rule asked for it
  NoEngine,           // nothing here decrypts in the mode the rule names
  Full,               // no room for another session
  ServerSpokeFirst,   // bytes of the server came before the client's hello
  AdoptionFailed,     // the kernel could not continue the connection
  NoCertificate,      // no imported certificate is for this server
  KeyMismatch,        // the server shows another key than the imported one
  UpstreamUntrusted,  // the server's certificates have a fault that the site blocks
  NotMirrored,        // the server's certificate can not be said again for the client
  MutualTls,          // the server asks for the client's certificate
  ServerHandshake,    // failed with the server
  ClientHandshake,    // failed with the client
  HandshakeTimeout,   // not finished in time
  PeerReset,          // one peer broke the session off, the other was told in the same way
  ContentBlocked,     // the clear bytes must not pass
  ApplicationDenied,  // what runs inside is not allowed
  NoVerdict,          // the worker did not say in time whether it is
  ThreadStuck,        // its TLS thread does not come round any more
  PolicyChanged,      // another policy drops the flow
  Shutdown,           // posternd ends
  ExcludedHost,       // the site leaves this name end to end
  ExcludedAddress,    // the site leaves this server end to end
  CertPinnedApp,      // a category of the site that the rule excludes, as the next two
  Finance,
  Health,
  UnsupportedVersion,  // the client speaks nothing newer than TLS 1.1
  Ech,                 // the hello may hide another one, and the site does not decrypt such
  ClientRefused,       // the client does not accept the certificate that it was shown
  Count,
};
inline constexpr size_t kDecryptReasons = static_cast<size_t>(DecryptReason::Count);

std::string_view decrypt_reason_name(DecryptReason reason) noexcept;  // empty for None

}  // namespace postern
