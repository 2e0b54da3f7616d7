// SPDX-License-Identifier: Apache-2.0
#include "classify/tls_text.h"

#include <algorithm>

namespace postern::classify {
namespace {

enum class Case : uint8_t { AsSent, Lower };

void append_escaped(TlsText& text, std::string_view value, Case letters) noexcept {
  for (const char c : value) {
    if (c < 0x20 || c > 0x7e || c == '\\') {
      text.append_escape(static_cast<uint8_t>(c));
    } else if (letters == Case::Lower && c >= 'A' && c <= 'Z') {
      text.append(static_cast<char>(c + ('a' - 'A')));
    } else {
      text.append(c);
    }
  }
}

void append_line(TlsText& text, std::string_view key, std::string_view value) noexcept {
  if (value.empty()) return;
  text.append(key);
  text.append('=');
  text.append(value);
  text.append('\n');
}

void append_peer_line(TlsText& text, std::string_view key, std::string_view value, Case letters) noexcept {
  if (value.empty()) return;
  text.append(key);
  text.append('=');
  append_escaped(text, value, letters);
  text.append('\n');
}

std::string_view ech_word(Ech kind) noexcept {
  switch (kind) {
    case Ech::None:
      return "";
    case Ech::Inner:
      return "inner";
    case Ech::Offer:
      return "offer";
    case Ech::Grease:
      return "grease";
    case Ech::Broken:
      return "broken";
  }
  return "";
}

void append_names(TlsText& text, std::string_view names) noexcept {
  while (!names.empty()) {
    const size_t end = std::min(names.find(','), names.size());
    append_line(text, "name", names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
}

}  // namespace

TlsText tls_text(const TlsFacts& facts) noexcept {
  TlsText text;
  append_peer_line(text, "sni", facts.server_name.view(), Case::Lower);
  for_each_protocol(as_bytes(facts.alpn_offered.view()),
                    [&](std::string_view name) { append_peer_line(text, "alpn", name, Case::AsSent); });
  append_peer_line(text, "selected", facts.alpn_chosen.view(), Case::AsSent);
  append_line(text, "version", tls_version_name(facts.server_hello ? facts.version : facts.client_version));
  if (facts.server_hello) {
    text.append("cipher=");
    text.append_hex(facts.cipher_suite);
    text.append('\n');
  }
  append_line(text, "ja3", facts.ja3.view());
  append_line(text, "ja3s", facts.ja3s.view());
  append_line(text, "ja4", facts.ja4.view());
  append_line(text, "ech", ech_word(facts.ech));
  append_line(text, "subject", facts.subject.view());
  append_line(text, "issuer", facts.issuer.view());
  append_line(text, "serial", facts.serial.view());
  append_names(text, facts.names.view());
  if (facts.mutual_auth) append_line(text, "mutual_auth", "yes");
  return text;
}

}  // namespace postern::classify
