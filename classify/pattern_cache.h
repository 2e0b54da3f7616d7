// SPDX-License-Identifier: Apache-2.0
// Serialised pattern databases by what they were compiled from, so that a commit and a start need not compile
// what has not changed. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace postern::classify {

class PatternCache {
 public:
  // No folder: kept in memory, as long as this object lives.
  explicit PatternCache(std::string folder = "") : folder_(std::move(folder)) {}

  // `key` says everything the database depends on; a file is named by its hash and holds it in full. Empty:
  // not there, damaged, or of another key.
  std::vector<uint8_t> find(const std::string& key) const;

  // Best effort: a full disk costs a compile next time.
  void put(const std::string& key, Bytes serialised);

  std::string file_of(const std::string& key) const;

 private:
  static constexpr size_t kKeptInMemory = 64;
  std::string folder_;
  std::map<std::string, std::vector<uint8_t>> memory_;
};

}  // namespace postern::classify
