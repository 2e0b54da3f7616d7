// SPDX-License-Identifier: Apache-2.0
// Writes the secrets of sessions to a file (NSS key log format), so that an engineer's captures can be read.
// Only where the site asks for it by name. Any thread: each line is one write.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace postern::tls {

class KeyLog {
 public:
  // The file is made with mode 0600 and appended to; one that others may read is refused.
  static Result<std::shared_ptr<const KeyLog>> open(const std::string& path);
  void write(std::string_view line) const noexcept;

 private:
  explicit KeyLog(UniqueFd file) : file_(std::move(file)) {}
  UniqueFd file_;
};

}  // namespace postern::tls
