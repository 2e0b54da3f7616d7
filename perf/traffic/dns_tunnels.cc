// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/dns_talks.h"

namespace postern::perf {
namespace {

constexpr Timestamp kStart = 1'800'000'000 * kSecond;

// What an answer of a type can carry of `payload`.
std::string carried(uint16_t type, const std::string& payload, const std::string& domain, DnsChance& chance) {
  const std::string text = chance.of(kBase32, std::min<size_t>(payload.size(), 120));
  switch (type) {
    case kTxt:
      return txt_of(chance.of(kBase32, payload.size()));
    case kCname:
      return wire_of(in_labels(text) + "." + domain);
    case kMx:
      return wire16(10) + wire_of(in_labels(text) + "." + domain);
    case kSrv:
      return wire16(10) + wire16(10) + wire16(5060) + wire_of(in_labels(text) + "." + domain);
    case kA:
      return chance.bytes(4);
    default:
      return payload;
  }
}

// iodine 0.7: version, login, codec and fragment probes, then data in names as long as they may be.
DnsShape iodine(const char* name, uint16_t type, size_t name_bytes, Timestamp between, uint32_t seed) {
  DnsChance chance(seed);
  DnsShape shape{name, DnsShapeKind::Tunnel, {}};
  const std::string domain = "t.example-tunnel.net";
  for (Timestamp at = kStart; at < kStart + 120 * kSecond; at += between) {
    const std::string payload = chance.bytes(name_bytes > 20 ? chance.between(200, 1000) : 10);
    const std::string text = "0" + chance.of(kBase32, name_bytes);
    shape.talks.push_back(
        talk(at, 1, in_labels(text) + "." + domain, type, carried(type, payload, domain, chance)));
  }
  return shape;
}

// dnscat2: hexadecimal names with a header of nine bytes; a poll each second, at once when there is data.
DnsShape dnscat(const char* name, const std::vector<uint16_t>& types, size_t bytes, Timestamp between,
                uint32_t seed) {
  DnsChance chance(seed);
  DnsShape shape{name, DnsShapeKind::Tunnel, {}};
  const std::string domain = "example-cat.org";
  for (Timestamp at = kStart; at < kStart + 120 * kSecond; at += between) {
    const uint16_t type = types[chance.below(types.size())];
    const std::string text = chance.of(kHex, 2 * (9 + chance.between(bytes / 2, bytes)));
    const std::string answer = type == kTxt ? txt_of(chance.of(kHex, 2 * (9 + chance.below(bytes + 1))))
                                            : carried(type, chance.bytes(18), domain, chance);
    shape.talks.push_back(talk(at, 1, in_labels(text, 60) + "." + domain, type, answer));
  }
  return shape;
}

// Data out in names of A queries, as scripts do; nothing comes back.
DnsShape exfiltration(const char* name, size_t bytes, Timestamp between, uint32_t seed) {
  DnsChance chance(seed);
  DnsShape shape{name, DnsShapeKind::Tunnel, {}};
  for (Timestamp at = kStart; at < kStart + 600 * kSecond; at += between)
    shape.talks.push_back(talk(at, 1, in_labels(chance.of(kHex, bytes), 60) + ".example-out.com", kA,
                               std::string("\x0a\0\0\1", 4)));
  return shape;
}

enum class Existing : uint8_t { None, Some };

template <typename Make>
DnsShape generated(const char* name, Existing existing, uint32_t seed, Make make) {
  DnsChance chance(seed);
  DnsShape shape{name, DnsShapeKind::Generated, {}};
  static constexpr const char* kEnds[] = {".com", ".net", ".org", ".info", ".ru", ".biz"};
  for (size_t i = 0; i < 200; ++i) {
    const bool exists = existing == Existing::Some && i % 25 == 24;
    shape.talks.push_back(talk(kStart + i * kSecond, 1, make(chance) + kEnds[chance.below(6)], kA,
                               exists ? chance.bytes(4) : std::string(), exists ? 0 : 3));
  }
  return shape;
}

}  // namespace

std::vector<DnsShape> tunnel_shapes(uint32_t seed) {
  constexpr Timestamp kFast = 20 * kMillisecond, kPoll = 4 * kSecond;
  return {iodine("iodine NULL", kNull, 200, kFast, seed),
          iodine("iodine private type", kPrivate, 200, kFast, seed + 1),
          iodine("iodine TXT", kTxt, 200, kFast, seed + 2),
          iodine("iodine CNAME", kCname, 200, kFast, seed + 3),
          iodine("iodine MX", kMx, 200, kFast, seed + 4),
          iodine("iodine SRV", kSrv, 200, kFast, seed + 5),
          iodine("iodine A", kA, 200, kFast, seed + 6),
          iodine("iodine NULL, short names", kNull, 60, 100 * kMillisecond, seed + 7),
          iodine("iodine NULL, idle", kNull, 12, kPoll, seed + 8),
          dnscat("dnscat2, data", {kTxt, kCname, kMx}, 90, 50 * kMillisecond, seed + 9),
          dnscat("dnscat2, idle", {kTxt, kCname, kMx}, 0, kSecond, seed + 10),
          dnscat("dnscat2 TXT, data", {kTxt}, 90, 50 * kMillisecond, seed + 11),
          dnscat("dnscat2 A, data", {kA}, 90, 50 * kMillisecond, seed + 12),
          dnscat("dnscat2 TXT, idle", {kTxt}, 0, kSecond, seed + 13),
          exfiltration("names of 180 bytes, 2/s", 180, 500 * kMillisecond, seed + 14),
          exfiltration("names of 120 bytes, 1/s", 120, kSecond, seed + 15),
          exfiltration("names of 60 bytes, 10/s", 60, 100 * kMillisecond, seed + 16),
          exfiltration("names of 30 bytes, 6/min", 30, 10 * kSecond, seed + 17)};
}

std::vector<DnsShape> generated_shapes(uint32_t seed) {
  static constexpr const char* kWords[] = {"table",  "winter", "round",  "mother", "garden",
                                           "silver", "office", "travel", "paper",  "yellow",
                                           "simple", "market", "number", "river"};
  return {generated("letters, 8 to 11", Existing::Some, seed,
                    [](DnsChance& c) { return c.of(kLowerLetters, c.between(8, 11)); }),
          generated("letters, 12 to 20", Existing::Some, seed + 1,
                    [](DnsChance& c) { return c.of(kLowerLetters, c.between(12, 20)); }),
          generated("letters and digits, 16", Existing::Some, seed + 2,
                    [](DnsChance& c) { return c.of(kLettersDigits, 16); }),
          generated("hexadecimal, 32", Existing::None, seed + 3, [](DnsChance& c) { return c.of(kHex, 32); }),
          generated("words", Existing::Some, seed + 4, [](DnsChance& c) {
            return std::string(kWords[c.below(std::size(kWords))]) + kWords[c.below(std::size(kWords))];
          })};
}

}  // namespace postern::perf
