// SPDX-License-Identifier: Apache-2.0
// Any bytes before every datagram decoder; the first byte chooses who sent them and over what. Only decoders
// of streams may wait for more, and what half of a stream cannot be, the whole is not. An ICMP message is
// exactly one kind.
#include <cstddef>
#include <cstdint>

#include "classify/decoders/decoders.h"
#include "classify/port_range.h"

using namespace postern;
using namespace postern::classify;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static constexpr uint8_t kProtocols[] = {kUdp, kTcp, kIcmp, kIcmpV6};
  Evidence evidence;
  evidence.direction = data[0] & 1 ? Direction::ToClient : Direction::ToServer;
  evidence.protocol = kProtocols[data[0] >> 1 & 3];
  evidence.payload = Bytes(data + 1, size - 1);
  Evidence half = evidence;
  half.payload = evidence.payload.first(evidence.payload.size() / 2);
  int kinds = 0;
  for (const decoders::NamedDecoder& decoder : decoders::datagrams()) {
    const Fit fit = decoder.decode(evidence), early = decoder.decode(half);
    const bool stream = decoder.name.ends_with("_tcp");
    if (!stream && (fit == Fit::More || early == Fit::More)) __builtin_trap();
    if (stream && early != Fit::More && fit == Fit::More) __builtin_trap();
    if (stream && early == Fit::No && fit != Fit::No) __builtin_trap();
    kinds += decoder.name.starts_with("icmp") && fit == Fit::Yes;
  }
  const bool icmp = evidence.protocol == kIcmp || evidence.protocol == kIcmpV6;
  if (kinds != (icmp && evidence.payload.size() >= 4 ? 1 : 0)) __builtin_trap();
  return 0;
}
