// SPDX-License-Identifier: Apache-2.0
// Who looks at the clear bytes of a decrypted session before any of them goes on. One per session, used by
// its TLS core alone.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"

namespace postern::tls {

class ClearTextInspector {
 public:
  // Wait: the bytes stay until Session::pass or an abort; the other direction goes on.
  enum class Ruling : uint8_t { Pass, Wait, Block };
  virtual ~ClearTextInspector() = default;
  // Both handshakes are over; `protocol` is what ALPN agreed on, empty: nothing.
  virtual void opened(std::string_view protocol) noexcept = 0;
  // The next bytes of a direction, in order. Block: none of them passes, and the session ends.
  virtual Ruling inspect(Direction direction, Bytes bytes) noexcept = 0;
};

}  // namespace postern::tls
