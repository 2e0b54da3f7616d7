// SPDX-License-Identifier: Apache-2.0
// Any bytes as YAML and as JSON: a tree within the limits or an error with file and line, never a crash or a
// hang.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "control/json_reader.h"
#include "control/yaml_reader.h"

namespace {

using postern::control::Node;
using postern::control::ReadLimits;

constexpr ReadLimits kLimits{.nodes = 1000, .depth = 16, .key_bytes = 64};

size_t count(const Node& node, size_t depth) {
  if (depth > kLimits.depth + 1) std::abort();
  size_t nodes = 1;
  for (const Node& item : node.items) nodes += count(item, depth + 1);
  for (const Node::Entry& entry : node.entries) {
    if (entry.key.size() > kLimits.key_bytes || node.entry(entry.key) != &entry) std::abort();
    nodes += count(entry.value, depth + 1);
  }
  return nodes;
}

void check(const postern::Result<Node>& result) {
  if (!result && (result.error().message.empty() || result.error().file != "f")) std::abort();
  if (result && count(*result, 1) > kLimits.nodes + 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(postern::control::read_yaml(text, "f", kLimits));
  check(postern::control::read_json(text, "f", kLimits));
  return 0;
}
