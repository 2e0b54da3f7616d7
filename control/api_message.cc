// SPDX-License-Identifier: Apache-2.0
#include "control/api_message.h"

#include <algorithm>

namespace postern::control {
namespace {

using nlohmann::json;

// Requests and replies nest 5 levels; printing JSON recurses, so a thousand must not get in.
constexpr int kDeepest = 32;

Error wrong(std::string message) { return Error{.message = std::move(message), .file = {}}; }

Result<json> parse_object(std::string_view line) {
  bool too_deep = false;
  const auto watch_depth = [&too_deep](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kDeepest;
    return !too_deep;
  };
  json parsed = json::parse(line.begin(), line.end(), watch_depth, /*allow_exceptions=*/false);
  if (too_deep) return wrong("JSON nested deeper than " + std::to_string(kDeepest) + " levels");
  if (parsed.is_discarded()) return wrong("not valid JSON; expected one JSON object per line");
  if (!parsed.is_object())
    return wrong(std::string("found a JSON ") + parsed.type_name() + "; expected an object");
  return parsed;
}

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string dump_line(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

Reply Reply::success(json result) {
  Reply reply;
  reply.result = std::move(result);
  return reply;
}

Reply Reply::failure(ExitCode code, std::string error, std::vector<Error> errors) {
  Reply reply;
  reply.code = code;
  reply.error = std::move(error);
  reply.errors = std::move(errors);
  return reply;
}

Result<Request> parse_request(std::string_view line) {
  auto object = parse_object(line);
  if (!object) return object.error();
  Request request;
  for (const auto& [key, value] : object->items()) {
    if (key == "args") {
      if (!value.is_object())
        return wrong(std::string("args is a JSON ") + value.type_name() + "; expected an object");
      request.args = value;
    } else if (key == "command" || key == "what") {
      if (!value.is_string()) return wrong(key + " is a JSON " + value.type_name() + "; expected a string");
      (key == "what" ? request.what : request.command) = value.get<std::string>();
    } else {
      return wrong("unknown key \"" + key + "\"; expected command, what and args");
    }
  }
  if (request.command.empty()) return wrong("no command; expected {\"command\":\"show\",\"what\":\"wires\"}");
  return request;
}

Result<Reply> parse_reply(std::string_view line) {
  auto object = parse_object(line);
  if (!object) return object.error();
  const auto ok = object->find("ok");
  if (ok == object->end() || !ok->is_boolean())
    return wrong("a reply without \"ok\": is this the socket of posternd?");
  if (ok->get<bool>()) {
    const auto result = object->find("result");
    return Reply::success(result == object->end() ? json() : std::move(*result));
  }
  int code = static_cast<int>(ExitCode::Failed);
  if (const auto found = object->find("code"); found != object->end() && found->is_number_integer())
    code = std::clamp(found->get<int>(), 1, 3);
  std::vector<Error> errors;
  if (const auto list = object->find("errors"); list != object->end() && list->is_array()) {
    for (const json& entry : *list) {
      if (!entry.is_object()) continue;
      const auto line_number = entry.find("line");
      const bool has_line = line_number != entry.end() && line_number->is_number_unsigned();
      errors.push_back(
          {text_at(entry, "message"), text_at(entry, "file"), has_line ? line_number->get<uint32_t>() : 0});
    }
  }
  return Reply::failure(static_cast<ExitCode>(code), text_at(*object, "error"), std::move(errors));
}

std::string to_line(const Request& request) {
  json object = {{"command", request.command}};
  if (!request.what.empty()) object["what"] = request.what;
  if (!request.args.empty()) object["args"] = request.args;
  return dump_line(object);
}

json failure_as_json(const Reply& reply) {
  json errors = json::array();
  for (const Error& error : reply.errors) {
    json entry = {{"message", error.message}};
    if (!error.file.empty()) entry["file"] = error.file;
    if (error.line != 0) entry["line"] = error.line;
    errors.push_back(std::move(entry));
  }
  return {{"ok", false},
          {"code", static_cast<int>(reply.code)},
          {"error", reply.error},
          {"errors", std::move(errors)}};
}

std::string to_line(const Reply& reply) {
  if (!reply.ok()) return dump_line(failure_as_json(reply));
  // Not `json object = {{"ok", true}, {"result", ...}}`: that copies the rows of a long table.
  std::string line = reply.result.dump(-1, ' ', false, json::error_handler_t::replace);
  return "{\"ok\":true,\"result\":" + std::move(line) + "}\n";
}

}  // namespace postern::control
