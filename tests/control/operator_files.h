// SPDX-License-Identifier: Apache-2.0
// Files as an operator writes them, for tests: a folder that goes away, texts with one line changed, errors
// as printed.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/result.h"

namespace postern::control {

class OperatorFiles {
 public:
  OperatorFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "postern_test_XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
  }
  ~OperatorFiles() { std::filesystem::remove_all(folder_); }
  OperatorFiles(const OperatorFiles&) = delete;
  OperatorFiles& operator=(const OperatorFiles&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return path(name);
  }

 private:
  std::filesystem::path folder_;
};

inline std::string source_file(const std::string& name) {
  return std::string(POSTERN_SOURCE_ROOT) + "/" + name;
}

inline std::string text_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

// Line `number` (from 1) of the text becomes `line`, which may hold several lines.
inline std::string with_line(const std::string& text, size_t number, const std::string& line) {
  std::istringstream in(text);
  std::string out, each;
  for (size_t n = 1; std::getline(in, each); ++n) out += (n == number ? line : each) + "\n";
  return out;
}

// "file:line: message" with the last part of the file's path.
inline std::vector<std::string> texts_of(std::vector<Error> errors) {
  std::vector<std::string> out;
  for (Error& e : errors) {
    e.file = std::filesystem::path(e.file).filename().string();
    out.push_back(e.text());
  }
  return out;
}

}  // namespace postern::control
