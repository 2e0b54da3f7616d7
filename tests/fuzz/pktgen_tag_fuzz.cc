// SPDX-License-Identifier: Apache-2.0
// Any frame as one of the load generator's own: no byte outside of it is read, and a tag that is found is in
// the payload that the frame says it has.
// needs: base
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "perf/traffic/tag.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<uint8_t> frame(data,
                                   data + size);  // of this size exactly, so that the sanitizer sees its end
  const postern::Bytes payload = postern::perf::datagram_of(frame);
  const auto tag = postern::perf::read_tag(frame);
  if (!tag) return 0;
  if (payload.size() < postern::perf::Tag::kSize || payload.data() + payload.size() != frame.data() + size)
    std::abort();
  uint8_t again[postern::perf::Tag::kSize];
  postern::perf::write_tag(again, *tag);
  if (postern::as_text({again, sizeof again}) != postern::as_text(payload.first(sizeof again))) std::abort();
  return 0;
}
