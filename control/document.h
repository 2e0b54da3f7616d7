// SPDX-License-Identifier: Apache-2.0
// An operator's file as a tree in which every node knows its line, the same for YAML and JSON. Scalars keep
// their text; what a plain YAML scalar means is decided by the reader that wants it, so `no` stays "no" where
// a text is wanted. Errors name file and line. Control thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern::control {

struct Node {
  // Plain: YAML without quotes, typed by whoever reads it. Text: quoted. Number, Bool, Null: JSON only.
  enum class Kind : uint8_t { Null, Plain, Text, Number, Bool, List, Map };
  struct Entry;

  Kind kind = Kind::Null;
  uint32_t line = 1;
  std::string text;            // of scalars, without quotes and escapes
  std::vector<Node> items;     // of a List
  std::vector<Entry> entries;  // of a Map, in the order written, no key twice

  const Entry* entry(std::string_view key) const;
  const Node* find(std::string_view key) const;  // nullptr: no such key
  bool is_scalar() const { return kind != Kind::List && kind != Kind::Map; }
  bool is_nothing() const;    // null, ~ or an empty plain scalar
  std::string found() const;  // for messages: "abc" in quotes and shortened, "a list", "nothing"
};

struct Node::Entry {
  std::string key;
  uint32_t line = 1;
  Node value;
};

struct ReadLimits {
  size_t nodes = 2'000'000;
  size_t depth = 64;
  size_t key_bytes = 256;
};
inline constexpr size_t kMostFileBytes = size_t{64} << 20;

struct Document {
  std::string file;
  Node root;
};

// Size and kind of file are checked before a byte is read.
Result<std::string> read_operator_file(const std::string& path);

// By extension: `.json` is JSON, anything else YAML.
Result<Document> parse_document(std::string_view text, const std::string& file,
                                const ReadLimits& limits = {});
Result<Document> read_document(const std::string& path, const ReadLimits& limits = {});

// `path` as seen from the folder of `file`; absolute paths stay.
std::string beside(const std::string& file, const std::string& path);

// Text of an operator in a message: quoted, control characters escaped, at most 60 bytes of it.
std::string in_quotes(std::string_view text);

}  // namespace postern::control
