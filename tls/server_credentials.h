// SPDX-License-Identifier: Apache-2.0
// Who a session may be for its client. A session asks twice: with the client's hello, before the server hears
// anything, and when the server's handshake is over, before the client hears anything. Inbound inspection
// answers with an imported certificate (InboundCredentials); a forward proxy verifies the server's chain
// and answers with a minted one (ForwardCredentials). One object per TLS core, used by its thread alone.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/decrypt_reason.h"
#include "tls/certificate_fault.h"
#include "tls/upstream_sessions.h"

struct ssl_ctx_st;
struct ssl_st;

namespace postern::tls {

// What the client said, as the data path has read it.
struct SessionHello {
  std::string server_name;       // empty: none
  std::vector<uint8_t> alpn;     // offered, in the wire's form; empty: none
  uint16_t highest_version = 0;  // offered; 0x0304 is TLS 1.3
  IpAddress server;
  SessionScope scope{};  // sessions go on only within it
};

class ServerCredentials {
 public:
  virtual ~ServerCredentials() = default;

  // None: a session may begin.
  virtual DecryptReason admits(const SessionHello& hello) const noexcept = 0;

  // `server` has finished its handshake with us. The settings for the client's side, which live until the
  // next question; without them the reason why the client is shown nothing. The fault is what is wrong with
  // the server's certificates, even where that is tolerated.
  struct Shown {
    ssl_ctx_st* settings = nullptr;
    DecryptReason reason = DecryptReason::None;
    CertificateFault fault = CertificateFault::None;
    Bytes staple;  // of the server, for the client; empty: none, or it is about another certificate
  };
  virtual Shown shown_to_client(const SessionHello& hello, ssl_st* server) noexcept = 0;
};

}  // namespace postern::tls
