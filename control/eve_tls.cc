// SPDX-License-Identifier: Apache-2.0
#include "control/eve_tls.h"

#include <algorithm>

#include "control/tls_words.h"

namespace postern::control {
namespace {

using classify::TlsFacts;

void peer_text(JsonLine& json, std::string_view key, std::string_view text) {
  if (!text.empty()) json.escaped(key, text);
}

// The number as 0x1301 where it has no word.
void word_or_hex(JsonLine& json, std::string_view key, std::string_view word, uint16_t number) {
  FixedText<6> hex;
  hex.append("0x");
  hex.append_hex(number);
  json.word(key, word.empty() ? hex.view() : word);
}

// Of a hash: "4a:a3:66"; all zeros are no hash.
template <size_t N>
void fingerprint(JsonLine& json, std::string_view key, const std::array<uint8_t, N>& hash) {
  if (hash == std::array<uint8_t, N>{}) return;
  FixedText<3 * N> text;
  for (const uint8_t byte : hash) {
    if (!text.empty()) text.append(':');
    text.append_hex(byte);
  }
  json.word(key, text.view());
}

void hash_object(JsonLine& json, std::string_view key, std::string_view hash) {
  if (hash.empty()) return;
  json.open_object(key);
  json.escaped("hash", hash);
  json.close_object();
}

void certificate(JsonLine& json, const TlsFacts& facts) {
  peer_text(json, "subject", facts.subject.view());
  peer_text(json, "issuerdn", facts.issuer.view());
  peer_text(json, "serial", facts.serial.view());
  fingerprint(json, "fingerprint", facts.sha1);
  fingerprint(json, "fingerprint_sha256", facts.sha256);
  peer_text(json, "notbefore", facts.not_before.view());
  peer_text(json, "notafter", facts.not_after.view());
  std::string_view names = facts.names.view();
  if (names.empty()) return;
  json.open_array("subjectaltname");
  while (!names.empty()) {
    const size_t end = std::min(names.find(','), names.size());
    if (end > 0) json.escaped(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  json.close_array();
}

void protocols(JsonLine& json, const TlsFacts& facts) {
  if (!facts.alpn_offered.empty()) {
    json.open_array("client_alpns");
    classify::for_each_protocol(as_bytes(facts.alpn_offered.view()),
                                [&](std::string_view name) { json.escaped(name); });
    json.close_array();
  }
  if (facts.alpn_chosen.empty()) return;
  json.open_array("server_alpns");
  json.escaped(facts.alpn_chosen.view());
  json.close_array();
}

void alert(JsonLine& json, const TlsFacts& facts) {
  json.open_object("alert");
  json.number("level", facts.alert_level);
  json.number("code", facts.alert_description);
  if (const auto word = tls_alert_word(facts.alert_description); !word.empty())
    json.word("description", word);
  json.close_object();
}

}  // namespace

void write_tls(JsonLine& json, const TlsFacts& facts) {
  json.open_object("tls");
  certificate(json, facts);
  peer_text(json, "sni", facts.server_name.view());
  if (facts.server_hello) {
    word_or_hex(json, "version", tls_version_word(facts.version), facts.version);
    word_or_hex(json, "cipher", tls_cipher_word(facts.cipher_suite), facts.cipher_suite);
  }
  protocols(json, facts);
  hash_object(json, "ja3", facts.ja3.view());
  hash_object(json, "ja3s", facts.ja3s.view());
  peer_text(json, "ja4", facts.ja4.view());  // two characters of it are of the client's ALPN
  if (const auto word = ech_word(facts.ech); !word.empty()) json.word("ech", word);
  if (facts.resumed) json.yes("session_resumed");
  if (facts.hello_retry) json.yes("hello_retry");
  if (facts.mutual_auth) json.yes("mutual_auth");
  if (facts.quic) json.yes("quic");
  if (facts.alert) alert(json, facts);
  json.close_object();
}

}  // namespace postern::control
