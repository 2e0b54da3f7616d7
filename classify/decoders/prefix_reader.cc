// SPDX-License-Identifier: Apache-2.0
#include "classify/decoders/prefix_reader.h"

#include <algorithm>

#include "base/ascii.h"

namespace postern::classify::decoders {
namespace {

bool is_visible(char c) noexcept { return c > 0x20 && c < 0x7f; }
bool is_text(char c) noexcept { return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace

uint32_t PrefixReader::big(size_t width, uint32_t least, uint32_t most) noexcept {
  if (!ok()) return 0;
  const size_t have = std::min(width, rest_.size());
  uint64_t low = 0;
  for (size_t i = 0; i < have; ++i) low = low << 8 | rest_[i];
  const size_t missing = 8 * (width - have);
  low <<= missing;
  const uint64_t high = low | ((uint64_t{1} << missing) - 1);
  if (high < least || low > most) return settle(Fit::No), 0;
  if (have < width) return settle(Fit::More), 0;
  take(width);
  return static_cast<uint32_t>(low);
}

uint32_t PrefixReader::little(size_t width, uint32_t least, uint32_t most) noexcept {
  if (!ok()) return 0;
  const size_t have = std::min(width, rest_.size());
  uint64_t known = 0;
  for (size_t i = have; i > 0; --i) known = known << 8 | rest_[i - 1];
  // The smallest number from `least` on that ends in the known bytes.
  const uint64_t step = uint64_t{1} << (8 * have);
  const uint64_t value = known >= least ? known : known + (least - known + step - 1) / step * step;
  if (value > most) return settle(Fit::No), 0;
  if (have < width) return settle(Fit::More), 0;
  take(width);
  return static_cast<uint32_t>(known);
}

uint32_t PrefixReader::ber_length(uint32_t least, uint32_t most) noexcept {
  const uint32_t first = u8(0, 0x84);
  if (first == 0x80) settle(Fit::No);
  if (first > 0x80) return big(first - 0x80, least, most);
  require(first >= least && first <= most);
  return ok() ? first : 0;
}

uint8_t PrefixReader::peek() noexcept {
  if (!ok()) return 0;
  if (rest_.empty()) return settle(Fit::More), 0;
  return rest_[0];
}

uint8_t PrefixReader::one_of(std::string_view bytes) noexcept {
  const uint8_t next = peek();
  require(bytes.find(static_cast<char>(next)) != std::string_view::npos);
  if (!ok()) return 0;
  take(1);
  return next;
}

void PrefixReader::literal(std::string_view text) noexcept {
  if (!ok()) return;
  const size_t have = std::min(text.size(), rest_.size());
  if (as_text(rest_.first(have)) != text.substr(0, have)) return settle(Fit::No);
  if (have < text.size()) return settle(Fit::More);
  take(have);
}

void PrefixReader::zeros(size_t count) noexcept {
  if (!ok()) return;
  const size_t have = std::min(count, rest_.size());
  for (const uint8_t byte : rest_.first(have))
    if (byte != 0) return settle(Fit::No);
  if (have < count) return settle(Fit::More);
  take(have);
}

Bytes PrefixReader::bytes(size_t count) noexcept {
  if (!ok()) return {};
  if (rest_.size() < count) return settle(Fit::More), Bytes{};
  const Bytes head = rest_.first(count);
  take(count);
  return head;
}

size_t PrefixReader::choice(std::span<const std::string_view> texts) noexcept {
  if (!ok()) return texts.size();
  bool possible = false;
  for (size_t i = 0; i < texts.size(); ++i) {
    const size_t have = std::min(texts[i].size(), rest_.size());
    if (as_text(rest_.first(have)) != texts[i].substr(0, have)) continue;
    if (have == texts[i].size()) return take(have), i;
    possible = true;
  }
  settle(possible ? Fit::More : Fit::No);
  return texts.size();
}

size_t PrefixReader::word(std::span<const std::string_view> words) noexcept {
  if (!ok()) return words.size();
  const std::string_view text = as_text(rest_);
  const size_t end =
      static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_visible) - text.begin());
  const std::string_view found = text.substr(0, end);
  const bool whole = end < text.size();
  bool possible = false;
  for (size_t i = 0; i < words.size(); ++i) {
    if (found.size() > words[i].size() || !equals_ignoring_case(found, words[i].substr(0, found.size())))
      continue;
    if (whole && found.size() == words[i].size()) return take(end), i;
    possible = possible || !whole;
  }
  settle(possible ? Fit::More : Fit::No);
  return words.size();
}

template <typename Allowed>
std::string_view PrefixReader::until(char end, size_t longest, Allowed allowed) noexcept {
  if (!ok()) return {};
  const std::string_view text = as_text(rest_);
  size_t at = 0;
  while (at < text.size() && text[at] != end) {
    if (!allowed(text[at]) || at == longest) return settle(Fit::No), std::string_view{};
    ++at;
  }
  if (at == text.size()) return settle(Fit::More), std::string_view{};
  take(at + 1);
  return text.substr(0, at);
}

std::string_view PrefixReader::visible_until(char end, size_t longest) noexcept {
  return until(end, longest, is_visible);
}

std::string_view PrefixReader::text_until(char end, size_t longest) noexcept {
  return until(end, longest, is_text);
}

std::string_view PrefixReader::line(size_t longest) noexcept {
  if (!ok()) return {};
  const std::string_view text = as_text(rest_);
  size_t at = 0;
  while (at < text.size() && is_text(text[at])) {
    if (at == longest) return settle(Fit::No), std::string_view{};
    ++at;
  }
  const size_t end = at < text.size() && text[at] == '\r' ? at + 1 : at;
  if (end == text.size()) return settle(Fit::More), std::string_view{};
  if (text[end] != '\n') return settle(Fit::No), std::string_view{};
  take(end + 1);
  return text.substr(0, at);
}

std::string_view PrefixReader::visible(size_t count) noexcept {
  if (!ok()) return {};
  const std::string_view text = as_text(rest_).substr(0, count);
  for (const char c : text)
    if (!is_visible(c) && c != ' ') return settle(Fit::No), std::string_view{};
  if (text.size() < count) return settle(Fit::More), std::string_view{};
  take(count);
  return text;
}

std::string_view PrefixReader::digits(size_t most) noexcept {
  if (!ok()) return {};
  const std::string_view text = as_text(rest_);
  const size_t count =
      static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  if (count > most) return settle(Fit::No), std::string_view{};
  if (count == text.size()) return settle(Fit::More), std::string_view{};
  if (count == 0) return settle(Fit::No), std::string_view{};
  take(count);
  return text.substr(0, count);
}

}  // namespace postern::classify::decoders
