// SPDX-License-Identifier: Apache-2.0
// A distinguished name as one line, in the order of the certificate and with the separators that Suricata's
// EVE log has: "C=DE, O=Example, CN=bmc7 + serialNumber=12". Unlike Suricata, values are escaped as RFC 4514
// says, so that a value cannot pretend to be another attribute; bytes that are no printable text become \HH.
// `openssl x509 -nameopt esc_2253,esc_ctrl,utf8,sep_comma_plus_space,sname` prints the same. Any thread.
#pragma once

#include "base/text.h"

namespace postern::tls {

// Cut at a whole character; empty for what is no name.
using NameText = FixedText<192>;

struct NameLine {
  bool well_formed = false;
  NameText text;
};

// `name`: the content of the outer SEQUENCE.
NameLine name_line(Bytes name) noexcept;

// "a.example" as it stands; what is not a printable character of a name, and commas, as \HH.
template <size_t N>
void append_dns_name(FixedText<N>& text, Bytes name) noexcept {
  for (const uint8_t c : name) {
    if (c > 0x20 && c < 0x7f && c != '\\' && c != ',') {
      text.append(static_cast<char>(c));
    } else {
      text.append_escape(c);
    }
  }
}

}  // namespace postern::tls
