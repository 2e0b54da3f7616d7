// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/public_suffixes.h"

#include <algorithm>
#include <optional>

namespace postern::profiles::dns {
namespace {

// Kinds of rules, as indices of RuleRef.
constexpr uint32_t kPlain = 0, kWildcard = 1, kException = 2, kKind = 3, kByRegistry = 4;
constexpr char32_t kLastPoint = 0x10ffff;
constexpr std::string_view kPrivateBegins = "===BEGIN PRIVATE DOMAINS===";

// Code points of UTF-8; nothing where it is none.
std::optional<std::u32string> code_points(std::string_view text) {
  std::u32string out;
  for (size_t at = 0; at < text.size();) {
    const auto first = static_cast<uint8_t>(text[at++]);
    const int more = first < 0x80       ? 0
                     : first >> 5 == 6  ? 1
                     : first >> 4 == 14 ? 2
                     : first >> 3 == 30 ? 3
                                        : -1;
    if (more < 0 || at + static_cast<size_t>(more) > text.size()) return std::nullopt;
    char32_t point = more == 0 ? first : first & (0x3f >> more);
    for (int i = 0; i < more; ++i) {
      const auto next = static_cast<uint8_t>(text[at++]);
      if (next >> 6 != 2) return std::nullopt;
      point = point << 6 | (next & 0x3f);
    }
    if (point > kLastPoint || (more > 0 && point < 0x80)) return std::nullopt;
    out += point;
  }
  return out;
}

// RFC 3492 section 6.1.
uint32_t adapted(uint32_t delta, uint32_t points, bool first) {
  delta = first ? delta / 700 : delta / 2;
  delta += delta / points;
  uint32_t k = 0;
  for (; delta > 455; k += 36) delta /= 35;
  return k + 36 * delta / (delta + 38);
}

// A label as DNS has it (RFC 3492); labels of the list are in the form that IDNA maps to already.
std::string ascii_label(const std::u32string& points) {
  std::string out;
  for (const char32_t c : points)
    if (c < 0x80) out += static_cast<char>(c);
  if (out.size() == points.size()) return out;
  const auto basic = static_cast<uint32_t>(out.size());
  uint32_t handled = basic, n = 0x80, delta = 0, bias = 72;
  if (basic > 0) out += '-';
  while (handled < points.size()) {
    char32_t next = kLastPoint;
    for (const char32_t c : points)
      if (c >= n) next = std::min(next, c);
    delta += (next - n) * (handled + 1);
    n = next;
    for (const char32_t c : points) {
      if (c < n) ++delta;
      if (c != n) continue;
      uint32_t q = delta;
      for (uint32_t k = 36;; k += 36) {
        const uint32_t t = k <= bias ? 1 : std::min(k - bias, 26u);
        if (q < t) break;
        const uint32_t digit = t + (q - t) % (36 - t);
        out += static_cast<char>(digit < 26 ? 'a' + digit : '0' + (digit - 26));
        q = (q - t) / (36 - t);
      }
      out += static_cast<char>(q < 26 ? 'a' + q : '0' + (q - 26));
      bias = adapted(delta, handled + 1, handled == basic);
      delta = 0;
      ++handled;
    }
    ++delta;
    ++n;
  }
  return "xn--" + out;
}

std::optional<Name> name_of(std::string_view text) {
  Name name;
  while (!text.empty()) {
    const size_t dot = std::min(text.find('.'), text.size());
    const std::optional<std::u32string> points = code_points(text.substr(0, dot));
    if (!points || points->size() > 63 || !name.append(as_bytes(ascii_label(*points)))) return std::nullopt;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return name.is_root() ? std::nullopt : std::optional(name);
}

struct SuffixRule {
  Name name;
  uint32_t kind;
};

Result<std::vector<SuffixRule>> rules_of(std::string_view text, const std::string& file) {
  std::vector<SuffixRule> rules;
  uint32_t line = 0, registry = kByRegistry;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view rule = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (rule.find(kPrivateBegins) != std::string_view::npos) registry = 0;
    rule = rule.substr(0, rule.find_first_of(" \t\r"));
    if (rule.empty() || rule.starts_with("//")) continue;
    const uint32_t kind = rule.starts_with("*.") ? kWildcard : rule.starts_with('!') ? kException : kPlain;
    rule.remove_prefix(kind == kWildcard ? 2 : kind == kException ? 1 : 0);
    const std::optional<Name> name = name_of(rule);
    if (!name)
      return Error{"found a rule that is no name, expected one as in publicsuffix.org/list", file, line};
    rules.push_back({*name, kind | registry});
  }
  return rules;
}

}  // namespace

Result<PublicSuffixes> PublicSuffixes::read(std::string_view text, const std::string& file, uint64_t seed) {
  const Result<std::vector<SuffixRule>> rules = rules_of(text, file);
  if (!rules) return rules.error();
  DomainTableBuilder builder(seed, 2 * text.size());
  // Wildcards first: beside "ck", "*.ck" has the last word about what is below, and what is said first stays.
  for (const SuffixRule& rule : *rules)
    if ((rule.kind & kKind) == kWildcard) {
      builder.add(rule.name, Reach::Below, RuleRef::of(1, rule.kind));
      // Where every name is a suffix, the one above them is none that is registered.
      builder.add(rule.name, Reach::Exact, RuleRef::of(1, kPlain | (rule.kind & kByRegistry)));
    }
  for (const SuffixRule& rule : *rules)
    if ((rule.kind & kKind) != kWildcard) builder.add(rule.name, Reach::Both, RuleRef::of(1, rule.kind));
  return PublicSuffixes(builder.build());
}

PublicSuffixes::Domain PublicSuffixes::domain_of(const Name& name) const noexcept {
  if (name.is_root()) return {};
  const DomainTable::Match match = table_.find(name);
  const uint32_t kind = match.rule ? match.rule.index() & kKind : kPlain;
  // Without a rule the last label is the suffix.
  size_t suffix = match.rule ? match.skipped : name.labels() - 1;
  if (kind == kWildcard) --suffix;
  if (kind == kException) ++suffix;
  if (suffix == 0) return {};
  const bool by_registry = match.rule && (match.rule.index() & kByRegistry) != 0;
  return {static_cast<uint8_t>(suffix - 1), true, by_registry};
}

}  // namespace postern::profiles::dns
