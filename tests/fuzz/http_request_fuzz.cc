// SPDX-License-Identifier: Apache-2.0
// Any bytes as a request and as a response.
#include <cstddef>
#include <cstdint>

#include "classify/http_request.h"

using namespace postern::classify;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const postern::Bytes stream(data, size);
  const HttpKind whole = classify_http_request(stream);
  // An answer given on a part is the answer on the whole.
  const HttpKind half = classify_http_request(stream.first(size / 2));
  if (half != HttpKind::More && half != whole) __builtin_trap();
  const HttpKind answer = classify_http_response(stream);
  const HttpKind half_answer = classify_http_response(stream.first(size / 2));
  if (half_answer != HttpKind::More && half_answer != answer) __builtin_trap();
  return 0;
}
