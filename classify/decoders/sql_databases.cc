// SPDX-License-Identifier: Apache-2.0
// PostgreSQL (protocol 3), MySQL and MariaDB (protocol 10), Microsoft SQL Server (MS-TDS), Oracle (TNS).
#include "classify/decoders/prefix_reader.h"
#include "classify/decoders/stream_decoders.h"

namespace postern::classify::decoders {
namespace {

using namespace std::string_view_literals;

// Pairs of names and values, until an empty name; a startup message must name the user.
void startup_parameters(PrefixReader& reader, uint32_t length) noexcept {
  bool user = false;
  while (reader.ok()) {
    const std::string_view name = reader.visible_until('\0', 63);
    if (name.empty()) break;
    const std::string_view value = reader.text_until('\0', 8192);
    user = user || (name == "user" && !value.empty());
    reader.require(reader.position() < length);
  }
  reader.require(user && reader.position() == length);
}

Fit postgres_client(Bytes stream) noexcept {
  constexpr uint32_t kLongestStartup = 10000, kStartup = 0x00030000, kNewest = 0x00030002;
  constexpr uint32_t kCancel = 80877102, kEncryptGssapi = 80877104;  // between them: encrypt by TLS
  PrefixReader reader(stream);
  const uint32_t length = reader.be32(8, kLongestStartup);
  const uint32_t code = reader.be32(kStartup, kEncryptGssapi);
  if (code >= kCancel) {
    reader.require(length == (code == kCancel ? 16U : 8U));
    return reader.fit();
  }
  reader.require(code <= kNewest && code != kStartup + 1 && length > 8);
  startup_parameters(reader, length);
  return reader.fit();
}

void postgres_authentication(PrefixReader& reader) noexcept {
  constexpr uint32_t kMd5 = 5, kSasl = 10;
  const uint32_t length = reader.be32(8, 256);
  const uint32_t method = reader.be32(0, kSasl);
  if (method == kSasl) {
    const std::string_view mechanism = reader.visible_until('\0', 32);
    reader.require(!mechanism.empty() && reader.position() <= length);
    return;
  }
  reader.require(method == 0 || method == 3 || method == kMd5 || method == 7 || method == 9);
  reader.require(length == (method == kMd5 ? 12U : 8U));
}

void postgres_error(PrefixReader& reader) noexcept {
  static constexpr std::string_view kSeverities[] = {"SFATAL\0"sv, "SERROR\0"sv, "SPANIC\0"sv};
  reader.be32(16, 4096);
  reader.choice(kSeverities);
}

// 'S' and 'N' answer the question for encryption: one byte, which nothing proves before the next message.
Fit postgres_server(Bytes stream) noexcept {
  PrefixReader reader(stream);
  uint8_t kind = reader.one_of("RESN");
  if (kind == 'S') {
    reader.literal("\x16\x03"sv);  // a TLS record of the handshake
    reader.u8(1, 4);
    reader.be16(42, 16384 + 256);
    reader.literal("\x02"sv);
    return reader.fit();
  }
  if (kind == 'N') kind = reader.one_of("RE");
  kind == 'R' ? postgres_authentication(reader) : postgres_error(reader);
  return reader.fit();
}

Fit mysql_server(Bytes stream) noexcept {
  PrefixReader reader(stream);
  const uint32_t length = reader.le24(4, 1024);
  reader.zeros(1);
  if (reader.one_of("\x0a\xff"sv) == 0xff) {  // refused: number and text
    reader.le16(1000, 1999);
    reader.visible(1);
    return reader.fit();
  }
  const std::string_view version = reader.visible_until('\0', 128);
  reader.require(!version.empty() && version[0] >= '0' && version[0] <= '9' &&
                 version.find('.') != version.npos);
  reader.skip(4 + 8);
  reader.zeros(1);
  reader.require(reader.position() + 2 <= length + 4);
  reader.skip(2 + 1 + 2 + 2);
  reader.u8(0, 64);
  reader.zeros(6);  // ten in MySQL; MariaDB has capabilities in the last four
  return reader.fit();
}

Fit mysql_client(Bytes stream) noexcept {
  constexpr uint32_t kProtocol41 = 0x200, kTls = 0x800, kTlsRequest = 32;
  PrefixReader reader(stream);
  const uint32_t length = reader.le24(kTlsRequest, 4096);
  reader.u8(1, 1);
  const uint32_t capabilities = reader.le32();
  reader.require((capabilities & kProtocol41) != 0);
  reader.require(length != kTlsRequest || (capabilities & kTls) != 0);
  reader.le32(0, 1 << 30);
  reader.u8(1);
  reader.zeros(19);  // 23 in MySQL
  reader.skip(4);
  if (length == kTlsRequest) return reader.fit();
  reader.text_until('\0', 128);
  reader.require(reader.position() <= length + 4);
  return reader.fit();
}

// Packet header of MS-TDS section 2.2.3.1 with one packet, for messages that begin a connection.
uint32_t tds_header(PrefixReader& reader) noexcept {
  reader.u8(1, 1);  // the last packet
  const uint32_t length = reader.be16(8 + 6, 4096);
  reader.zeros(2);
  reader.u8(0, 1);
  reader.zeros(1);
  return length;
}

// Options of a prelogin: VERSION first, each inside the packet.
void tds_options(PrefixReader& reader, uint32_t length) noexcept {
  constexpr uint32_t kEnd = 0xff, kOptions = 16;
  for (uint32_t i = 0; i < kOptions && reader.ok(); ++i) {
    const uint32_t token = reader.u8();
    if (token == kEnd && i > 0) return;
    reader.require(i == 0 ? token == 0 : token < kOptions);
    const uint32_t offset = reader.be16(6, 4096);
    const uint32_t size = reader.be16(0, 512);
    reader.require(8 + offset + size <= length && (i > 0 || size == 6));
  }
  reader.require(false);
}

Fit tns_connect(Bytes stream) noexcept {
  static constexpr std::string_view kOne[] = {"\0\x01"sv, "\x01\0"sv};  // in the client's order of bytes
  PrefixReader reader(stream);
  const uint32_t length = reader.be16(34, 8192);
  reader.zeros(2);
  reader.literal("\x01"sv);
  reader.skip(1);
  reader.zeros(2);
  const uint32_t version = reader.be16(300, 325);
  reader.be16(300, version);  // oldest one that is understood
  reader.skip(2);
  reader.be16(512);  // session and transport units
  reader.be16(512);
  reader.skip(4);
  reader.choice(kOne);
  const uint32_t data = reader.be16(1, 8192);
  const uint32_t offset = reader.be16(34, 128);
  // Long connect data come in a packet of their own.
  reader.require(offset + data == length || offset == length);
  return reader.fit();
}

Fit tns_answer(Bytes stream) noexcept {
  PrefixReader reader(stream);
  const uint32_t length = reader.be16(8, 8192);
  reader.zeros(2);
  const uint8_t kind = reader.one_of("\x02\x04\x05\x0b"sv);
  reader.skip(1);
  reader.zeros(2);
  if (kind == 0x0b) reader.require(length == 8);  // resend
  if (kind == 2) {                                // accept
    reader.be16(300, 325);
    reader.skip(2);
    reader.be16(512);
  }
  if (kind == 4) reader.skip(4);  // refuse: reasons, length
  if (kind == 5) reader.skip(2);  // redirect: length
  if (kind == 4 || kind == 5) reader.literal("(");
  return reader.fit();
}

}  // namespace

Fit postgres(const Evidence& evidence) noexcept {
  return evidence.direction == Direction::ToServer ? postgres_client(evidence.payload)
                                                   : postgres_server(evidence.payload);
}

Fit mysql(const Evidence& evidence) noexcept {
  return evidence.direction == Direction::ToServer ? mysql_client(evidence.payload)
                                                   : mysql_server(evidence.payload);
}

Fit tds(const Evidence& evidence) noexcept {
  constexpr uint8_t kLogin = 0x10;
  PrefixReader reader(evidence.payload);
  const bool to_server = evidence.direction == Direction::ToServer;
  const uint8_t kind = reader.one_of(to_server ? "\x12\x10"sv : "\x04"sv);
  const uint32_t length = tds_header(reader);
  if (kind == kLogin) {
    reader.le32(length - 8, length - 8);
    reader.le32(0x70000000, 0x74000004);
    return reader.fit();
  }
  tds_options(reader, length);
  return reader.fit();
}

Fit oracle_tns(const Evidence& evidence) noexcept {
  return evidence.direction == Direction::ToServer ? tns_connect(evidence.payload)
                                                   : tns_answer(evidence.payload);
}

}  // namespace postern::classify::decoders
