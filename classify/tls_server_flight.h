// SPDX-License-Identifier: Apache-2.0
// What a TLS server answers in clear, read from the first bytes of its direction: ServerHello (RFC 8446
// section 4.1.3, RFC 5246 section 7.4.1.3), alerts, and before TLS 1.3 its certificates. Called again with a
// longer prefix until `complete`. Views point into the stream or the storage. Any thread.
#pragma once

#include "base/bytes.h"
#include "classify/fit.h"
#include "classify/tls_records.h"

namespace postern::classify {

struct TlsServerFlight {
  enum class Certificate : uint8_t {
    Unknown,    // has not been reached
    Clear,      // `leaf` is it
    Encrypted,  // TLS 1.3 shows none
    Absent,     // resumed, or a suite without certificates
  };

  Fit fit = Fit::No;      // Yes: a ServerHello or an alert was read; the rest is empty unless Yes
  bool complete = false;  // nothing more will be seen in clear
  bool hello = false;     // a ServerHello was read: what follows means something

  uint16_t legacy_version = 0;
  uint16_t version = 0;  // what is spoken from here on
  uint16_t cipher_suite = 0;
  Bytes extensions;          // all of them, for for_each_extension
  Bytes alpn;                // what was chosen, where it is clear: never in TLS 1.3
  bool hello_retry = false;  // a HelloRetryRequest came first, or came alone so far
  bool resumed = false;      // TLS 1.3: took the client's key; before: went on without certificate
  bool mutual_auth = false;  // CertificateRequest seen; TLS 1.3 hides it
  Certificate certificate = Certificate::Unknown;
  Bytes leaf;                // DER
  uint8_t chain_length = 0;  // certificates sent, as far as they fit into the storage
  bool alert = false;
  uint8_t alert_level = 0, alert_description = 0;
};

// No: no TLS server says this. More: neither hello nor alert has arrived in full.
TlsServerFlight parse_tls_server_flight(Bytes stream, TlsHandshakeStorage& storage) noexcept;

}  // namespace postern::classify
