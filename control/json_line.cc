// SPDX-License-Identifier: Apache-2.0
#include "control/json_line.h"

#include "base/bytes.h"

namespace postern::control {
namespace {

// U+0080 to U+009F, the controls of ISO 6429: U+009B alone starts an escape sequence on many terminals.
bool is_c1_control(std::string_view sequence) {
  return sequence.size() == 2 && sequence[0] == '\xc2' && static_cast<uint8_t>(sequence[1]) < 0xa0;
}

// Length of the well-formed UTF-8 sequence at the start (Unicode 15, table 3-7); 0 when there is none.
size_t utf8_length(Bytes bytes) {
  const uint8_t first = bytes[0];
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (bytes.size() < length) return 0;
  uint8_t low = 0x80, high = 0xbf;
  if (first == 0xe0) low = 0xa0;   // overlong
  if (first == 0xed) high = 0x9f;  // surrogates
  if (first == 0xf0) low = 0x90;   // overlong
  if (first == 0xf4) high = 0x8f;  // above U+10FFFF
  if (bytes[1] < low || bytes[1] > high) return 0;
  for (size_t i = 2; i < length; ++i)
    if ((bytes[i] & 0xc0) != 0x80) return 0;
  return length;
}

void append_control(std::string& out, uint8_t c) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += "\\u00";
  out += kHex[c >> 4];
  out += kHex[c & 15];
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  // DEL is legal in JSON but would reach terminals raw.
  if (static_cast<uint8_t>(c) >= 0x20 && c != 0x7f) {
    out += c;
    return;
  }
  append_control(out, static_cast<uint8_t>(c));
}

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const size_t length = utf8_length(as_bytes(text));
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (length == 1) {
      append_ascii(out, text[0]);
    } else if (is_c1_control(text.substr(0, length))) {
      append_control(out, static_cast<uint8_t>(text[1]));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
  return out;
}

}  // namespace postern::control
