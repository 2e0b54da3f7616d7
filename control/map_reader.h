// SPDX-License-Identifier: Apache-2.0
// Reads one mapping of an operator's file: every key is asked for by name and type, what does not fit becomes
// a finding with its line and what was expected, and `finish` complains about keys nobody asked for. A wrong
// value reads as the fallback, so that one run shows all mistakes. Views into the tree must not outlive it.
// Control thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "control/document.h"
#include "control/findings.h"

namespace postern::control {

struct Range {
  int64_t least = 0;
  int64_t most = std::numeric_limits<int64_t>::max();
};

template <typename T>
struct Choice {
  std::string_view name;
  T value;
};

// Scalars as one type; std::nullopt when the node is something else. Quoted texts are never numbers or flags.
std::optional<int64_t> as_integer(const Node& node, Range range);
std::optional<bool> as_flag(const Node& node);
std::optional<std::string> as_text(const Node& node);  // not empty; any plain or quoted scalar
bool is_name(
    std::string_view text);  // letters, digits, `_`, `-`, `.`; at most 64; starts with letter or digit
bool is_snake_name(
    std::string_view text);  // as kit identifiers: a-z, 0-9, `_`; starts with a letter; at most 128
std::string expected_one_of(std::span<const std::string_view> names);  // "a, b or c"

// An empty list that means "any" would widen a rule without a word, so such lists refuse to be empty when
// written.
enum class EmptyList : uint8_t { Fine, Refused };

class MapReader {
 public:
  // `what` names the mapping in messages. nullptr and nothing read as an empty mapping, other kinds are a
  // finding.
  MapReader(const Node* node, std::string what, Findings& findings);

  bool has(std::string_view key) const { return node_ != nullptr && node_->find(key) != nullptr; }
  uint32_t line() const { return line_; }
  uint32_t line_of(std::string_view key) const;  // of the key; of the mapping when there is no such key
  const std::string& what() const { return what_; }

  // The value, nullptr when absent; marks the key as known.
  const Node* take(std::string_view key);
  const Node* require(std::string_view key, std::string_view expected);

  std::optional<std::string> text(std::string_view key);  // absent: nothing, no finding
  std::string required_name(std::string_view key);        // "" after a finding
  int64_t integer(std::string_view key, Range range, int64_t fallback);
  bool flag(std::string_view key, bool fallback);
  template <typename T>
  T choice(std::string_view key, std::span<const Choice<T>> choices, T fallback);

  std::span<const Node> list(std::string_view key, std::string_view expected,
                             EmptyList empty);  // absent: empty
  std::vector<std::string> names(std::string_view key, std::string_view expected, EmptyList empty);
  std::vector<Prefix> prefixes(std::string_view key);
  MapReader map(std::string_view key);

  void finish();

 private:
  const Node* node_;
  uint32_t line_;
  std::string what_;
  Findings& findings_;
  std::vector<std::string_view> known_;
};

template <typename T>
T MapReader::choice(std::string_view key, std::span<const Choice<T>> choices, T fallback) {
  const Node* node = take(key);
  if (node == nullptr) return fallback;
  const auto text = as_text(*node);
  std::vector<std::string_view> names;
  for (const Choice<T>& c : choices) {
    if (text && *text == c.name) return c.value;
    names.push_back(c.name);
  }
  findings_.error(node->line,
                  std::string(key) + ": found " + node->found() + ", expected " + expected_one_of(names));
  return fallback;
}

}  // namespace postern::control
