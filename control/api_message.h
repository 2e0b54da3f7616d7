// SPDX-License-Identifier: Apache-2.0
// What passes over the control socket: one JSON object per line, a request and its reply
// (docs/posternctl.md). Bytes of a request come from anybody who may open the socket: nothing here trusts
// them. Any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern::control {

// Also the exit codes of posternctl.
enum class ExitCode : int { Ok = 0, Failed = 1, Usage = 2, Invalid = 3 };

struct Request {
  std::string command;  // "show", "commit", "test"
  std::string what;     // "flows", "flow"; may be empty
  nlohmann::json args = nlohmann::json::object();
};

struct Reply {
  ExitCode code = ExitCode::Ok;
  nlohmann::json result;      // of a success
  std::string error;          // of a failure, one sentence
  std::vector<Error> errors;  // of a failure, each with its place

  bool ok() const { return code == ExitCode::Ok; }
  static Reply success(nlohmann::json result);
  static Reply failure(ExitCode code, std::string error, std::vector<Error> errors = {});
};

// Without newline. The error says what a request must look like; unknown keys and deep nesting are refused.
Result<Request> parse_request(std::string_view line);
Result<Reply> parse_reply(std::string_view line);
// With newline. Text that is not UTF-8 is repaired, never refused.
std::string to_line(const Request& request);
std::string to_line(const Reply& reply);
// The reply of a failure as to_line writes it.
nlohmann::json failure_as_json(const Reply& reply);

}  // namespace postern::control
