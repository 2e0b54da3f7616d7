// SPDX-License-Identifier: Apache-2.0
#include "classify/tls_facts.h"

#include <algorithm>
#include <type_traits>

namespace postern::classify {

static_assert(std::is_trivially_copyable_v<TlsFacts>);

void TlsFacts::note(const TlsClientHelloView& hello) noexcept {
  client_hello = true;
  early_data = hello.early_data;
  pre_shared_key = hello.pre_shared_key;
  ech = hello.ech.kind;
  ech_config_id = hello.ech.config_id;
  ech_payload_length = hello.ech.payload_length;
  client_version = hello.highest_version();
  server_name = {};
  server_name.append(as_text(hello.server_name));
  alpn_offered = {};
  for_each_protocol(hello.alpn, [&](std::string_view name) {
    std::array<char, 256> entry;
    entry[0] = static_cast<char>(name.size());
    std::copy(name.begin(), name.end(), entry.begin() + 1);
    alpn_offered.append({entry.data(), name.size() + 1});
  });
}

void TlsFacts::note(const TlsServerFlight& flight) noexcept {
  server_hello = flight.hello;
  server_complete = flight.complete;
  version = flight.version;
  cipher_suite = flight.cipher_suite;
  alpn_chosen = {};
  alpn_chosen.append(as_text(flight.alpn));
  resumed = flight.resumed;
  hello_retry = flight.hello_retry;
  mutual_auth = flight.mutual_auth;
  alert = flight.alert;
  alert_level = flight.alert_level;
  alert_description = flight.alert_description;
  certificate = flight.certificate;
  chain_length = flight.chain_length;
}

std::string_view tls_version_name(uint16_t version) noexcept {
  switch (version) {
    case 0x0304:
      return "1.3";
    case 0x0303:
      return "1.2";
    case 0x0302:
      return "1.1";
    case 0x0301:
      return "1.0";
    case 0x0300:
      return "3.0";
    default:
      return "";
  }
}

}  // namespace postern::classify
