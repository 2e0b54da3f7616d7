// SPDX-License-Identifier: Apache-2.0
#include "control/tree_builder.h"

namespace postern::control {

bool TreeBuilder::fail(uint32_t line, std::string message) {
  if (!error_) error_ = Error{std::move(message), file_, line};
  return false;
}

bool TreeBuilder::place(Node node) {
  if (open_.empty()) {
    root_ = std::move(node);
    return true;
  }
  Open& parent = open_.back();
  if (parent.node.kind == Node::Kind::List) {
    parent.node.items.push_back(std::move(node));
    return true;
  }
  parent.node.entries.back().value = std::move(node);
  parent.has_key = false;
  return true;
}

bool TreeBuilder::scalar(Node::Kind kind, std::string_view text, uint32_t line) {
  if (++nodes_ > limits_.nodes)
    return fail(line, "more than " + std::to_string(limits_.nodes) + " values; expected a smaller file");
  if (text.find('\0') != std::string_view::npos)
    return fail(line, "text with a NUL character; expected none");
  return place(Node{kind, line, std::string(text), {}, {}});
}

bool TreeBuilder::key(std::string_view text, uint32_t line) {
  if (text.size() > limits_.key_bytes)
    return fail(line, "key of " + std::to_string(text.size()) + " bytes; expected at most " +
                          std::to_string(limits_.key_bytes));
  if (text.find('\0') != std::string_view::npos) return fail(line, "key with a NUL character; expected none");
  Open& map = open_.back();
  if (!map.keys.emplace(text).second) {
    const uint32_t first = map.node.entry(text)->line;
    return fail(line, "key " + in_quotes(text) + " is already on line " + std::to_string(first) +
                          "; expected each key once");
  }
  map.node.entries.push_back({std::string(text), line, Node{Node::Kind::Null, line, {}, {}, {}}});
  map.has_key = true;
  return true;
}

bool TreeBuilder::open(Node::Kind kind, uint32_t line) {
  if (++nodes_ > limits_.nodes)
    return fail(line, "more than " + std::to_string(limits_.nodes) + " values; expected a smaller file");
  if (open_.size() >= limits_.depth)
    return fail(line,
                "nested deeper than " + std::to_string(limits_.depth) + " levels; expected a flatter file");
  open_.push_back({Node{kind, line, {}, {}, {}}, {}});
  return true;
}

bool TreeBuilder::close() {
  Node done = std::move(open_.back().node);
  open_.pop_back();
  return place(std::move(done));
}

}  // namespace postern::control
