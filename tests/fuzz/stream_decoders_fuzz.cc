// SPDX-License-Identifier: Apache-2.0
// Any bytes before every decoder of streams and databases, from both sides: what was settled by fewer bytes
// stays so when the stream grows, and a datagram is never asked for more.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "classify/decoders/decoders.h"
#include "classify/port_range.h"

using namespace postern;
using namespace postern::classify;

namespace {

constexpr size_t kDecoders = 64, kPrefixes = 48;  // every length so far, then doubled

Fit decode(const decoders::NamedDecoder& decoder, uint8_t protocol, Direction direction, Bytes bytes) {
  return decoder.decode({.protocol = protocol, .direction = direction, .payload = bytes});
}

// Growing prefixes, each in memory of its own size, so that reading past the end is seen.
void check_streams(std::span<const decoders::NamedDecoder> list, Direction direction, Bytes bytes) {
  std::array<Fit, kDecoders> settled;
  if (list.size() > settled.size()) __builtin_trap();
  settled.fill(Fit::More);
  for (size_t length = 0;; length = length < kPrefixes ? length + 1 : length * 2) {
    length = std::min(length, bytes.size());
    const std::unique_ptr<uint8_t[]> copy(new uint8_t[length]);
    std::copy_n(bytes.begin(), length, copy.get());
    for (size_t i = 0; i < list.size(); ++i) {
      const Fit fit = decode(list[i], kTcp, direction, {copy.get(), length});
      if (settled[i] != Fit::More && fit != settled[i]) __builtin_trap();
      settled[i] = fit;
    }
    if (length == bytes.size()) return;
  }
}

void check_datagrams(std::span<const decoders::NamedDecoder> list, Bytes bytes) {
  // The ones that a catalogue may name for UDP.
  static constexpr std::string_view kOverUdp[] = {"sunrpc", "sunrpc_reply", "nfs",      "portmap",
                                                  "mountd", "ldap",         "memcached"};
  for (const decoders::NamedDecoder& decoder : list) {
    if (std::ranges::find(kOverUdp, decoder.name) == std::end(kOverUdp)) continue;
    for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
      if (decode(decoder, kUdp, direction, bytes) == Fit::More) __builtin_trap();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  for (const auto list : {decoders::streams(), decoders::databases()}) {
    check_streams(list, Direction::ToServer, bytes);
    check_streams(list, Direction::ToClient, bytes);
    check_datagrams(list, bytes);
  }
  return 0;
}
