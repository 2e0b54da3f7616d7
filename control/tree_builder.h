// SPDX-License-Identifier: Apache-2.0
// Grows a Node tree from the events of a parser and enforces what YAML and JSON files share: no key twice,
// bounded depth, nodes and key length, no NUL in a text. The first mistake ends the building. One file, one
// builder.
#pragma once

#include <optional>
#include <unordered_set>

#include "control/document.h"

namespace postern::control {

class TreeBuilder {
 public:
  TreeBuilder(const std::string& file, const ReadLimits& limits) : file_(file), limits_(limits) {}

  // False: stop, `error` says why.
  bool scalar(Node::Kind kind, std::string_view text, uint32_t line);
  bool key(std::string_view text, uint32_t line);
  bool open(Node::Kind kind, uint32_t line);
  bool close();

  bool wants_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::Map && !open_.back().has_key;
  }
  bool fail(uint32_t line, std::string message);
  const std::optional<Error>& error() const { return error_; }
  Node take_root() { return std::move(root_); }

 private:
  struct Open {
    Node node;
    std::unordered_set<std::string> keys;
    bool has_key = false;
  };

  bool place(Node node);

  const std::string& file_;
  ReadLimits limits_;
  std::vector<Open> open_;
  size_t nodes_ = 0;
  Node root_;
  std::optional<Error> error_;
};

}  // namespace postern::control
