// SPDX-License-Identifier: Apache-2.0
// Screens and terminals from afar, and the proxies on the way: RFB (RFC 6143), RDP (MS-RDPBCGR
// section 2.2.1), telnet (RFC 854), X11, SOCKS 4 and 5 (RFC 1928).
#include <array>

#include "classify/decoders/prefix_reader.h"
#include "classify/decoders/stream_decoders.h"

namespace postern::classify::decoders {
namespace {

using namespace std::string_view_literals;

constexpr uint8_t kIac = 0xff, kSubnegotiation = 0xfa, kSubnegotiationEnd = 0xf0;

// Options that IANA lists, and the three of the PRAGMA family.
bool is_telnet_option(uint8_t option) noexcept { return option <= 49 || (option >= 138 && option <= 140); }

// Reads IAC SB option ... IAC SE, from after SB.
void subnegotiation(PrefixReader& reader) noexcept {
  constexpr size_t kLongest = 512;
  const uint32_t option = reader.u8();
  reader.require(is_telnet_option(static_cast<uint8_t>(option)));
  for (size_t n = 0; reader.ok(); ++n) {
    reader.require(n < kLongest);
    if (reader.u8() != kIac) continue;
    const uint32_t next = reader.u8();  // IAC IAC is a byte of the value
    reader.require(next == kIac || next == kSubnegotiationEnd);
    if (next == kSubnegotiationEnd) return;
  }
}

// One command after its IAC.
void telnet_command(PrefixReader& reader) noexcept {
  constexpr uint32_t kWill = 0xfb, kDont = 0xfe;
  const uint32_t command = reader.u8(kSubnegotiation, kDont);
  if (command == kSubnegotiation) return subnegotiation(reader);
  reader.require(command >= kWill);
  const uint32_t option = reader.u8();
  reader.require(is_telnet_option(static_cast<uint8_t>(option)));
}

Fit rdp_request(Bytes stream) noexcept {
  static constexpr std::string_view kCookies[] = {"Cookie: mstshash=", "Cookie: msts=", "tsv://"};
  PrefixReader reader(stream);
  reader.literal("\x03\0"sv);
  const uint32_t length = reader.be16(11 + 8, 259);  // shorter ones may be of any user of X.224
  const uint32_t indicator = reader.u8();
  reader.require(indicator == length - 5);
  reader.literal("\xe0\0\0"sv);
  reader.skip(2);
  reader.zeros(1);
  if (reader.peek() == 1) {
    reader.skip(1);
    reader.require((reader.u8() & ~0x0bU) == 0);
    reader.literal("\x08\0"sv);
    reader.le32(0, 0x1f);
  } else {
    reader.choice(kCookies);
    reader.line(512);
  }
  reader.require(reader.position() <= length);
  return reader.fit();
}

Fit rdp_confirm(Bytes stream) noexcept {
  PrefixReader reader(stream);
  reader.literal("\x03\0\0\x13\x0e\xd0"sv);
  reader.skip(4);
  reader.zeros(1);
  const uint8_t kind = reader.one_of("\x02\x03"sv);
  reader.u8(0, 0x1f);
  reader.literal("\x08\0"sv);
  reader.le32(0, kind == 3 ? 6 : 0x1f);
  return reader.fit();
}

}  // namespace

// The same twelve bytes from both sides.
Fit vnc(const Evidence& evidence) noexcept {
  static constexpr std::string_view kMajor[] = {"RFB 003.", "RFB 004.", "RFB 005."};
  PrefixReader reader(evidence.payload);
  reader.choice(kMajor);
  for (size_t i = 0; i < 3; ++i) reader.one_of("0123456789");
  reader.literal("\n");
  return reader.fit();
}

Fit rdp(const Evidence& evidence) noexcept {
  return evidence.direction == Direction::ToServer ? rdp_request(evidence.payload)
                                                   : rdp_confirm(evidence.payload);
}

// Two commands, or one and some text: three bytes alone begin other things too (MPEG audio, UTF-16).
Fit telnet(const Evidence& evidence) noexcept {
  PrefixReader reader(evidence.payload);
  reader.u8(kIac, kIac);
  telnet_command(reader);
  if (reader.peek() == kIac) {
    reader.skip(1);
    telnet_command(reader);
    return reader.fit();
  }
  for (size_t i = 0; i < 4; ++i) {
    const uint32_t c = reader.u8();
    reader.require((c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n' || c == '\a' || c == 0x1b);
  }
  return reader.fit();
}

Fit x11(const Evidence& evidence) noexcept {
  PrefixReader reader(evidence.payload);
  if (evidence.direction == Direction::ToClient) {  // accepted: the order of bytes is the client's
    static constexpr std::string_view kVersions[] = {"\x0b\0\0\0"sv, "\0\x0b\0\0"sv};
    reader.u8(1, 1);
    reader.zeros(1);
    const bool little = reader.choice(kVersions) == 0;
    little ? reader.le16(8, 0x4000) : reader.be16(8, 0x4000);
    return reader.fit();
  }
  const bool little = reader.one_of("Bl") == 'l';
  reader.skip(1);
  reader.literal(little ? "\x0b\0\0\0"sv : "\0\x0b\0\0"sv);
  const uint32_t name = little ? reader.le16(0, 64) : reader.be16(0, 64);
  const uint32_t data = little ? reader.le16(0, 1024) : reader.be16(0, 1024);
  reader.require(name != 0 || data == 0);
  reader.skip(2);
  reader.visible(name);
  return reader.fit();
}

Fit socks4(const Evidence& evidence) noexcept {
  PrefixReader reader(evidence.payload);
  if (evidence.direction == Direction::ToClient) {
    reader.zeros(1);
    reader.u8(90, 93);
    reader.skip(6);
    return reader.fit();
  }
  reader.u8(4, 4);
  reader.u8(1, 2);
  reader.be16(1);
  const uint32_t address = reader.be32(1);
  reader.text_until('\0', 255);
  if (address < 256) {  // SOCKS 4a: the server resolves the name that follows
    const std::string_view host = reader.visible_until('\0', 255);
    reader.require(!host.empty());
  }
  return reader.fit();
}

Fit socks5(const Evidence& evidence) noexcept {
  constexpr uint8_t kMethods = 10;  // 0 to 9 are assigned
  PrefixReader reader(evidence.payload);
  reader.u8(5, 5);
  if (evidence.direction == Direction::ToClient) {
    const uint32_t method = reader.u8();
    reader.require(method < kMethods || method == 0xff);
    return reader.fit();
  }
  const uint32_t count = reader.u8(1, kMethods);
  uint32_t seen = 0;
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    const uint32_t method = reader.u8(0, kMethods - 1);
    reader.require((seen >> method & 1) == 0);
    seen |= 1U << method;
  }
  return reader.fit();
}

}  // namespace postern::classify::decoders
