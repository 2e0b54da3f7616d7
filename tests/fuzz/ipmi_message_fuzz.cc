// SPDX-License-Identifier: Apache-2.0
// Any bytes as an RMCP datagram.
#include <cstddef>
#include <cstdint>

#include "classify/ipmi_message.h"

using namespace postern::classify;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const RmcpKind kind = classify_rmcp(postern::Bytes(data, size));
  if (kind != RmcpKind::None && (size < 4 || data[0] != 6)) __builtin_trap();
  return 0;
}
