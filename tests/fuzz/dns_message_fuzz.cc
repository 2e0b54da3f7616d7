// SPDX-License-Identifier: Apache-2.0
// Any bytes as a datagram and as a stream, in every role.
#include <cstddef>
#include <cstdint>

#include "classify/dns_message.h"

using namespace postern::classify;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const postern::Bytes bytes(data, size);
  for (const DnsRole role : {DnsRole::Query, DnsRole::Response, DnsRole::Either}) {
    if (is_dns_datagram(bytes, role) == Fit::More) __builtin_trap();
    // What half of a stream can not be, the whole is not.
    if (is_dns_stream(bytes.first(size / 2), role) == Fit::No && is_dns_stream(bytes, role) != Fit::No)
      __builtin_trap();
  }
  return 0;
}
