// SPDX-License-Identifier: Apache-2.0
// What checking one operator's file turned up. Errors stop a commit, warnings are told to the operator; the
// first twenty errors are kept and the rest counted. One file, one Findings; merge joins those of several.
// Control thread.
#pragma once

#include <iterator>
#include <string>
#include <vector>

#include "base/result.h"

namespace postern::control {

class Findings {
 public:
  static constexpr size_t kKept = 20;

  explicit Findings(std::string file) : file_(std::move(file)) {}

  const std::string& file() const { return file_; }
  bool clean() const { return errors_.empty(); }

  void error(uint32_t line, std::string message) { error(Error{std::move(message), file_, line}); }
  void error(Error e) {
    if (errors_.size() < kKept)
      errors_.push_back(std::move(e));
    else
      ++more_;
  }
  void warning(uint32_t line, std::string message) {
    warnings_.push_back(Error{std::move(message), file_, line}.text());
  }
  void merge(Findings&& other) {
    for (Error& e : other.errors_) error(std::move(e));
    more_ += other.more_;
    std::move(other.warnings_.begin(), other.warnings_.end(), std::back_inserter(warnings_));
    other = Findings(other.file_);
  }

  const std::vector<std::string>& warnings() const { return warnings_; }
  // With a last line that counts what was not kept.
  std::vector<Error> errors() const {
    std::vector<Error> all = errors_;
    if (more_ > 0) all.push_back({"and " + std::to_string(more_) + " more errors", file_, 0});
    return all;
  }

 private:
  std::string file_;
  std::vector<Error> errors_;
  size_t more_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace postern::control
