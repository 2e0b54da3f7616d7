// SPDX-License-Identifier: Apache-2.0
// Exclusions from any text, one pattern a line, and the last line asked as a client's name: what the table
// finds is what reading the patterns one by one finds.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "classify/exclusion_table.h"

namespace {

using postern::classify::ExclusionEntry;

bool naive(const std::string& pattern, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > 253) return false;
  if (!pattern.starts_with("*.")) return postern::equals_ignoring_case(pattern, name);
  const std::string_view end = std::string_view(pattern).substr(1);
  return name.size() > end.size() &&
         postern::equals_ignoring_case(name.substr(name.size() - end.size()), end);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t last = text.rfind('\n');
  const std::string name = last == std::string::npos ? text : text.substr(last + 1);
  ExclusionEntry entry;
  for (size_t at = 0, end = 0; last != std::string::npos && at <= last; at = end + 1) {
    end = text.find('\n', at);
    const std::string pattern = text.substr(at, end - at);
    if (postern::classify::is_host_pattern(pattern)) entry.hosts.push_back(pattern);
  }
  if (entry.hosts.empty()) return 0;
  const bool found = !postern::classify::ExclusionTable({entry}).find(name, {}).empty();
  const bool expected = std::any_of(entry.hosts.begin(), entry.hosts.end(),
                                    [&](const std::string& pattern) { return naive(pattern, name); });
  if (found != expected) std::abort();
  return 0;
}
