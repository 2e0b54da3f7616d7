// SPDX-License-Identifier: Apache-2.0
// Any bytes as a greeting and as a command.
#include <cstddef>
#include <cstdint>

#include "classify/rfc913_message.h"

using namespace postern::classify;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const postern::Bytes bytes(data, size);
  const postern::Bytes half = bytes.first(size / 2);
  if (is_rfc913_greeting(half) == Fit::No && is_rfc913_greeting(bytes) != Fit::No) __builtin_trap();
  const Fit early = is_rfc913_command(half);
  if (early != Fit::More && early != is_rfc913_command(bytes)) __builtin_trap();
  return 0;
}
