// SPDX-License-Identifier: Apache-2.0
// How much of a folder's rule files postern's intrusion prevention can read: the table of keywords, then
// every refused rule with file, line and keyword. Exit code 1: a file cannot be read.
//   ips_coverage FOLDER
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "profiles/ips/rule_reader.h"

int main(int argc, char** argv) {
  using namespace postern::profiles::ips;
  if (argc != 2) {
    std::fprintf(stderr, "usage: ips_coverage FOLDER\n");
    return 2;
  }
  std::vector<std::filesystem::path> paths;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1], failure))
    if (entry.path().extension() == ".rules") paths.push_back(entry.path());
  if (failure) {
    std::fprintf(stderr, "ips_coverage: %s: %s\n", argv[1], failure.message().c_str());
    return 1;
  }
  std::sort(paths.begin(), paths.end());
  const RuleSite site;
  StateNames names;
  RuleReader reader(site, names);
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) {
      std::fprintf(stderr, "ips_coverage: %s cannot be read\n", path.c_str());
      return 1;
    }
    reader.read(text, path.filename());
  }
  std::fputs(reader.coverage().table().c_str(), stdout);
  for (const Refusal& refusal : reader.refusals()) std::puts(refusal.text().c_str());
  return 0;
}
