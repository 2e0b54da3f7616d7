// SPDX-License-Identifier: Apache-2.0
// Rows of text as an aligned table: two blanks between columns, none at line ends. Control characters, which
// a name from a policy pack may hold and a terminal would obey, are shown as `?`. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern::control {

enum class Align : uint8_t { Left, Right };

class TablePrinter {
 public:
  struct Heading {
    std::string text;  // all empty: the table has no heading line
    Align align = Align::Left;
  };

  explicit TablePrinter(std::vector<Heading> headings) : headings_(std::move(headings)) {}
  // As many cells as there are headings.
  void add(std::vector<std::string> cells);
  std::string text() const;

 private:
  std::vector<Heading> headings_;
  std::vector<std::vector<std::string>> rows_;
};

// The text with control characters replaced; for whatever goes to a terminal.
std::string printable(std::string_view text);

}  // namespace postern::control
