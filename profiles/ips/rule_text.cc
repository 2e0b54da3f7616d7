// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/rule_text.h"

#include <algorithm>

#include "profiles/ips/text.h"

namespace postern::profiles::ips {
namespace {

// A header field: a word, or a list in brackets that may hold blanks.
std::string_view take_field(std::string_view& rest) {
  rest = trimmed(rest);
  int depth = 0;
  size_t end = 0;
  for (; end < rest.size(); ++end) {
    if (rest[end] == '[') ++depth;
    if (rest[end] == ']') --depth;
    if (depth <= 0 && is_blank(rest[end])) break;
  }
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end);
  return field;
}

// Where the option ends that `text` begins with: at a semicolon that neither a backslash nor quotes protect.
// Quotes do not protect in Suricata, so a semicolon in them is a mistake of the rule and ends it there too.
size_t end_of_option(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == ';')
      return i;
  }
  return text.npos;
}

bool is_keyword(std::string_view word) {
  return !word.empty() && word.size() <= 64 && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

Result<std::vector<Option>> parse_options(std::string_view text) {
  std::vector<Option> options;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const size_t end = end_of_option(text);
    if (end == text.npos)
      return Error{"option '" + valid_utf8(text.substr(0, 40)) + "' does not end with ';'"};
    std::string_view option = trimmed(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (option.empty()) continue;
    const size_t colon = option.find(':');
    const std::string_view keyword = trimmed(option.substr(0, colon));
    if (!is_keyword(keyword))
      return Error{"found '" + valid_utf8(keyword.substr(0, 40)) + "', expected a keyword"};
    if (options.size() == kMostOptions)
      return Error{"more than " + std::to_string(kMostOptions) + " options"};
    options.push_back(
        {std::string(keyword),
         std::string(colon == option.npos ? std::string_view() : trimmed(option.substr(colon + 1))),
         colon != option.npos});
  }
  return options;
}

}  // namespace

Result<RuleText> parse_rule_text(std::string_view line) {
  if (line.size() > kLongestRule)
    return Error{"the rule is longer than " + std::to_string(kLongestRule) + " bytes"};
  if (line.find('\0') != line.npos) return Error{"the rule has a NUL byte; write |00|"};
  const size_t open = line.find('('), close = line.rfind(')');
  if (open == line.npos) return Error{"found no '(', expected options in parentheses"};
  if (close == line.npos || close < open) return Error{"found no ')' at the end of the options"};
  if (!trimmed(line.substr(close + 1)).empty())
    return Error{"found '" + valid_utf8(trimmed(line.substr(close + 1)).substr(0, 40)) + "' behind the rule"};

  RuleText rule;
  std::string_view header = line.substr(0, open);
  for (std::string* field : {&rule.action, &rule.protocol, &rule.source, &rule.source_ports, &rule.arrow,
                             &rule.destination, &rule.destination_ports}) {
    *field = std::string(take_field(header));
    if (field->empty())
      return Error{"expected action, protocol, source, ports, direction, destination and ports before '('"};
  }
  if (!trimmed(header).empty())
    return Error{"found '" + valid_utf8(trimmed(header).substr(0, 40)) +
                 "' behind the ports of the destination"};
  Result<std::vector<Option>> options = parse_options(line.substr(open + 1, close - open - 1));
  if (!options) return options.error();
  rule.options = std::move(*options);
  return rule;
}

std::string text_of(const RuleText& rule) {
  std::string text = rule.action + " " + rule.protocol + " " + rule.source + " " + rule.source_ports + " " +
                     rule.arrow + " " + rule.destination + " " + rule.destination_ports + " (";
  for (const Option& option : rule.options) {
    if (&option != &rule.options.front()) text += ' ';
    text += option.keyword;
    if (option.has_value) text += ":" + option.value;
    text += ';';
  }
  return text + ")";
}

RuleLines::Line RuleLines::next() {
  Line line;
  while (!rest_.empty()) {
    const size_t end = rest_.find('\n');
    std::string_view piece = rest_.substr(0, end);
    rest_ = end == rest_.npos ? std::string_view() : rest_.substr(end + 1);
    ++number_;
    if (piece.ends_with('\r')) piece.remove_suffix(1);
    if (line.number == 0) {
      piece = trimmed(piece);
      if (piece.empty() || piece.front() == '#') continue;
      line.number = number_;
    }
    const bool goes_on = piece.ends_with('\\');
    if (goes_on) piece.remove_suffix(1);
    // One byte too many is enough to be refused for its length.
    line.text.append(piece.substr(0, kLongestRule + 1 - std::min(line.text.size(), kLongestRule + 1)));
    if (!goes_on) break;
  }
  return line;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto at = [&](size_t k) {
      return i + k < text.size() ? static_cast<uint8_t>(text[i + k]) : uint8_t{0};
    };
    const uint8_t first = at(0);
    const size_t length = first < 0x80                    ? 1
                          : first >= 0xc2 && first < 0xe0 ? 2
                          : first >= 0xe0 && first < 0xf0 ? 3
                          : first >= 0xf0 && first < 0xf5 ? 4
                                                          : 0;
    bool good = length != 0;
    for (size_t k = 1; good && k < length; ++k) good = (at(k) & 0xc0) == 0x80;
    // Overlong forms, surrogates and what is above U+10FFFF (RFC 3629 section 3).
    if (good && length == 3) good = !(first == 0xe0 && at(1) < 0xa0) && !(first == 0xed && at(1) > 0x9f);
    if (good && length == 4) good = !(first == 0xf0 && at(1) < 0x90) && !(first == 0xf4 && at(1) > 0x8f);
    if (good)
      out += text.substr(i, length);
    else
      out += "\xef\xbf\xbd";
    i += good ? length : 1;
  }
  return out;
}

}  // namespace postern::profiles::ips
