// SPDX-License-Identifier: Apache-2.0
// A rule as it is written: header words and options in their order, nothing interpreted and nothing lost but
// blanks. Also the lines of a rule file. Control thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern::profiles::ips {

inline constexpr size_t kLongestRule = 64 * 1024;
inline constexpr size_t kMostOptions = 1024;

struct Option {
  std::string keyword;
  std::string value;  // quotes and escapes as written
  bool has_value = false;
  bool operator==(const Option&) const = default;
};

struct RuleText {
  std::string action, protocol, source, source_ports, arrow, destination, destination_ports;
  std::vector<Option> options;
  bool operator==(const RuleText&) const = default;
};

// The rule of one logical line. Errors have no file and line.
Result<RuleText> parse_rule_text(std::string_view line);
std::string text_of(const RuleText& rule);  // parses to the same RuleText

// Takes the next rule off a file: joins lines that end with a backslash, skips blank lines and comments.
class RuleLines {
 public:
  explicit RuleLines(std::string_view text) : rest_(text) {}

  struct Line {
    std::string text;     // cut a little above kLongestRule
    uint32_t number = 0;  // of its first line, 1-based; 0: no more rules
  };
  Line next();

 private:
  std::string_view rest_;
  uint32_t number_ = 0;
};

// With U+FFFD for what is not UTF-8, so that a message can stand in a log.
std::string valid_utf8(std::string_view text);

}  // namespace postern::profiles::ips
