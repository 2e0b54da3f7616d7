// SPDX-License-Identifier: Apache-2.0
// Asks posternd over its control socket, one request at a time, and waits for the answer. One thread at a
// time.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "control/api_message.h"
#include "base/unique_fd.h"

namespace postern::control {

class ApiClient {
 public:
  // The error names the path, the system's reason and what to look at.
  static Result<ApiClient> connect(const std::string& path);

  // An Error when no reply came: the daemon hung up, stayed silent for `patience`, or spoke something else.
  // After that the connection is of no more use. A daemon's refusal is a Reply.
  Result<Reply> call(const Request& request, std::chrono::seconds patience = std::chrono::seconds(120));

 private:
  explicit ApiClient(UniqueFd fd) : fd_(std::move(fd)) {}
  Result<std::string> read_line();

  UniqueFd fd_;
  std::string unread_;
};

}  // namespace postern::control
