// SPDX-License-Identifier: Apache-2.0
#include "profiles/byte_signatures.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace postern::profiles {
namespace {

constexpr size_t kLongestName = 64, kFewestBytes = 4;
constexpr uint32_t kLongestGap = 200;
constexpr std::string_view kExpected =
    "expected hex digits, ??, a?, ?a, {n}, {n-m}, {-m} and (aa|bb), at most 256 bytes and no *";

std::optional<unsigned> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

std::string byte_text(unsigned byte) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  return {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

// One signature's hex, turned into the expression that Hyperscan knows.
class HexReader {
 public:
  explicit HexReader(std::string_view hex) : left_(hex) {}

  std::optional<std::string> read() {
    while (!left_.empty())
      if (!(left_[0] == '{' ? gap() : left_[0] == '(' ? alternatives() : byte())) return std::nullopt;
    if (fixed_ < kFewestBytes) return std::nullopt;
    return std::move(expression_);
  }

 private:
  bool byte() {
    if (left_.size() < 2) return false;
    const char high = left_[0], low = left_[1];
    left_.remove_prefix(2);
    const auto first = digit(high), second = digit(low);
    if (first && second) {
      expression_ += byte_text(*first << 4 | *second);
      ++fixed_;
    } else if (first && low == '?') {
      expression_ += '[' + byte_text(*first << 4) + '-' + byte_text(*first << 4 | 15) + ']';
    } else if (high == '?' && second) {
      expression_ += '[';
      for (unsigned n = 0; n < 16; ++n) expression_ += byte_text(n << 4 | *second);
      expression_ += ']';
    } else if (high == '?' && low == '?') {
      expression_ += '.';
    } else {
      return false;
    }
    return true;
  }

  bool gap() {
    const size_t end = left_.find('}');
    if (end == std::string_view::npos) return false;
    const std::string_view inner = left_.substr(1, end - 1);
    left_.remove_prefix(end + 1);
    const size_t dash = inner.find('-');
    const auto most = number(dash == std::string_view::npos ? inner : inner.substr(dash + 1));
    const auto least = dash == 0 ? std::optional<uint32_t>(0) : number(inner.substr(0, dash));
    if (!most || !least || *least > *most || *most > kLongestGap) return false;
    expression_ += ".{" + std::to_string(*least) + ',' + std::to_string(*most) + '}';
    return true;
  }

  bool alternatives() {
    const size_t end = left_.find(')');
    if (end == std::string_view::npos) return false;
    std::string_view inner = left_.substr(1, end - 1);
    left_.remove_prefix(end + 1);
    std::string group;
    for (size_t bar = 0; bar != std::string_view::npos; inner.remove_prefix(bar + 1)) {
      bar = inner.find('|');
      const std::string_view one = inner.substr(0, bar);
      if (one.empty() || one.size() % 2 != 0) return false;
      group += group.empty() ? "(?:" : "|";
      for (size_t at = 0; at < one.size(); at += 2) {
        const auto first = digit(one[at]), second = digit(one[at + 1]);
        if (!first || !second) return false;
        group += byte_text(*first << 4 | *second);
      }
      if (bar == std::string_view::npos) break;
    }
    expression_ += group + ')';
    return true;
  }

  static std::optional<uint32_t> number(std::string_view text) {
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  }

  std::string_view left_;
  std::string expression_;
  size_t fixed_ = 0;
};

Result<ByteSignature> read_line(std::string_view line, const std::string& file, uint32_t number) {
  std::array<std::string_view, 4> fields;
  size_t count = 0;
  for (; count < 3; ++count) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) break;
    fields[count] = line.substr(0, colon);
    line.remove_prefix(colon + 1);
  }
  fields[3] = line.substr(0, line.find(':'));  // what follows are engine versions
  const auto [name, target, offset, hex] = fields;
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 127 && c != '"'; });
  if (count < 3 || name.empty() || name.size() > kLongestName || !printable)
    return Error{"found no signature, expected Name:Target:Offset:Hex with a name of up to 64 characters",
                 file, number};
  if (target != "0" || offset != "*")
    return Error{"signature " + std::string(name) +
                     " is for some file types or places, expected target 0 and offset *: bytes of flows",
                 file, number};
  auto expression = HexReader(hex).read();
  if (!expression)
    return Error{"signature " + std::string(name) + ": " + std::string(kExpected), file, number};
  return ByteSignature{std::string(name),
                       {.expression = std::move(*expression), .file = file, .line = number}};
}

}  // namespace

Result<std::vector<ByteSignature>> parse_byte_signatures(std::string_view text, const std::string& file) {
  std::vector<ByteSignature> all;
  for (uint32_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || line[0] == '#') continue;
    auto signature = read_line(line, file, number);
    if (!signature) return signature.error();
    all.push_back(std::move(*signature));
  }
  return all;
}

ByteSignature eicar_signature() {
  // In two parts, so that this program's own file is not taken for it.
  constexpr std::string_view kText = R"(X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS)";
  constexpr std::string_view kRest = "-TEST-FILE!$H+H*";
  ByteSignature signature{.name = "Eicar-Test-Signature", .pattern = {}};
  for (const std::string_view part : {kText, kRest})
    for (const char c : part) signature.pattern.expression += byte_text(static_cast<unsigned char>(c));
  return signature;
}

}  // namespace postern::profiles
