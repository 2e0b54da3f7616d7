// SPDX-License-Identifier: Apache-2.0
#include "control/json_reader.h"

#include <iterator>
#include <nlohmann/json.hpp>

#include "control/tree_builder.h"

namespace postern::control {
namespace {

struct Position {
  uint32_t line = 1;
  char last = '\0';  // the character read most recently
};

// Hands characters to the parser and counts the lines that went by, since its events carry no position.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, Position* position) : at_(at), position_(position) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    if (*at_ == '\n') ++position_->line;
    position_->last = *at_++;
    return *this;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  Position* position_;
};

class Events : public nlohmann::json_sax<nlohmann::json> {
 public:
  Events(TreeBuilder& tree, const Position& position) : tree_(tree), position_(position) {}

  bool null() override { return tree_.scalar(Node::Kind::Null, "null", position_.line); }
  bool boolean(bool value) override {
    return tree_.scalar(Node::Kind::Bool, value ? "true" : "false", position_.line);
  }
  bool number_integer(number_integer_t value) override { return number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return number(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return number(text); }
  bool string(string_t& text) override { return tree_.scalar(Node::Kind::Text, text, position_.line); }
  bool binary(binary_t&) override { return tree_.fail(position_.line, "binary value; expected JSON text"); }
  bool start_object(std::size_t) override { return tree_.open(Node::Kind::Map, position_.line); }
  bool key(string_t& text) override { return tree_.key(text, position_.line); }
  bool end_object() override { return tree_.close(); }
  bool start_array(std::size_t) override { return tree_.open(Node::Kind::List, position_.line); }
  bool end_array() override { return tree_.close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& problem) override {
    // "[json.exception.parse_error.101] parse error at line 3, column 2: syntax error while ..."
    std::string text = problem.what();
    if (const size_t end = text.find("] "); end != std::string::npos) text.erase(0, end + 2);
    if (const size_t end = text.find(": "); text.starts_with("parse error at") && end != std::string::npos)
      text.erase(0, end + 2);
    if (text.size() > 200) text = text.substr(0, 200) + "...";
    return tree_.fail(line_before(), "not JSON: " + text + "; expected strict JSON");
  }

 private:
  // A number, and a broken token, end only when the next character is read, which may be the end of the line.
  uint32_t line_before() const { return position_.last == '\n' ? position_.line - 1 : position_.line; }
  bool number(const std::string& text) { return tree_.scalar(Node::Kind::Number, text, line_before()); }

  TreeBuilder& tree_;
  const Position& position_;
};

}  // namespace

Result<Node> read_json(std::string_view text, const std::string& file, const ReadLimits& limits) {
  TreeBuilder tree(file, limits);
  Position position;
  Events events(tree, position);
  try {
    const CountingIterator begin(text.data(), &position), end(text.data() + text.size(), &position);
    if (nlohmann::json::sax_parse(begin, end, &events)) return tree.take_root();
  } catch (const std::exception& problem) {
    return Error{std::string("not JSON: ") + problem.what(), file, position.line};
  }
  return tree.error().value_or(Error{"not JSON; expected strict JSON", file, position.line});
}

}  // namespace postern::control
