// SPDX-License-Identifier: Apache-2.0
// Protocols that begin with a line of text: requests to HTTP proxies (RFC 9112 section 3.2) and HTTP/2 in the
// clear (RFC 9113 section 3.4), RTSP, IRC, XMPP (RFC 6120), rsync's daemon, git's daemon.
#include "classify/decoders/prefix_reader.h"
#include "classify/decoders/stream_decoders.h"

namespace postern::classify::decoders {
namespace {

using namespace std::string_view_literals;

constexpr size_t kLongestTarget = 4096;

// "host:port", an IPv6 address in brackets included.
bool is_authority(std::string_view target) noexcept {
  const size_t colon = target.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view port = target.substr(colon + 1);
  if (port.empty() || port.size() > 5) return false;
  for (const char c : port)
    if (c < '0' || c > '9') return false;
  return true;
}

void http1_line_end(PrefixReader& reader) noexcept {
  reader.literal("HTTP/1.");
  reader.u8('0', '9');
  const std::string_view rest = reader.line(0);
  reader.require(rest.empty());
}

Fit http2_settings(Bytes stream) noexcept {
  PrefixReader reader(stream);
  const uint32_t length = reader.be24(0, 16 * 6);
  reader.require(length % 6 == 0);
  reader.literal("\x04\0"sv);  // SETTINGS, and no acknowledgement
  reader.zeros(4);             // of the connection
  if (length > 0) {
    reader.be16(1, 16);
    reader.be32();
  }
  return reader.fit();
}

Fit irc_client(Bytes stream) noexcept {
  static constexpr std::string_view kWords[] = {"NICK", "CAP", "PASS", "USER", "AUTHENTICATE", "PROTOCTL"};
  enum : size_t { kNick, kCap, kPass, kUser };
  PrefixReader reader(stream);
  for (size_t lines = 0; lines < 8; ++lines) {
    const size_t word = reader.word(kWords);
    const std::string_view rest = reader.line(510);
    if (!reader.ok()) return reader.fit();
    if (rest.size() < 2 || rest[0] != ' ') return Fit::No;
    const std::string_view argument = rest.substr(1);
    if (word == kNick) return argument.find(' ') == std::string_view::npos ? Fit::Yes : Fit::No;
    if (word == kCap && (argument.starts_with("LS") || argument.starts_with("REQ ") || argument == "END"))
      return Fit::Yes;
    if (word == kUser) {  // user mode unused :real name; FTP's and POP3's USER has a name alone
      return argument.find(" :") != std::string_view::npos ? Fit::Yes : Fit::No;
    }
    if (word != kPass) return Fit::No;  // other protocols have PASS too: the next line tells
  }
  return Fit::No;
}

Fit irc_server(Bytes stream) noexcept {
  static constexpr std::string_view kStarts[] = {":", "NOTICE AUTH :", "NOTICE * :", "PING :", "ERROR :"};
  static constexpr std::string_view kCommands[] = {"NOTICE AUTH :", "NOTICE * :", "CAP * ",
                                                   "001 ",          "433 ",       "451 "};
  PrefixReader reader(stream);
  if (reader.choice(kStarts) == 0) {
    reader.visible_until(' ', 64);
    reader.choice(kCommands);
  }
  reader.line(510);
  return reader.fit();
}

// "0032": the length of a line, itself included (git's protocol-common).
uint32_t packet_line_length(PrefixReader& reader) noexcept {
  uint32_t length = 0;
  for (size_t i = 0; i < 4; ++i) {
    const uint8_t digit = reader.one_of("0123456789abcdef");
    length = length << 4 | (digit <= '9' ? digit - '0' : digit - 'a' + 10U);
  }
  return length;
}

Fit git_request(Bytes stream) noexcept {
  static constexpr std::string_view kServices[] = {"git-upload-pack ", "git-receive-pack ",
                                                   "git-upload-archive "};
  PrefixReader reader(stream);
  const uint32_t length = packet_line_length(reader);
  reader.choice(kServices);
  reader.require(reader.position() < length);
  reader.one_of("/~");
  reader.text_until('\0', 4096);
  const size_t end = reader.position();
  reader.require(end <= length);
  if (end < length) reader.literal(length - end > 5 ? "host="sv : "\0"sv);
  return reader.fit();
}

// An advertisement of a ref, or the version of the protocol.
Fit git_answer(Bytes stream) noexcept {
  static constexpr std::string_view kRefs[] = {"HEAD", "refs/", "capabilities^{}"};
  static constexpr std::string_view kVersions[] = {"version 1\n", "version 2\n"};
  PrefixReader reader(stream);
  const uint32_t length = packet_line_length(reader);
  if (reader.peek() == 'v') {
    reader.require(length == 14);
    reader.choice(kVersions);
    return reader.fit();
  }
  if (reader.peek() == 'E') {
    reader.require(length > 8);
    reader.literal("ERR ");
    reader.visible(1);
    return reader.fit();
  }
  for (size_t i = 0; i < 40; ++i) reader.one_of("0123456789abcdef");
  if (reader.ok() && reader.peek() != ' ')
    for (size_t i = 0; i < 24; ++i) reader.one_of("0123456789abcdef");  // SHA-256
  reader.literal(" ");
  reader.choice(kRefs);
  reader.require(reader.position() <= length);
  return reader.fit();
}

}  // namespace

Fit http_connect(const Evidence& evidence) noexcept {
  if (evidence.direction == Direction::ToClient) return Fit::No;
  PrefixReader reader(evidence.payload);
  reader.literal("CONNECT ");
  const std::string_view target = reader.visible_until(' ', 512);
  reader.require(is_authority(target));
  http1_line_end(reader);
  return reader.fit();
}

Fit http_proxy(const Evidence& evidence) noexcept {
  static constexpr std::string_view kMethods[] = {"GET ",    "POST ",    "HEAD ",  "PUT ",
                                                  "DELETE ", "OPTIONS ", "PATCH ", "TRACE "};
  static constexpr std::string_view kSchemes[] = {"http://", "https://", "ftp://"};
  if (evidence.direction == Direction::ToClient) return Fit::No;
  PrefixReader reader(evidence.payload);
  reader.choice(kMethods);
  reader.choice(kSchemes);
  const std::string_view rest = reader.visible_until(' ', kLongestTarget);
  reader.require(!rest.empty() && rest[0] != '/');
  http1_line_end(reader);
  return reader.fit();
}

Fit http2_clear(const Evidence& evidence) noexcept {
  if (evidence.direction == Direction::ToClient) return http2_settings(evidence.payload);
  PrefixReader reader(evidence.payload);
  reader.literal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  return reader.fit();
}

Fit rtsp(const Evidence& evidence) noexcept {
  static constexpr std::string_view kMethods[] = {
      "OPTIONS ", "DESCRIBE ",      "ANNOUNCE ",      "SETUP ",    "PLAY ",
      "RECORD ",  "GET_PARAMETER ", "SET_PARAMETER ", "TEARDOWN ", "PAUSE "};
  static constexpr std::string_view kSchemes[] = {"rtsp://", "rtsps://", "rtspu://", "* "};
  static constexpr std::string_view kVersions[] = {"RTSP/1.0", "RTSP/2.0"};
  PrefixReader reader(evidence.payload);
  if (evidence.direction == Direction::ToClient) {
    reader.choice(kVersions);
    reader.literal(" ");
    reader.u8('1', '5');
    reader.u8('0', '9');
    reader.u8('0', '9');
    return reader.fit();
  }
  reader.choice(kMethods);
  if (reader.choice(kSchemes) < 3) reader.visible_until(' ', kLongestTarget);
  reader.choice(kVersions);
  const std::string_view rest = reader.line(0);
  reader.require(rest.empty());
  return reader.fit();
}

Fit irc(const Evidence& evidence) noexcept {
  return evidence.direction == Direction::ToServer ? irc_client(evidence.payload)
                                                   : irc_server(evidence.payload);
}

Fit xmpp(const Evidence& evidence) noexcept {
  static constexpr std::string_view kStarts[] = {"<?xml ", "<stream:stream "};
  constexpr std::string_view kNamespace = "http://etherx.jabber.org/streams";
  PrefixReader reader(evidence.payload);
  if (reader.choice(kStarts) == 0) {
    const std::string_view declaration = reader.text_until('>', 128);
    reader.require(declaration.ends_with('?'));
    while (reader.peek() == '\n' || reader.peek() == '\r' || reader.peek() == ' ') reader.skip(1);
    reader.literal("<stream:stream ");
  }
  const std::string_view attributes = reader.text_until('>', 2048);
  reader.require(attributes.find(kNamespace) != std::string_view::npos);
  return reader.fit();
}

// "@RSYNCD: 31.0" and perhaps names of digests, from both sides.
Fit rsync(const Evidence& evidence) noexcept {
  PrefixReader reader(evidence.payload);
  reader.literal("@RSYNCD: ");
  reader.digits(2);
  if (reader.peek() == '.') {
    reader.skip(1);
    reader.digits(2);
  }
  reader.line(512);
  return reader.fit();
}

Fit git(const Evidence& evidence) noexcept {
  return evidence.direction == Direction::ToServer ? git_request(evidence.payload)
                                                   : git_answer(evidence.payload);
}

}  // namespace postern::classify::decoders
