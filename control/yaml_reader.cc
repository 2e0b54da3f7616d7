// SPDX-License-Identifier: Apache-2.0
#include "control/yaml_reader.h"

#include <yaml.h>

#include <algorithm>

#include "control/tree_builder.h"

namespace postern::control {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) {
    ready_ = yaml_parser_initialize(&parser_) == 1;
    if (!ready_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    // libyaml asserts that the text is somewhere, though it be empty.
    const char* start = text.empty() ? "" : text.data();
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(start), text.size());
  }
  ~Parser() {
    if (ready_) yaml_parser_delete(&parser_);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  bool ready() const { return ready_; }
  yaml_parser_t& raw() { return parser_; }

 private:
  yaml_parser_t parser_{};
  bool ready_ = false;
};

class Event {
 public:
  Event() = default;
  ~Event() { yaml_event_delete(&raw); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  yaml_event_t raw{};
};

std::string_view view(const yaml_char_t* text) { return reinterpret_cast<const char*>(text); }

uint32_t line_of(const yaml_event_t& event) { return static_cast<uint32_t>(event.start_mark.line) + 1; }

Error parse_error(const yaml_parser_t& parser, std::string_view text, const std::string& file) {
  if (parser.error == YAML_READER_ERROR) {
    // Reader errors know the byte, not the line.
    const size_t at = std::min(parser.problem_offset, text.size());
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
    return {std::string("not UTF-8 text: ") + parser.problem + "; expected YAML in UTF-8", file,
            static_cast<uint32_t>(line)};
  }
  if (parser.error == YAML_MEMORY_ERROR) return {"no memory to read it", file, 0};
  const std::string problem = parser.problem == nullptr ? "unreadable" : parser.problem;
  return {"not YAML: " + problem + "; expected a YAML document", file,
          static_cast<uint32_t>(parser.problem_mark.line) + 1};
}

bool refuse_extras(TreeBuilder& tree, const yaml_char_t* anchor, const yaml_char_t* tag, uint32_t line) {
  if (anchor != nullptr)
    return tree.fail(line, "anchor " + in_quotes("&" + std::string(view(anchor))) + "; expected no anchors");
  if (tag != nullptr) return tree.fail(line, "tag " + in_quotes(view(tag)) + "; expected no tags");
  return true;
}

bool add_scalar(TreeBuilder& tree, const yaml_event_t& event) {
  const auto& scalar = event.data.scalar;
  const uint32_t line = line_of(event);
  if (!refuse_extras(tree, scalar.anchor, scalar.tag, line)) return false;
  const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
  const bool plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
  if (!tree.wants_key()) return tree.scalar(plain ? Node::Kind::Plain : Node::Kind::Text, text, line);
  if (plain && text == "<<") return tree.fail(line, "merge key \"<<\"; expected every key written out");
  return tree.key(text, line);
}

bool open_collection(TreeBuilder& tree, Node::Kind kind, const yaml_char_t* anchor, const yaml_char_t* tag,
                     uint32_t line) {
  if (!refuse_extras(tree, anchor, tag, line)) return false;
  if (tree.wants_key()) return tree.fail(line, "a list or mapping as key; expected a text");
  return tree.open(kind, line);
}

enum class Progress { Going, Done, Failed };

Progress going(bool ok) { return ok ? Progress::Going : Progress::Failed; }

Progress take_event(TreeBuilder& tree, const yaml_event_t& event, unsigned documents) {
  const uint32_t line = line_of(event);
  switch (event.type) {
    case YAML_SCALAR_EVENT:
      return going(add_scalar(tree, event));
    case YAML_SEQUENCE_START_EVENT: {
      const auto& start = event.data.sequence_start;
      return going(open_collection(tree, Node::Kind::List, start.anchor, start.tag, line));
    }
    case YAML_MAPPING_START_EVENT: {
      const auto& start = event.data.mapping_start;
      return going(open_collection(tree, Node::Kind::Map, start.anchor, start.tag, line));
    }
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      return going(tree.close());
    case YAML_ALIAS_EVENT:
      return going(tree.fail(line, "alias " + in_quotes("*" + std::string(view(event.data.alias.anchor))) +
                                       "; expected no aliases"));
    case YAML_DOCUMENT_START_EVENT: {
      const auto& directives = event.data.document_start.tag_directives;
      if (directives.start != directives.end)
        return going(tree.fail(line, "%TAG directive; expected no tags"));
      if (documents > 0) return going(tree.fail(line, "a second document; expected one document per file"));
      return Progress::Going;
    }
    case YAML_STREAM_END_EVENT:
      return Progress::Done;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
      return Progress::Going;
  }
  return going(tree.fail(line, "unknown YAML event; expected a YAML document"));
}

}  // namespace

Result<Node> read_yaml(std::string_view text, const std::string& file, const ReadLimits& limits) {
  Parser parser(text);
  if (!parser.ready()) return Error{"no memory to read it", file, 0};
  TreeBuilder tree(file, limits);
  for (unsigned documents = 0;;) {
    Event event;
    if (yaml_parser_parse(&parser.raw(), &event.raw) != 1) return parse_error(parser.raw(), text, file);
    const Progress progress = take_event(tree, event.raw, documents);
    if (progress == Progress::Failed) return *tree.error();
    if (progress == Progress::Done) return tree.take_root();
    if (event.raw.type == YAML_DOCUMENT_START_EVENT) ++documents;
  }
}

}  // namespace postern::control
