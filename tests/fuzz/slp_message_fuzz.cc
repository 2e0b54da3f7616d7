// SPDX-License-Identifier: Apache-2.0
// Any bytes as a datagram and as a stream.
#include <cstddef>
#include <cstdint>

#include "classify/slp_message.h"

using namespace postern::classify;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const postern::Bytes bytes(data, size);
  const Fit datagram = is_slp_datagram(bytes), stream = is_slp_stream(bytes);
  if (datagram == Fit::More || (datagram == Fit::Yes && stream != Fit::Yes)) __builtin_trap();
  const Fit half = is_slp_stream(bytes.first(size / 2));
  if (half != Fit::More && half != stream) __builtin_trap();
  return 0;
}
