// SPDX-License-Identifier: Apache-2.0
#include "classify/tls_fingerprint.h"

#include <algorithm>
#include <utility>

#include "classify/tls_numbers.h"

namespace postern::classify {
namespace {

using tls_number::is_grease;

// Numbers without GREASE; more than anything but an attack sends.
class Numbers {
 public:
  static constexpr size_t kMost = 512;

  void add(uint16_t number) noexcept {
    if (is_grease(number)) return;
    ++count_;
    if (kept_ < kMost) numbers_[kept_++] = number;
  }
  size_t count() const noexcept { return count_; }
  bool whole() const noexcept { return count_ == kept_; }
  std::span<const uint16_t> in_order() const noexcept { return {numbers_.data(), kept_}; }
  void sort() noexcept { std::sort(numbers_.begin(), numbers_.begin() + static_cast<std::ptrdiff_t>(kept_)); }

 private:
  std::array<uint16_t, kMost> numbers_;
  size_t count_ = 0, kept_ = 0;
};

Numbers numbers_of(Bytes list) noexcept {
  Numbers numbers;
  for_each_number(list, [&](uint16_t number) { numbers.add(number); });
  return numbers;
}

Numbers types_of(Bytes extensions) noexcept {
  Numbers numbers;
  for_each_extension(extensions, [&](uint16_t type, Bytes) { numbers.add(type); });
  return numbers;
}

void append_decimals(FingerprintText& text, const Numbers& numbers) noexcept {
  bool first = true;
  for (const uint16_t number : numbers.in_order()) {
    if (!first) text.append('-');
    text.append_decimal(number);
    first = false;
  }
}

template <typename Skip>
void append_hexes(FingerprintText& text, const Numbers& numbers, Skip skip) noexcept {
  bool first = true;
  for (const uint16_t number : numbers.in_order()) {
    if (skip(number)) continue;
    if (!first) text.append(',');
    text.append_hex(number);
    first = false;
  }
}

constexpr auto kSkipNone = [](uint16_t) { return false; };

void append_count(FixedText<10>& text, size_t count) noexcept {
  count = std::min<size_t>(count, 99);
  text.append(static_cast<char>('0' + count / 10));
  text.append(static_cast<char>('0' + count % 10));
}

bool is_alphanumeric(uint8_t c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// First and last character of the first protocol, or of its hex digits where either is none.
void append_alpn(FixedText<10>& text, Bytes list) noexcept {
  ByteReader reader(list);
  const Bytes name = reader.bytes(reader.u8());
  if (name.empty()) return text.append("00");
  const uint8_t first = name.front(), last = name.back();
  if (is_alphanumeric(first) && is_alphanumeric(last)) {
    text.append(static_cast<char>(first));
    text.append(static_cast<char>(last));
    return;
  }
  FixedText<4> digits;
  digits.append_hex(first);
  digits.append_hex(last);
  text.append(digits.view().front());
  text.append(digits.view().back());
}

void append_hash(Ja4& text, const FingerprintText& hashed, const Sha256& hash) noexcept {
  text.append('_');
  if (hashed.empty()) return text.append("000000000000");
  text.append_hex(Bytes(hash).first(6));
}

}  // namespace

Ja3Text ja3_text(const TlsClientHelloView& hello) noexcept {
  const Numbers suites = numbers_of(hello.cipher_suites), types = types_of(hello.extensions),
                groups = numbers_of(hello.groups);
  Numbers formats;
  for (const uint8_t format : hello.point_formats) formats.add(format);
  Ja3Text ja3;
  ja3.text.append_decimal(hello.legacy_version);
  for (const Numbers* numbers : {&suites, &types, &groups, &std::as_const(formats)}) {
    ja3.text.append(',');
    append_decimals(ja3.text, *numbers);
  }
  ja3.whole = !ja3.text.cut() && suites.whole() && types.whole() && groups.whole() && formats.whole();
  return ja3;
}

Ja3Text ja3s_text(const TlsServerFlight& flight) noexcept {
  const Numbers types = types_of(flight.extensions);
  Ja3Text ja3s;
  ja3s.text.append_decimal(flight.legacy_version);
  ja3s.text.append(',');
  ja3s.text.append_decimal(flight.cipher_suite);
  ja3s.text.append(',');
  append_decimals(ja3s.text, types);
  ja3s.whole = !ja3s.text.cut() && types.whole();
  return ja3s;
}

std::string_view ja4_version(uint16_t version) noexcept {
  switch (version) {
    case 0x0304:
      return "13";
    case 0x0303:
      return "12";
    case 0x0302:
      return "11";
    case 0x0301:
      return "10";
    case 0x0300:
      return "s3";
    default:
      return "00";
  }
}

Ja4Texts ja4_texts(const TlsClientHelloView& hello, Transport transport) noexcept {
  Numbers suites = numbers_of(hello.cipher_suites), types = types_of(hello.extensions);
  const Numbers algorithms = numbers_of(hello.signature_algorithms);
  Ja4Texts ja4;
  ja4.head.append(transport == Transport::Quic ? 'q' : 't');
  ja4.head.append(ja4_version(hello.highest_version()));
  ja4.head.append(hello.has_server_name ? 'd' : 'i');
  append_count(ja4.head, suites.count());
  append_count(ja4.head, types.count());
  append_alpn(ja4.head, hello.alpn);
  suites.sort();
  types.sort();
  append_hexes(ja4.ciphers, suites, kSkipNone);
  // What depends on the server asked is in the head, in other form.
  append_hexes(ja4.extensions, types,
               [](uint16_t type) { return type == tls_number::kServerName || type == tls_number::kAlpn; });
  if (algorithms.count() > 0) {
    ja4.extensions.append('_');
    append_hexes(ja4.extensions, algorithms, kSkipNone);
  }
  ja4.whole =
      !ja4.ciphers.cut() && !ja4.extensions.cut() && suites.whole() && types.whole() && algorithms.whole();
  return ja4;
}

Ja4 join_ja4(const Ja4Texts& texts, const Sha256& ciphers, const Sha256& extensions) noexcept {
  Ja4 ja4;
  if (!texts.whole) return ja4;
  ja4.append(texts.head.view());
  append_hash(ja4, texts.ciphers, ciphers);
  append_hash(ja4, texts.extensions, extensions);
  return ja4;
}

}  // namespace postern::classify
