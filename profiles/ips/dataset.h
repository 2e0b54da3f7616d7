// SPDX-License-Identifier: Apache-2.0
// A set of values that rules ask for with dataset:isset, read from a file of the operator: Base64 for
// strings, hexadecimal digests, or addresses, one a line. Immutable; any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "base/bytes.h"
#include "base/result.h"

namespace postern::profiles::ips {

class Dataset {
 public:
  // `type` is the rule's word: string, md5, sha256, ip or ipv4. Errors have the line in `text`, no file.
  static Result<std::shared_ptr<const Dataset>> parse(std::string_view type, std::string_view text);

  bool contains(Bytes value) const noexcept { return values_.find(as_text(value)) != values_.end(); }
  size_t size() const noexcept { return values_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  std::unordered_set<std::string, Hash, std::equal_to<>> values_;
};

// The content of a file that a rule names, for the caller knows where such files may lie.
using FileSource = std::function<Result<std::string>(const std::string& name)>;

}  // namespace postern::profiles::ips
