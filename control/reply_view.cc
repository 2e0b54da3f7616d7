// SPDX-License-Identifier: Apache-2.0
#include "control/reply_view.h"

#include <algorithm>

namespace postern::control {
namespace {

using nlohmann::json;

constexpr auto kRepair = json::error_handler_t::replace;

std::string cell_text(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "-";
    case json::value_t::boolean:
      return value.get<bool>() ? "yes" : "no";
    case json::value_t::string:
      return value.get_ref<const std::string&>().empty() ? "-" : value.get<std::string>();
    case json::value_t::array: {
      std::string joined;
      for (const json& element : value) joined += (joined.empty() ? "" : ", ") + cell_text(element);
      return joined.empty() ? "-" : joined;
    }
    default:
      return value.dump(-1, ' ', false, kRepair);
  }
}

// "rule.pack" is the member pack of the member rule.
const json& value_at(const json& object, std::string_view path) {
  static const json kNothing;
  const json* at = &object;
  while (!path.empty()) {
    const size_t dot = path.find('.');
    const auto found = at->is_object() ? at->find(std::string(path.substr(0, dot))) : at->end();
    if (!at->is_object() || found == at->end()) return kNothing;
    at = &*found;
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return *at;
}

std::vector<json> expanded(const json& result, std::string_view field) {
  std::vector<json> rows;
  for (const json& row : result) {
    const json& parts = value_at(row, field);
    if (field.empty() || !parts.is_array()) {
      rows.push_back(row);
      continue;
    }
    for (const json& part : parts) {
      json joined = row;
      if (part.is_object()) joined.update(part);
      rows.push_back(std::move(joined));
    }
  }
  return rows;
}

std::string show_rows(const View& view, const json& result, ZeroRows zero_rows) {
  std::vector<TablePrinter::Heading> headings;
  for (const Column& column : view.columns) headings.push_back({std::string(column.heading), column.align});
  TablePrinter table(std::move(headings));
  for (const json& row : expanded(result, view.expand)) {
    const bool hides = !view.hide_zero.empty() && zero_rows == ZeroRows::Hide;
    if (hides && value_at(row, view.hide_zero) == json(0)) continue;
    std::vector<std::string> cells;
    for (const Column& column : view.columns) cells.push_back(cell_text(value_at(row, column.field)));
    table.add(std::move(cells));
  }
  return table.text();
}

// Members of members become lines of their own: "flows.active  12".
void add_members(TablePrinter& table, const json& object, const std::string& prefix) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) {
      add_members(table, value, prefix + key + ".");
    } else {
      table.add({prefix + key, cell_text(value)});
    }
  }
}

std::string show_fields(const View& view, const json& result) {
  TablePrinter table({{}, {}});
  if (view.shape == Shape::Fields && view.columns.empty()) add_members(table, result, "");
  for (const Column& column : view.columns) {
    const json& value = value_at(result, column.field);
    if (!value.is_null()) table.add({std::string(column.heading), cell_text(value)});
  }
  std::string text = table.text();
  if (view.lines.empty()) return text;
  for (const json& line : value_at(result, view.lines))
    text += std::string(view.line_prefix) + printable(cell_text(line)) + "\n";
  return text;
}

}  // namespace

std::string show(const View& view, const json& result, ZeroRows zero_rows) {
  const bool rows = view.shape == Shape::Rows;
  const bool fits = rows ? result.is_array() && std::all_of(result.begin(), result.end(),
                                                            [](const json& row) { return row.is_object(); })
                         : result.is_object();
  if (!fits) return result.dump(2, ' ', false, kRepair) + "\n";
  return rows ? show_rows(view, result, zero_rows) : show_fields(view, result);
}

}  // namespace postern::control
