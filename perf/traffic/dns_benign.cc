// SPDX-License-Identifier: Apache-2.0
// What is asked for all day and looks odd: each shape is a client population over half an hour or more, with
// rates at the upper end of what such machines do.
#include "perf/traffic/dns_talks.h"

namespace postern::perf {
namespace {

constexpr Timestamp kStart = 1'800'000'000 * kSecond, kMinute = 60 * kSecond;
const std::string kSomeAddress("\xcb\0\x71\x07", 4), kListed("\x7f\0\0\x02", 4);

struct Asked {
  std::string name;
  uint16_t type = kA;
  std::string data = kSomeAddress;
  uint8_t rcode = 0;
};

struct Crowd {
  uint32_t clients, seed;
};

// Every client asks as `make` says, `per_minute` times, for `minutes`.
template <typename Make>
DnsShape population(const char* name, size_t per_minute, size_t minutes, Crowd crowd, Make make) {
  DnsChance chance(crowd.seed);
  DnsShape shape{name, DnsShapeKind::Benign, {}};
  for (size_t i = 0; i < per_minute * minutes; ++i)
    for (uint32_t client = 0; client < crowd.clients; ++client) {
      const Timestamp at = kStart + i * (kMinute / per_minute) + chance.below(kMinute / per_minute);
      const Asked asked = make(chance);
      shape.talks.push_back(talk(at, client, asked.name, asked.type, asked.data, asked.rcode));
    }
  std::stable_sort(shape.talks.begin(), shape.talks.end(),
                   [](const DnsTalk& a, const DnsTalk& b) { return a.at < b.at; });
  return shape;
}

std::string number(size_t value) { return std::to_string(value); }
Asked missing(std::string name, uint16_t type = kA) { return {std::move(name), type, {}, 3}; }

Asked of_cdn(DnsChance& c) {
  switch (c.below(6)) {
    case 0:
      return {"d" + c.of(kLettersDigits, 13) + ".cloudfront.net"};
    case 1:
      return {"e" + number(c.below(20000)) + ".dscb.akamaiedge.net"};
    case 2:
      return {"r" + number(c.between(1, 20)) + "---sn-" + c.of(kLettersDigits, 8) + ".googlevideo.com"};
    case 3:
      return {"scontent-" + c.of(kLowerLetters, 3) + number(c.between(1, 9)) + "-1.xx.fbcdn.net", kAaaa,
              c.bytes(16)};
    case 4:
      return {"a" + number(c.below(2000)) + ".dscg.akamai.net"};
    default:
      return {"img" + number(c.below(100)) + ".cdn.example-shop.com", kHttps, {}};
  }
}

Asked of_dnssec(DnsChance& c) {
  static constexpr const char* kZones[] = {"com",        "net",      "org",         "example.com",
                                           "debian.org", "ietf.org", "nlnetlabs.nl"};
  const std::string zone = kZones[c.below(std::size(kZones))];
  return c.below(2) ? Asked{zone, kDnskey, c.bytes(800)} : Asked{zone, kDs, c.bytes(36)};
}

Asked of_known_antivirus(DnsChance& c) {
  if (c.below(2))
    return {"0.0.0.0.1.0.0.4e." + c.of(kLettersDigits, 26) + ".avqs.mcafee.com", kA,
            std::string("\x7f\x40\0\0", 4)};
  return {c.of(kHex, 40) + "." + c.of(kHex, 16) + ".00.s.sophosxl.net", kTxt,
          txt_of(c.of(kLettersDigits, 40))};
}

// Of a vendor nobody has heard of: hashes of 40 digits, answered by an address.
Asked of_unknown_antivirus(DnsChance& c) {
  return {c.of(kHex, 40) + ".hashes.example-antivirus.net", kA, kListed};
}

Asked of_unknown_reputation(DnsChance& c) {
  return {c.of(kHex, 32) + ".rep.example-reputation.com", kTxt, txt_of(number(c.below(100)))};
}

std::string octets(DnsChance& c) {
  return number(c.below(256)) + "." + number(c.below(256)) + "." + number(c.below(256)) + "." +
         number(c.below(224));
}

Asked of_block_list(DnsChance& c) {
  const std::string zone = c.below(2) ? ".zen.spamhaus.org" : ".dnsbl.example-list.org";
  return c.below(3) == 0 ? Asked{octets(c) + zone, kA, kListed} : missing(octets(c) + zone);
}

Asked of_reverse_zone(DnsChance& c) {
  if (c.below(2))
    return {octets(c) + ".in-addr.arpa", kPtr, wire_of("host" + number(c.below(9999)) + ".example.net")};
  std::string name;
  for (int i = 0; i < 32; ++i) name += c.of(kHex, 1) + ".";
  return missing(name + "ip6.arpa", kPtr);
}

Asked of_directory(DnsChance& c) {
  static constexpr const char* kNames[] = {"_ldap._tcp.dc._msdcs.", "_kerberos._udp.",
                                           "_gc._tcp.site-17._sites.", "_kpasswd._tcp.",
                                           "_ldap._tcp.pdc._msdcs."};
  if (c.below(4) == 0)
    return {
        "_ldap._tcp." + c.of(kHex, 8) + "-" + c.of(kHex, 4) + "-4e1a.domains._msdcs.corp.example-bank.com",
        kSrv, wire16(0) + wire16(100) + wire16(389) + wire_of("dc1.corp.example-bank.com")};
  return {std::string(kNames[c.below(std::size(kNames))]) + "corp.example-bank.com", kSrv,
          wire16(0) + wire16(100) + wire16(389) + wire_of("dc1.corp.example-bank.com")};
}

std::string made_up_domain(DnsChance& c) {
  static constexpr const char* kFirst[] = {"north", "blue",  "data", "green", "quick", "metro",
                                           "alpha", "smart", "open", "prime", "nova",  "sun",
                                           "tele",  "micro", "euro", "home"};
  static constexpr const char* kLast[] = {"bank",    "soft",  "works", "media",  "shop",  "cloud",
                                          "systems", "news",  "labs",  "travel", "store", "tech",
                                          "service", "games", "parts", "mail"};
  static constexpr const char* kEnds[] = {".com", ".org", ".net", ".de", ".co.uk", ".fr", ".io"};
  return std::string(kFirst[c.below(16)]) + (c.below(4) ? "" : "-") + kLast[c.below(16)] + kEnds[c.below(7)];
}

Asked of_mail_server(DnsChance& c) {
  const std::string domain = made_up_domain(c);
  switch (c.below(4)) {
    case 0:
      return {domain, kMx, wire16(10) + wire_of("mx." + domain)};
    case 1:
      return {domain, kTxt,
              txt_of("v=spf1 include:_spf." + domain +
                     " ip4:203.0.113.0/24 include:spf.protection.outlook.com -all")};
    case 2:
      return {"s" + number(c.between(2019, 2026)) + "._domainkey." + domain, kTxt,
              txt_of("v=DKIM1; k=rsa; p=" + c.of(kLettersDigits, 390))};
    default:
      return {"_dmarc." + domain, kTxt, txt_of("v=DMARC1; p=reject; rua=mailto:d@" + domain)};
  }
}

// Domains with short or made-up names that exist, and mistyped ones that do not.
Asked of_browser(DnsChance& c) {
  static constexpr const char* kOdd[] = {
      "gvt1.com",   "xkcd.com",      "ytimg.com",    "2mdn.net",          "fbsbx.com",
      "wp.com",     "twimg.com",     "msftncsi.com", "nflxvideo.net",     "ggpht.com",
      "licdn.com",  "vrtx-qzx9.com", "b2bxyz24.de",  "xn--mnchen-3ya.de", "xn--80ak6aa92e.com",
      "dpmsrv.com", "crwdcntrl.net", "scdn.co"};
  const size_t which = c.below(30);
  if (which == 0) return missing("w" + made_up_domain(c));
  if (which == 1) return missing(c.of(kLowerLetters, c.between(7, 15)) + ".corp.example-bank.com");
  if (which < 10) return {std::string("www.") + kOdd[c.below(std::size(kOdd))]};
  return {(c.below(2) ? "www." : "cdn.") + made_up_domain(c)};
}

Asked of_telemetry(DnsChance& c) {
  const std::string id = c.of(kHex, 8) + "-" + c.of(kHex, 4) + "-4" + c.of(kHex, 3) + "-a" + c.of(kHex, 3) +
                         "-" + c.of(kHex, 12);
  return {id + ".events.example-telemetry.com"};
}

Asked of_cloud_storage(DnsChance& c) {
  if (c.below(2))
    return {"md-" + c.of(kLettersDigits, 12) + ".z" + number(c.between(1, 50)) + ".blob.storage.azure.net"};
  return {c.of(kLettersDigits, 20) + ".s3.eu-west-1.amazonaws.com"};
}

// The management network itself: BMCs, their appliance and the vendor.
Asked of_management(DnsChance& c) {
  static constexpr const char* kVendors[] = {
      "downloads.dell.com",     "support.hpe.com", "update.supermicro.com", "ntp.example-dc.net",
      "www.example-vendor.com", "time.nist.gov",   "2.debian.pool.ntp.org"};
  if (c.below(3) == 0) return {kVendors[c.below(std::size(kVendors))]};
  return {"bmc-r" + number(c.between(1, 40)) + "u" + number(c.between(1, 42)) + ".oob.example-dc.net"};
}

}  // namespace

std::vector<DnsShape> benign_shapes(uint32_t seed, uint32_t clients) {
  const auto crowd = [&](uint32_t number) { return Crowd{clients, seed + number}; };
  return {population("CDN", 60, 30, crowd(0), of_cdn),
          population("DNSSEC validator", 60, 30, crowd(1), of_dnssec),
          population("antivirus, known", 200, 10, crowd(2), of_known_antivirus),
          population("antivirus, unknown", 100, 30, crowd(3), of_unknown_antivirus),
          population("reputation by TXT, unknown", 60, 30, crowd(4), of_unknown_reputation),
          population("DNS block lists", 200, 10, crowd(5), of_block_list),
          population("reverse zones", 300, 10, crowd(6), of_reverse_zone),
          population("directory", 60, 30, crowd(7), of_directory),
          population("mail server", 200, 10, crowd(8), of_mail_server),
          population("browser", 60, 30, crowd(9), of_browser),
          population("telemetry", 12, 60, crowd(10), of_telemetry),
          population("cloud storage", 30, 30, crowd(11), of_cloud_storage),
          population("management network", 60, 30, crowd(12), of_management)};
}

}  // namespace postern::perf
