// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/fast_pattern.h"

#include <algorithm>
#include <bitset>

#include "base/ascii.h"
#include "base/bytes.h"

namespace postern::profiles::ips {
namespace {

constexpr size_t kLongestFast = 32;

struct Literal {
  Bytes bytes;
  bool nocase = false;
  size_t score = 0;
};

size_t distinct(Bytes bytes) {
  std::bitset<256> seen;
  for (const uint8_t byte : bytes) seen.set(static_cast<uint8_t>(ascii_lower(static_cast<char>(byte))));
  return seen.count();
}

// A run of zeros or blanks is everywhere; a few different bytes in a row are not.
size_t score_of(Bytes bytes) { return 4 * distinct(bytes) + bytes.size(); }

Bytes best_slice(Bytes bytes) {
  if (bytes.size() <= kLongestFast) return bytes;
  Bytes best = bytes.first(kLongestFast);
  for (size_t at = 1; at + kLongestFast <= bytes.size(); ++at)
    if (score_of(bytes.subspan(at, kLongestFast)) > score_of(best)) best = bytes.subspan(at, kLongestFast);
  return best;
}

// Buffers that say the same in almost every message.
bool is_common(BufferKind kind) {
  return kind == BufferKind::HttpMethod || kind == BufferKind::HttpStatCode ||
         kind == BufferKind::HttpStatMsg || kind == BufferKind::HttpProtocol ||
         kind == BufferKind::HttpConnection || kind == BufferKind::TlsVersion ||
         kind == BufferKind::HttpAccept || kind == BufferKind::HttpAcceptEncoding;
}

// Looked for in the buffer as it is, though the rule looks at what transforms make of it.
enum class Seen : uint8_t { AsWritten, InAnyCase, BehindADot, InAnyCaseBehindADot, Nowhere };
Seen seen_through(const std::vector<TransformStep>& transforms) {
  bool any_case = false, dot = false;
  for (const TransformStep& step : transforms) {
    if (step.what == Transform::DotPrefix)
      dot = true;
    else if (step.what == Transform::ToLowercase || step.what == Transform::ToUppercase ||
             step.what == Transform::HeaderLowercase)
      any_case = true;
    else
      return Seen::Nowhere;
  }
  if (dot) return any_case ? Seen::InAnyCaseBehindADot : Seen::BehindADot;
  return any_case ? Seen::InAnyCase : Seen::AsWritten;
}

std::optional<Literal> literal_of(const Content& content, Seen seen) {
  if (content.negated || seen == Seen::Nowhere) return std::nullopt;
  Bytes bytes(content.bytes);
  if (content.fast && content.fast_length != 0)
    bytes = bytes.subspan(content.fast_offset, content.fast_length);
  const bool dot = seen == Seen::BehindADot || seen == Seen::InAnyCaseBehindADot;
  if (dot && bytes.front() == '.') bytes = bytes.subspan(1);
  if (bytes.empty()) return std::nullopt;
  bytes = best_slice(bytes);
  const bool nocase = content.nocase || seen == Seen::InAnyCase || seen == Seen::InAnyCaseBehindADot;
  return Literal{bytes, nocase, score_of(bytes)};
}

std::string expression_of(Bytes bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const uint8_t byte : bytes) {
    out += "\\x";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::optional<FastPattern> choose_pcre(const Signature& signature) {
  for (size_t part = 0; part < signature.parts.size(); ++part) {
    if (!signature.parts[part].transforms.empty()) continue;
    for (const Operation& operation : signature.parts[part].operations) {
      const Pcre* pcre = std::get_if<Pcre>(&operation);
      if (pcre == nullptr || pcre->negated || pcre->relative || pcre->expression.empty()) continue;
      // The engine's patterns let a dot be any byte.
      const std::string expression = pcre->dotall ? pcre->expression : "(?-s)" + pcre->expression;
      return FastPattern{part, expression, pcre->nocase, pcre->multiline, true};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<FastPattern> choose_fast_pattern(const Signature& signature) {
  std::optional<FastPattern> best;
  size_t best_score = 0;
  for (size_t part = 0; part < signature.parts.size(); ++part) {
    const Part& p = signature.parts[part];
    const Seen seen = seen_through(p.transforms);
    for (const Operation& operation : p.operations) {
      const Content* content = std::get_if<Content>(&operation);
      if (content == nullptr) continue;
      std::optional<Literal> literal = literal_of(*content, seen);
      if (!literal) continue;
      const size_t score = content->fast       ? ~size_t{0}
                           : is_common(p.kind) ? literal->score / 8
                                               : literal->score;
      if (best && score <= best_score) continue;
      best = FastPattern{part, expression_of(literal->bytes), literal->nocase, false, false};
      best_score = score;
    }
  }
  return best ? best : choose_pcre(signature);
}

}  // namespace postern::profiles::ips
