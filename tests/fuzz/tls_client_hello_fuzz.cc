// SPDX-License-Identifier: Apache-2.0
// A complete hello has a start that fits, and texts that came from it.
#include <cstddef>
#include <cstdint>

#include "classify/tls_client_hello.h"

using namespace postern::classify;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const postern::Bytes stream(data, size);
  const TlsClientHello hello = parse_tls_client_hello(stream);
  if (hello.fit == Fit::Yes) {
    if (starts_tls_client_hello(stream) != Fit::Yes) __builtin_trap();
    for (size_t i = 0; hello.alpn(i); ++i)
      if (hello.alpn(i)->empty()) __builtin_trap();
    if (hello.server_name().size() > size) __builtin_trap();
    hello.highest_version();
  }
  starts_tls_answer(stream);
  return 0;
}
