// SPDX-License-Identifier: Apache-2.0
#include "classify/tls_client_hello.h"

#include <algorithm>

#include "classify/tls_numbers.h"

namespace postern::classify {
namespace {

using namespace tls_number;

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

// Numbers of two bytes behind a length of one or two; empty when broken.
Bytes numbers_of(ByteReader extension, size_t length) noexcept {
  const Bytes list = extension.bytes(length);
  const bool whole = extension.ok() && extension.remaining() == 0 && list.size() % 2 == 0;
  return whole ? list : Bytes{};
}
Bytes numbers_of(Bytes content) noexcept {
  ByteReader extension(content);
  const size_t length = extension.be16();
  return numbers_of(extension, length);
}

class HelloReader {
 public:
  const TlsClientHelloView& view() const noexcept { return view_; }

  bool read(Bytes body) noexcept {
    ByteReader reader(body);
    view_.legacy_version = reader.be16();
    view_.random = reader.bytes(32);
    view_.session_id = reader.bytes(reader.u8());
    view_.cipher_suites = reader.bytes(reader.be16());
    const Bytes compressions = reader.bytes(reader.u8());
    // A version above 3.4 is a client of the future, with whom a server speaks the highest it knows.
    if (!reader.ok() || view_.legacy_version < 0x0300 || view_.session_id.size() > 32) return false;
    if (view_.cipher_suites.size() < 2 || view_.cipher_suites.size() % 2 != 0 || compressions.empty())
      return false;
    if (reader.remaining() == 0) return true;  // extensions are optional before TLS 1.3
    view_.extensions = reader.bytes(reader.be16());
    return reader.ok() && reader.remaining() == 0 && read_extensions();
  }

 private:
  bool read_server_name(Bytes content) noexcept {
    view_.has_server_name = true;
    ByteReader extension(content);
    ByteReader list(extension.bytes(extension.be16()));
    if (!extension.ok() || extension.remaining() != 0 || list.remaining() == 0) return false;
    while (list.remaining() > 0) {
      const uint8_t type = list.u8();
      const Bytes name = list.bytes(list.be16());
      if (!list.ok() || name.empty()) return false;
      if (type != 0) continue;
      if (!view_.server_name.empty() || name.size() > 255) return false;
      view_.server_name = name;
    }
    return true;
  }

  bool read_alpn(Bytes content) noexcept {
    ByteReader extension(content);
    view_.alpn = extension.bytes(extension.be16());
    if (!extension.ok() || extension.remaining() != 0 || view_.alpn.size() < 2) return false;
    ByteReader list(view_.alpn);
    while (list.remaining() > 0)
      if (list.bytes(list.u8()).empty()) return false;
    return list.ok();
  }

  bool read_versions(Bytes content) noexcept {
    ByteReader extension(content);
    const size_t length = extension.u8();
    view_.versions = numbers_of(extension, length);
    return !view_.versions.empty();
  }

  void read_point_formats(Bytes content) noexcept {
    ByteReader extension(content);
    const Bytes list = extension.bytes(extension.u8());
    if (extension.ok() && extension.remaining() == 0) view_.point_formats = list;
  }

  // RFC 9849 section 5. AEAD tags take 16 bytes of the payload; the rest is an encoded inner hello of at
  // least a version, a random, four empty or shortest lists and its own encrypted_client_hello.
  static EchOffer read_ech(Bytes content) noexcept {
    constexpr size_t kShortestInner = 2 + 32 + 1 + 4 + 2 + 2 + 5, kTag = 16;
    ByteReader reader(content);
    EchOffer offer;
    if (const uint8_t type = reader.u8(); reader.ok() && type == 1) {
      offer.kind = reader.remaining() == 0 ? Ech::Inner : Ech::Broken;
      return offer;
    } else if (!reader.ok() || type != 0) {
      offer.kind = Ech::Broken;
      return offer;
    }
    offer.kdf = reader.be16();
    offer.aead = reader.be16();
    offer.config_id = reader.u8();
    const Bytes key = reader.bytes(reader.be16());
    const Bytes payload = reader.bytes(reader.be16());
    if (!reader.ok() || reader.remaining() != 0 || payload.empty()) {
      offer.kind = Ech::Broken;
      return offer;
    }
    offer.key_length = static_cast<uint16_t>(key.size());
    offer.payload_length = static_cast<uint16_t>(payload.size());
    const bool possible = hpke_suite_exists(offer) && payload.size() >= kShortestInner + kTag;
    offer.kind = possible ? Ech::Offer : Ech::Grease;
    return offer;
  }

  // RFC 9180 section 7, with the hybrid KEMs; no key at all after a HelloRetryRequest.
  static bool hpke_suite_exists(const EchOffer& offer) noexcept {
    static constexpr uint16_t kKeyLengths[] = {0, 32, 56, 65, 97, 133, 1088, 1120, 1153, 1568, 1665};
    if (offer.kdf < 1 || offer.kdf > 3 || offer.aead < 1 || offer.aead > 3) return false;
    return std::find(std::begin(kKeyLengths), std::end(kKeyLengths), offer.key_length) !=
           std::end(kKeyLengths);
  }

  bool read_extension(uint16_t type, Bytes content) noexcept {
    switch (type) {
      case kServerName:
        return read_server_name(content);
      case kAlpn:
        return read_alpn(content);
      case kSupportedVersions:
        return read_versions(content);
      case kSupportedGroups:
        view_.groups = numbers_of(content);
        return true;
      case kPointFormats:
        read_point_formats(content);
        return true;
      case kSignatureAlgorithms:
        view_.signature_algorithms = numbers_of(content);
        return true;
      case kEncryptedClientHello:
        view_.ech = read_ech(content);
        return true;
      case kEarlyData:
        view_.early_data = true;
        return true;
      default:
        view_.pre_shared_key = true;
        return true;
    }
  }

  // A repeated extension is illegal, and two parsers could disagree on which one counts.
  bool read_extensions() noexcept {
    static constexpr uint16_t kRead[] = {
        kServerName,      kAlpn,         kEarlyData,           kSupportedVersions, kEncryptedClientHello,
        kSupportedGroups, kPointFormats, kSignatureAlgorithms, kPreSharedKey};
    bool seen[std::size(kRead)] = {};
    bool good = true;
    const bool whole = for_each_extension(view_.extensions, [&](uint16_t type, Bytes content) {
      const auto known = std::find(std::begin(kRead), std::end(kRead), type);
      if (!good || known == std::end(kRead)) return;
      bool& twice = seen[known - std::begin(kRead)];
      good = !twice && read_extension(type, content);
      twice = true;
    });
    return whole && good;
  }

  TlsClientHelloView view_;
};

}  // namespace

uint16_t TlsClientHelloView::highest_version() const noexcept {
  if (versions.empty()) return legacy_version;
  uint16_t highest = 0;
  for_each_number(versions, [&](uint16_t version) {
    if (!is_grease(version)) highest = std::max(highest, version);
  });
  return highest;
}

std::optional<std::string_view> TlsClientHello::alpn(size_t i) const noexcept {
  size_t at = 0;
  for (; at < alpn_length && i > 0; --i) at += size_t{1} + alpn_list[at];
  if (at >= alpn_length) return std::nullopt;
  return as_text(Bytes(alpn_list).subspan(at + 1, alpn_list[at]));
}

uint16_t TlsClientHello::highest_version() const noexcept { return highest; }

Fit starts_tls_client_hello(Bytes stream) noexcept {
  const Fit fit = match_ranges(stream, kHelloStart);
  if (stream.size() >= kTlsRecordHeader && fit != Fit::No) {
    const uint16_t length = load_be16(&stream[3]);
    if (length == 0 || length > kLongestTlsRecord) return Fit::No;
  }
  return fit;
}

Fit starts_tls_answer(Bytes stream) noexcept {
  return std::max(match_ranges(stream, kAnswerStart), match_ranges(stream, kAlertStart));
}

TlsHelloBody find_tls_client_hello(Bytes stream, TlsHandshakeStorage& storage) noexcept {
  if (!stream.empty() && stream[0] != kHandshake) return {Fit::No, {}};
  const TlsHandshakeBytes taken = take_tls_handshake(stream, TlsExtent::FirstMessage, storage);
  const bool more = taken.end == TlsHandshakeBytes::End::Missing;
  if (!taken.bytes.empty() && taken.bytes[0] != kClientHello) return {Fit::No, {}};
  if (taken.bytes.size() < kTlsHandshakeHeader) return {more ? Fit::More : Fit::No, {}};
  ByteReader reader(taken.bytes.subspan(1));
  const size_t length = reader.be24();
  if (length > TlsClientHello::kLongest) return {Fit::No, {}};
  // A client waits for the answer after its hello: more in the same record is not TLS.
  if (reader.remaining() > length) return {Fit::No, {}};
  if (reader.remaining() == length) return {Fit::Yes, reader.rest()};
  return {more ? Fit::More : Fit::No, {}};
}

TlsClientHelloView view_tls_client_hello(Bytes body) noexcept {
  HelloReader reader;
  if (body.size() > TlsClientHello::kLongest || !reader.read(body)) return {};
  TlsClientHelloView view = reader.view();
  view.fit = Fit::Yes;
  return view;
}

TlsClientHello keep(const TlsClientHelloView& view) noexcept {
  TlsClientHello hello;
  hello.fit = view.fit;
  hello.legacy_version = view.legacy_version;
  hello.early_data = view.early_data;
  hello.pre_shared_key = view.pre_shared_key;
  hello.ech = view.ech;
  hello.highest = view.highest_version();
  for_each_number(view.versions, [&](uint16_t version) {
    if (hello.version_count < hello.versions.size()) hello.versions[hello.version_count++] = version;
  });
  std::copy(view.server_name.begin(), view.server_name.end(), hello.server_name_bytes.begin());
  hello.server_name_length = static_cast<uint8_t>(view.server_name.size());
  for_each_protocol(view.alpn, [&](std::string_view name) {
    const size_t end = size_t{hello.alpn_length} + 1 + name.size();
    if (end > hello.alpn_list.size()) return;
    hello.alpn_list[hello.alpn_length] = static_cast<uint8_t>(name.size());
    std::copy(name.begin(), name.end(), hello.alpn_list.begin() + hello.alpn_length + 1);
    hello.alpn_length = static_cast<uint16_t>(end);
  });
  return hello;
}

TlsClientHello parse_tls_client_hello(Bytes stream) noexcept {
  TlsHandshakeStorage storage;
  const TlsHelloBody found = find_tls_client_hello(stream, storage);
  if (found.fit == Fit::Yes) return keep(view_tls_client_hello(found.body));
  TlsClientHello none;
  none.fit = found.fit;
  return none;
}

}  // namespace postern::classify
