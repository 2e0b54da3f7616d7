// SPDX-License-Identifier: Apache-2.0
// Any bytes before every decoder of streams and databases, from both sides: what was settled by fewer bytes
// stays so when the stream grows, and a datagram is never asked for more.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "classify/decoders/decoders.h"
#include "classify/port_range.h"

using namespace postern;
using namespace postern::classify;

namespace {

constexpr size_t kPrefixes = 96;  // every length so far, then doubled

// Growing prefixes, each in memory of its own size, so that reading past the end is seen.
void check_stream(decoders::NamedDecoder decoder, Direction direction, Bytes bytes) {
  Fit settled = Fit::More;
  for (size_t length = 0;; length = length < kPrefixes ? length + 1 : length * 2) {
    length = std::min(length, bytes.size());
    const std::unique_ptr<uint8_t[]> copy(new uint8_t[length]);
    std::copy_n(bytes.begin(), length, copy.get());
    const Fit fit =
        decoder.decode({.protocol = kTcp, .direction = direction, .payload = {copy.get(), length}});
    if (settled != Fit::More && fit != settled) __builtin_trap();
    settled = fit;
    if (length == bytes.size()) return;
  }
}

void check_all(std::span<const decoders::NamedDecoder> list, Bytes bytes) {
  for (const decoders::NamedDecoder& decoder : list) {
    for (const Direction direction : {Direction::ToServer, Direction::ToClient})
      check_stream(decoder, direction, bytes);
  }
}

void check_datagrams(std::span<const decoders::NamedDecoder> list, Bytes bytes) {
  // The ones that a catalogue may name for UDP.
  static constexpr std::string_view kOverUdp[] = {"sunrpc", "sunrpc_reply", "nfs",      "portmap",
                                                  "mountd", "ldap",         "memcached"};
  for (const decoders::NamedDecoder& decoder : list) {
    if (std::ranges::find(kOverUdp, decoder.name) == std::end(kOverUdp)) continue;
    for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
      if (decoder.decode({.protocol = kUdp, .direction = direction, .payload = bytes}) == Fit::More)
        __builtin_trap();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  for (const auto list : {decoders::streams(), decoders::databases()}) {
    check_all(list, bytes);
    check_datagrams(list, bytes);
  }
  return 0;
}
