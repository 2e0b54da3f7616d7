// SPDX-License-Identifier: Apache-2.0
// A file of signatures, and after the first 0xff bytes of a flow: whatever is taken compiles or is refused
// with its place, and what is found does not depend on the pieces the bytes come in.
#include <algorithm>
#include <cstdlib>

#include "profiles/content_engine.h"

using namespace postern;
using namespace postern::profiles;

namespace {

void check(bool good) {
  if (!good) __builtin_trap();
}

// Where the first signature is complete; one past the end: nowhere.
size_t found_at(Bytes flow, size_t piece, const ContentEngine& engine) {
  ContentInspection inspection;
  for (size_t at = 0; at < flow.size();) {
    const size_t size = std::min(piece, flow.size() - at);
    at += size;
    if (!inspection.inspect(Direction::ToServer, flow.subspan(at - size, size), engine, 0).empty()) return at;
  }
  return flow.size() + 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  const uint8_t* const mark = std::find(data, data + size, 0xff);
  const std::string text(data, mark);
  auto signatures = parse_byte_signatures(text, "own.ndb");
  if (!signatures) {
    check(signatures.error().file == "own.ndb" && signatures.error().line > 0);
    return 0;
  }
  classify::PatternCache cache;
  const auto engine = ContentEngine::compile({.antivirus = std::move(*signatures)}, cache);
  if (!engine) return 0;
  const Bytes flow(mark, data + size);
  const size_t by_bytes = found_at(flow, 1, **engine);
  for (const size_t piece : {size_t{7}, size_t{300}, flow.size() + 1}) {
    const size_t at = found_at(flow, piece, **engine);
    check((at > flow.size()) == (by_bytes > flow.size()) && at >= by_bytes && at - by_bytes < piece);
  }
  return 0;
}
