// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/zone_text.h"

#include <optional>

#include "base/ascii.h"

namespace postern::profiles::dns {
namespace {

constexpr size_t kMostShown = 60;
constexpr uint64_t kLongestTtl = 0x7fff'ffff;  // RFC 2181 section 8

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }

std::string shown(std::string_view word) {
  std::string out = "\"";
  for (const char c : word.substr(0, kMostShown)) out += c >= 0x20 && c < 0x7f ? c : '?';
  return out + "\"";
}

// Seconds, or numbers with units: "1h30m".
std::optional<uint32_t> ttl_of(std::string_view word) {
  uint64_t sum = 0, number = 0;
  bool digits = false;
  for (const char c : word) {
    if (c >= '0' && c <= '9') {
      number = number * 10 + static_cast<uint64_t>(c - '0');
      digits = true;
    } else {
      const size_t unit = std::string_view("smhdw").find(ascii_lower(c));
      static constexpr uint64_t kSeconds[] = {1, 60, 3600, 86400, 604800};
      if (!digits || unit == std::string_view::npos) return std::nullopt;
      sum += number * kSeconds[unit];
      number = 0;
      digits = false;
    }
    if (number > kLongestTtl || sum > kLongestTtl) return std::nullopt;
  }
  sum += number;
  if (word.empty() || word[0] < '0' || word[0] > '9' || sum > kLongestTtl) return std::nullopt;
  return static_cast<uint32_t>(sum);
}

// A backslash takes what follows with it, but not the end of the line.
size_t width_at(std::string_view text, size_t at) noexcept {
  return text[at] == '\\' && at + 1 < text.size() && text[at + 1] != '\n' ? 2 : 1;
}

bool ends_word(char c) noexcept {
  return is_blank(c) || std::string_view("\n;()\"").find(c) != std::string_view::npos;
}

bool ends_absolute(std::string_view word) noexcept {
  if (!word.ends_with('.')) return false;
  size_t slashes = 0;  // "a\." ends with a dot of the label
  while (slashes + 1 < word.size() && word[word.size() - 2 - slashes] == '\\') ++slashes;
  return slashes % 2 == 0;
}

}  // namespace

Result<Name> ZoneText::name_of(std::string_view word) const {
  if (word == "@") return origin_;
  std::optional<Name> name = Name::parse(word);
  if (!name || (!ends_absolute(word) && !name->append(origin_)))
    return wrong("found " + shown(word) + ", expected a domain name");
  return *name;
}

void ZoneText::skip_comment() { at_ = std::min(text_.find('\n', at_), text_.size()); }

Status ZoneText::read_quoted() {
  const size_t begin = ++at_;
  while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') at_ += width_at(text_, at_);
  if (at_ >= text_.size() || text_[at_] != '"') return wrong("found a quote that does not end, expected \"");
  words_.push_back(text_.substr(begin, at_ - begin));
  ++at_;
  return Ok{};
}

// The words of one record or directive, which ends with its line unless parentheses are open.
Status ZoneText::read_words() {
  words_.clear();
  record_line_ = line_;
  owner_left_out_ = at_ < text_.size() && is_blank(text_[at_]);
  bool open = false;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\n') {
      ++at_;
      ++line_;
      if (!open) return Ok{};
    } else if (is_blank(c)) {
      ++at_;
    } else if (c == ';') {
      skip_comment();
    } else if (c == '(' || c == ')') {
      if (open == (c == '(')) return wrong("found parentheses that do not match, expected pairs of them");
      open = c == '(';
      ++at_;
    } else if (c == '"') {
      if (const Status read = read_quoted(); !read) return read;
    } else {
      const size_t begin = at_;
      while (at_ < text_.size() && !ends_word(text_[at_])) at_ += width_at(text_, at_);
      words_.push_back(text_.substr(begin, at_ - begin));
    }
  }
  if (open) return wrong("found the end of the file, expected )");
  return Ok{};
}

Status ZoneText::directive() {
  if (words_.size() != 2)
    return wrong("found " + shown(words_[0]) + ", expected $ORIGIN NAME or $TTL SECONDS");
  if (equals_ignoring_case(words_[0], "$ORIGIN")) {
    const Result<Name> name = name_of(words_[1]);
    if (!name) return name.error();
    origin_ = *name;
    return Ok{};
  }
  const std::optional<uint32_t> ttl = ttl_of(words_[1]);
  if (!equals_ignoring_case(words_[0], "$TTL") || !ttl)
    return wrong("found " + shown(words_[0]) + " " + shown(words_[1]) +
                 ", expected $ORIGIN NAME or $TTL SECONDS");
  default_ttl_ = *ttl;
  return Ok{};
}

// [owner] [ttl] [class] type data, or class before ttl.
Status ZoneText::record() {
  size_t at = 0;
  if (!owner_left_out_) {
    const Result<Name> name = name_of(words_[at++]);
    if (!name) return name.error();
    owner_ = *name;
    has_owner_ = true;
  }
  if (!has_owner_) return wrong("found a record without an owner, expected a name at the start of the line");
  ttl_ = default_ttl_;
  for (; at < words_.size(); ++at) {
    const std::optional<uint32_t> ttl = ttl_of(words_[at]);
    if (ttl)
      ttl_ = *ttl;
    else if (!equals_ignoring_case(words_[at], "IN"))
      break;
  }
  if (at == words_.size()) return wrong("found a record without a type, expected one");
  type_ = words_[at];
  data_at_ = at + 1;
  return Ok{};
}

Result<bool> ZoneText::next() {
  while (at_ < text_.size()) {
    if (const Status read = read_words(); !read) return read.error();
    if (words_.empty()) continue;
    const bool is_directive = !owner_left_out_ && words_[0].starts_with('$');
    const Status read = is_directive ? directive() : record();
    if (!read) return read.error();
    if (!is_directive) return true;
  }
  return false;
}

}  // namespace postern::profiles::dns
