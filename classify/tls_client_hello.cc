// SPDX-License-Identifier: Apache-2.0
#include "classify/tls_client_hello.h"

#include <algorithm>

namespace postern::classify {
namespace {

constexpr uint8_t kAlert = 21, kHandshake = 22;
constexpr uint8_t kClientHello = 1, kServerHello = 2;
constexpr size_t kRecordHeader = 5, kHandshakeHeader = 4;
constexpr uint16_t kLongestRecord = 16384;  // RFC 8446 section 5.1, before encryption

enum Extension : uint16_t {
  kServerName = 0,
  kAlpn = 16,
  kEarlyData = 42,
  kSupportedVersions = 43,
  kEncryptedClientHello = 0xfe0d,
};

// Compares what is there with `low`..`high` byte by byte.
struct ByteRange {
  uint8_t low, high;
};
template <size_t N>
Fit match_ranges(Bytes stream, const std::array<ByteRange, N>& ranges) noexcept {
  for (size_t i = 0; i < N; ++i) {
    if (i == stream.size()) return Fit::More;
    if (stream[i] < ranges[i].low || stream[i] > ranges[i].high) return Fit::No;
  }
  return Fit::Yes;
}

// Versions 3.0 to 3.4; lengths 1 to 16384, whose high byte is at most 0x40.
constexpr std::array<ByteRange, 6> kHelloStart = {
    {{kHandshake, kHandshake}, {3, 3}, {0, 4}, {0, 0x40}, {0, 255}, {kClientHello, kClientHello}}};
constexpr std::array<ByteRange, 6> kAnswerStart = {
    {{kHandshake, kHandshake}, {3, 3}, {0, 4}, {0, 0x40}, {0, 255}, {kServerHello, kServerHello}}};
constexpr std::array<ByteRange, 7> kAlertStart = {
    {{kAlert, kAlert}, {3, 3}, {0, 4}, {0, 0}, {2, 2}, {1, 2}, {0, 255}}};

// A hello may be spread over records; its pieces are collected here unless one record holds it all.
struct Handshake {
  Fit fit = Fit::No;
  Bytes body;
};
using Storage = std::array<uint8_t, kHandshakeHeader + TlsClientHello::kLongest>;

Handshake collect(Bytes stream, Storage& storage) noexcept {
  size_t have = 0;
  size_t want = kHandshakeHeader;
  bool length_known = false;
  while (true) {
    if (stream.empty()) return {Fit::More, {}};
    if (stream[0] != kHandshake) return {Fit::No, {}};
    if (stream.size() < kRecordHeader) return {Fit::More, {}};
    const uint16_t length = load_be16(&stream[3]);
    if (stream[1] != 3 || stream[2] > 4 || length == 0 || length > kLongestRecord) return {Fit::No, {}};
    const Bytes piece =
        stream.subspan(kRecordHeader, std::min<size_t>(length, stream.size() - kRecordHeader));
    const size_t kept = std::min(piece.size(), storage.size() - have);
    std::copy_n(piece.begin(), kept, storage.begin() + static_cast<std::ptrdiff_t>(have));
    have += kept;
    if (!length_known && have >= kHandshakeHeader) {
      if (storage[0] != kClientHello) return {Fit::No, {}};
      want += uint32_t{storage[1]} << 16 | load_be16(&storage[2]);
      if (want > storage.size()) return {Fit::No, {}};
      length_known = true;
    }
    if (length_known && have >= want) {
      // A client waits for the answer after its hello: more in the same record is not TLS.
      if (have > want) return {Fit::No, {}};
      return {Fit::Yes, Bytes(storage).subspan(kHandshakeHeader, want - kHandshakeHeader)};
    }
    if (piece.size() < length) return {Fit::More, {}};
    stream = stream.subspan(kRecordHeader + length);
  }
}

class HelloReader {
 public:
  const TlsClientHello& hello() const noexcept { return hello_; }

  bool read(Bytes body) noexcept {
    ByteReader reader(body);
    hello_.legacy_version = reader.be16();
    reader.skip(32);  // random
    const uint8_t session_length = reader.u8();
    reader.skip(session_length);
    const uint16_t suites_length = reader.be16();
    reader.skip(suites_length);
    const uint8_t compressions = reader.u8();
    reader.skip(compressions);
    if (!reader.ok() || hello_.legacy_version >> 8 != 3 || session_length > 32) return false;
    if (suites_length < 2 || suites_length % 2 != 0 || compressions == 0) return false;
    if (reader.remaining() == 0) return true;  // extensions are optional before TLS 1.3
    const Bytes extensions = reader.bytes(reader.be16());
    return reader.ok() && reader.remaining() == 0 && read_extensions(extensions);
  }

 private:
  bool read_server_name(Bytes content) noexcept {
    ByteReader extension(content);
    ByteReader list(extension.bytes(extension.be16()));
    if (!extension.ok() || extension.remaining() != 0 || list.remaining() == 0) return false;
    while (list.remaining() > 0) {
      const uint8_t type = list.u8();
      const Bytes name = list.bytes(list.be16());
      if (!list.ok() || name.empty()) return false;
      if (type != 0) continue;
      if (hello_.server_name_length != 0 || name.size() > hello_.server_name_bytes.size()) return false;
      std::copy(name.begin(), name.end(), hello_.server_name_bytes.begin());
      hello_.server_name_length = static_cast<uint8_t>(name.size());
    }
    return true;
  }

  bool read_alpn(Bytes content) noexcept {
    ByteReader extension(content);
    ByteReader list(extension.bytes(extension.be16()));
    if (!extension.ok() || extension.remaining() != 0 || list.remaining() < 2) return false;
    while (list.remaining() > 0) {
      const Bytes name = list.bytes(list.u8());
      if (!list.ok() || name.empty()) return false;
      const size_t end = size_t{hello_.alpn_length} + 1 + name.size();
      if (end > hello_.alpn_list.size()) continue;
      hello_.alpn_list[hello_.alpn_length] = static_cast<uint8_t>(name.size());
      std::copy(name.begin(), name.end(), hello_.alpn_list.begin() + hello_.alpn_length + 1);
      hello_.alpn_length = static_cast<uint16_t>(end);
    }
    return true;
  }

  bool read_versions(Bytes content) noexcept {
    ByteReader extension(content);
    ByteReader list(extension.bytes(extension.u8()));
    if (!extension.ok() || extension.remaining() != 0 || list.remaining() < 2 || list.remaining() % 2 != 0)
      return false;
    while (list.remaining() > 0) {
      const uint16_t version = list.be16();
      if (hello_.version_count < hello_.versions.size()) hello_.versions[hello_.version_count++] = version;
    }
    return true;
  }

  bool read_extension(uint16_t type, Bytes content) noexcept {
    switch (type) {
      case kServerName:
        return read_server_name(content);
      case kAlpn:
        return read_alpn(content);
      case kSupportedVersions:
        return read_versions(content);
      case kEncryptedClientHello:
        hello_.encrypted_client_hello = true;
        return true;
      case kEarlyData:
        hello_.early_data = true;
        return true;
      default:
        return true;
    }
  }

  // A repeated extension is illegal, and two parsers could disagree on which one counts.
  bool read_extensions(Bytes content) noexcept {
    static constexpr uint16_t kRead[] = {kServerName, kAlpn, kEarlyData, kSupportedVersions,
                                         kEncryptedClientHello};
    bool seen[std::size(kRead)] = {};
    ByteReader reader(content);
    while (reader.remaining() > 0) {
      const uint16_t type = reader.be16();
      const Bytes body = reader.bytes(reader.be16());
      if (!reader.ok()) return false;
      const auto known = std::find(std::begin(kRead), std::end(kRead), type);
      if (known == std::end(kRead)) continue;
      bool& twice = seen[known - std::begin(kRead)];
      if (twice || !read_extension(type, body)) return false;
      twice = true;
    }
    return true;
  }

  TlsClientHello hello_;
};

bool is_grease(uint16_t value) noexcept { return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff); }

}  // namespace

std::optional<std::string_view> TlsClientHello::alpn(size_t i) const noexcept {
  size_t at = 0;
  for (; at < alpn_length && i > 0; --i) at += size_t{1} + alpn_list[at];
  if (at >= alpn_length) return std::nullopt;
  return as_text(Bytes(alpn_list).subspan(at + 1, alpn_list[at]));
}

uint16_t TlsClientHello::highest_version() const noexcept {
  if (version_count == 0) return legacy_version;
  uint16_t highest = 0;
  for (size_t i = 0; i < version_count; ++i)
    if (!is_grease(versions[i])) highest = std::max(highest, versions[i]);
  return highest;
}

Fit starts_tls_client_hello(Bytes stream) noexcept {
  const Fit fit = match_ranges(stream, kHelloStart);
  if (stream.size() >= kRecordHeader && fit != Fit::No) {
    const uint16_t length = load_be16(&stream[3]);
    if (length == 0 || length > kLongestRecord) return Fit::No;
  }
  return fit;
}

Fit starts_tls_answer(Bytes stream) noexcept {
  return std::max(match_ranges(stream, kAnswerStart), match_ranges(stream, kAlertStart));
}

TlsClientHello parse_tls_client_hello(Bytes stream) noexcept {
  Storage storage;
  const Handshake handshake = collect(stream, storage);
  TlsClientHello result;
  result.fit = handshake.fit == Fit::More ? Fit::More : Fit::No;
  if (handshake.fit != Fit::Yes) return result;
  HelloReader reader;
  if (!reader.read(handshake.body)) return result;
  result = reader.hello();
  result.fit = Fit::Yes;
  return result;
}

}  // namespace postern::classify
