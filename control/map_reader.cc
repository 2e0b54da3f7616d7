// SPDX-License-Identifier: Apache-2.0
#include "control/map_reader.h"

#include <algorithm>
#include <charconv>

namespace postern::control {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// "::/0" holds the IPv4-mapped addresses too, so it would let in more than it says.
bool takes_in_ipv4(const Prefix& prefix) {
  return prefix.length < 96 && prefix.contains(Prefix::any_v4().address);
}

}  // namespace

std::optional<int64_t> as_integer(const Node& node, Range range) {
  if (node.kind != Node::Kind::Plain && node.kind != Node::Kind::Number) return std::nullopt;
  const char* end = node.text.data() + node.text.size();
  int64_t value = 0;
  const auto [rest, problem] = std::from_chars(node.text.data(), end, value);
  if (problem != std::errc{} || rest != end) return std::nullopt;
  // 010 is eight to some readers and ten to others.
  if (std::to_string(value) != node.text) return std::nullopt;
  if (value < range.least || value > range.most) return std::nullopt;
  return value;
}

std::optional<bool> as_flag(const Node& node) {
  if (node.kind != Node::Kind::Plain && node.kind != Node::Kind::Bool) return std::nullopt;
  if (node.text == "true") return true;
  if (node.text == "false") return false;
  return std::nullopt;
}

std::optional<std::string> as_text(const Node& node) {
  if (node.kind != Node::Kind::Plain && node.kind != Node::Kind::Text) return std::nullopt;
  if (node.text.empty()) return std::nullopt;
  return node.text;
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 64 || !is_alphanumeric(text[0])) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; });
}

bool is_snake_name(std::string_view text) {
  if (text.empty() || text.size() > 128 || text[0] < 'a' || text[0] > 'z') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

std::string expected_one_of(std::span<const std::string_view> names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

MapReader::MapReader(const Node* node, std::string what, Findings& findings)
    : node_(node), line_(node == nullptr ? 0 : node->line), what_(std::move(what)), findings_(findings) {
  if (node_ == nullptr || node_->kind == Node::Kind::Map) return;
  if (!node_->is_nothing())
    findings_.error(line_, what_ + ": found " + node_->found() + ", expected a mapping");
  node_ = nullptr;
}

uint32_t MapReader::line_of(std::string_view key) const {
  const Node::Entry* entry = node_ == nullptr ? nullptr : node_->entry(key);
  return entry == nullptr ? line_ : entry->line;
}

const Node* MapReader::take(std::string_view key) {
  known_.push_back(key);
  return node_ == nullptr ? nullptr : node_->find(key);
}

const Node* MapReader::require(std::string_view key, std::string_view expected) {
  const Node* node = take(key);
  if (node == nullptr)
    findings_.error(line_, what_ + ": no key " + in_quotes(key) + ", expected " + std::string(expected));
  return node;
}

std::optional<std::string> MapReader::text(std::string_view key) {
  const Node* node = take(key);
  if (node == nullptr) return std::nullopt;
  auto text = as_text(*node);
  if (!text) findings_.error(node->line, std::string(key) + ": found " + node->found() + ", expected a text");
  return text;
}

std::string MapReader::required_name(std::string_view key) {
  constexpr std::string_view kExpected = "a name of letters, digits, `_`, `-` and `.`, at most 64";
  const Node* node = require(key, kExpected);
  if (node == nullptr) return {};
  if (const auto text = as_text(*node); text && is_name(*text)) return *text;
  findings_.error(node->line,
                  std::string(key) + ": found " + node->found() + ", expected " + std::string(kExpected));
  return {};
}

int64_t MapReader::integer(std::string_view key, Range range, int64_t fallback) {
  const Node* node = take(key);
  if (node == nullptr) return fallback;
  if (const auto value = as_integer(*node, range)) return *value;
  findings_.error(node->line, std::string(key) + ": found " + node->found() +
                                  ", expected a whole number from " + std::to_string(range.least) + " to " +
                                  std::to_string(range.most));
  return fallback;
}

bool MapReader::flag(std::string_view key, bool fallback) {
  const Node* node = take(key);
  if (node == nullptr) return fallback;
  if (const auto value = as_flag(*node)) return *value;
  findings_.error(node->line, std::string(key) + ": found " + node->found() + ", expected true or false");
  return fallback;
}

std::span<const Node> MapReader::list(std::string_view key, std::string_view expected, EmptyList empty) {
  const Node* node = take(key);
  if (node == nullptr) return {};
  const bool is_list = node->kind == Node::Kind::List;
  if (is_list && !node->items.empty()) return node->items;
  if (empty == EmptyList::Fine && (is_list || node->is_nothing())) return {};
  findings_.error(node->line, std::string(key) + ": found " + node->found() + ", expected a list of " +
                                  std::string(expected) + (is_list ? ", or no such key" : ""));
  return {};
}

std::vector<std::string> MapReader::names(std::string_view key, std::string_view expected, EmptyList empty) {
  std::vector<std::string> out;
  for (const Node& item : list(key, expected, empty)) {
    const auto text = as_text(item);
    if (text && is_name(*text))
      out.push_back(*text);
    else
      findings_.error(item.line, std::string(key) + ": found " + item.found() + ", expected " +
                                     std::string(expected) + " (letters, digits, `_`, `-` and `.`)");
  }
  return out;
}

std::vector<Prefix> MapReader::prefixes(std::string_view key) {
  std::vector<Prefix> out;
  for (const Node& item : list(key, "prefixes or addresses", EmptyList::Refused)) {
    const auto text = as_text(item);
    const auto prefix = text ? Prefix::parse(*text) : std::nullopt;
    if (prefix && takes_in_ipv4(*prefix)) {
      findings_.error(item.line,
                      std::string(key) + ": found " + item.found() +
                          ", which takes in IPv4 too; expected a prefix such as 2000::/3 or fc00::/7");
      continue;
    }
    if (prefix)
      out.push_back(*prefix);
    else
      findings_.error(item.line,
                      std::string(key) + ": found " + item.found() +
                          ", expected an address or a prefix such as 10.0.0.0/8 or fd00::/8 whose host "
                          "bits are zero");
  }
  return out;
}

MapReader MapReader::map(std::string_view key) {
  MapReader inner(take(key), std::string(key), findings_);
  if (inner.line_ == 0) inner.line_ = line_;
  return inner;
}

void MapReader::finish() {
  if (node_ == nullptr) return;
  for (const Node::Entry& entry : node_->entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    findings_.error(entry.line, what_ + ": unknown key " + in_quotes(entry.key) + ", expected " +
                                    expected_one_of(known_));
  }
}

}  // namespace postern::control
