// SPDX-License-Identifier: Apache-2.0
// What a TLS handshake showed, kept with its flow for signatures, decisions and logs. Trivially copyable,
// fixed size. Texts of a certificate come escaped from tls/certificate_facts.h; server_name and alpn are the
// peers' own bytes. Written by the worker that owns the flow.
#pragma once

#include <array>

#include "base/decrypt_reason.h"
#include "base/text.h"
#include "classify/tls_client_hello.h"
#include "classify/tls_server_flight.h"

namespace postern::classify {

struct TlsFacts {
  using Certificate = TlsServerFlight::Certificate;

  // What is known so far.
  bool client_hello = false;     // read in full
  bool server_hello = false;     // read; until then version and cipher_suite are 0
  bool server_complete = false;  // the server's clear part is over
  bool quic = false;

  // The client's offer.
  bool early_data = false;
  bool pre_shared_key = false;
  Ech ech = Ech::None;
  uint8_t ech_config_id = 0;
  uint16_t ech_payload_length = 0;
  uint16_t client_version = 0;  // highest that was offered
  FixedText<255> server_name;
  FixedText<64> alpn_offered;  // on the wire's form: length, name, length, name ...; cut at whole names

  // The server's answer.
  uint16_t version = 0;
  uint16_t cipher_suite = 0;
  FixedText<32> alpn_chosen;
  bool resumed = false;
  bool hello_retry = false;
  bool mutual_auth = false;
  bool alert = false;
  DecryptReason decrypt_reason{};  // why it is not decrypted although a rule says so
  uint8_t alert_level = 0, alert_description = 0;
  uint8_t certificate_fault = 0;  // tls::CertificateFault that a forward proxy has found, tolerated or not

  // Fingerprints; empty where there is none.
  FixedText<32> ja3, ja3s;  // hex of MD5
  FixedText<36> ja4;

  // The server's leaf.
  Certificate certificate = Certificate::Unknown;
  uint8_t chain_length = 0;
  bool certificate_read = false;  // the texts below are its own
  FixedText<192> subject, issuer;
  FixedText<62> serial;                 // "0A:1B"
  FixedText<20> not_before, not_after;  // "2026-01-31T00:00:00"
  FixedText<112> names;                 // DNS names of subjectAltName, a comma between them
  std::array<uint8_t, 20> sha1{};
  std::array<uint8_t, 32> sha256{};

  void note(const TlsClientHelloView& hello) noexcept;
  void note(const TlsServerFlight& flight) noexcept;
};

static_assert(sizeof(TlsFacts) <= 1200);

// "1.3", "1.2" ... "3.0" for SSL 3; empty for what has no name.
std::string_view tls_version_name(uint16_t version) noexcept;

}  // namespace postern::classify
