// SPDX-License-Identifier: Apache-2.0
// Any bytes as a request and as a response.
#include <cstddef>
#include <cstdint>

#include "classify/cim_xml_message.h"

using namespace postern::classify;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const postern::Bytes stream(data, size);
  // An answer given on a part is the answer on the whole.
  for (const auto judge : {is_cim_xml_request, is_cim_xml_response}) {
    const Fit half = judge(stream.first(size / 2));
    if (half != Fit::More && half != judge(stream)) __builtin_trap();
  }
  return 0;
}
