// SPDX-License-Identifier: Apache-2.0
// What posternctl can be asked, as data: words, options, help, the request that goes to posternd and how its
// reply is shown. A new command is a new row. Any thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/api_message.h"
#include "control/table_printer.h"

namespace postern::control {

// What the operator typed after the command's words, by option or positional name.
class Arguments {
 public:
  void add(const std::string& name, std::string value) { values_[name].push_back(std::move(value)); }
  bool has(const std::string& name) const { return values_.contains(name); }
  std::optional<std::string> one(const std::string& name) const;
  std::vector<std::string> all(const std::string& name) const;

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

enum class Takes : uint8_t { Nothing, One, Many };
struct Option {
  std::string_view name, value, help;
  Takes takes = Takes::One;
};
enum class Need : uint8_t { Required, Optional };
struct Positional {
  std::string_view name;
  Need need = Need::Required;
};

struct Column {
  std::string_view heading;
  std::string_view field;  // of the row; dots lead into objects: "rule.pack"
  Align align = Align::Left;
};
// Rows: an array of objects, one line each. Fields: one object, one line per column; without columns, all it
// holds.
// Lines: an array of texts of one object and nothing else.
enum class Shape : uint8_t { Rows, Fields, Lines };
struct View {
  Shape shape = Shape::Rows;
  std::span<const Column> columns;
  std::string_view expand;     // Rows: an array inside each row becomes lines of its own, joined with the row
  std::string_view hide_zero;  // Rows: rows with 0 here are shown only with --all
  std::string_view lines;      // Fields, Lines: an array of texts, printed below
  std::string_view line_prefix;
};

struct Command {
  std::string_view name;     // "show flows"
  std::string_view usage;    // what follows the name
  std::string_view summary;  // one line
  std::string_view help;     // more lines, may be empty
  std::span<const Positional> positionals;
  std::span<const Option> options;
  Result<Request> (*request)(const Arguments&);  // nullptr: the words of the name and no arguments
  View view;
  // What to ask next, some time after this result; nullopt: that was all. nullptr: one reply is all.
  std::optional<Request> (*further)(const nlohmann::json& result) = nullptr;
};

std::span<const Command> commands();
// The command whose words these begin with; nullptr when there is none.
const Command* find_command(std::span<const std::string> words);
Result<Request> request_of(const Command& command, const Arguments& arguments);

}  // namespace postern::control
