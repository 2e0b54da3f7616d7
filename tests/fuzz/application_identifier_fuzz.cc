// SPDX-License-Identifier: Apache-2.0
// Any bytes as the start of a flow of any protocol and direction; the first byte chooses.
#include <cstddef>
#include <cstdint>

#include "classify/application_identifier.h"

using namespace postern;
using namespace postern::classify;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static constexpr uint8_t kProtocols[] = {kTcp, kUdp, kIcmp, kIcmpV6};
  Evidence evidence;
  evidence.protocol = kProtocols[data[0] & 3];
  evidence.direction = data[0] & 4 ? Direction::ToClient : Direction::ToServer;
  evidence.server_port = data[0] & 8 ? 5353 : 443;
  evidence.payload = Bytes(data + 1, size - 1);
  const Identification found = identify(evidence);
  if (found.more != (found.application == kApplicationPending)) __builtin_trap();
  if (found.application.value > 1 && !can_run_over(found.application, evidence.protocol)) __builtin_trap();
  return 0;
}
