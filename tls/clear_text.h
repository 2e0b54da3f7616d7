// SPDX-License-Identifier: Apache-2.0
// Who looks at the clear bytes of decrypted sessions. A TLS core asks before it sends a byte on. One
// inspector per session, used by its TLS core alone.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/ids.h"
#include "tls/server_credentials.h"

namespace postern::tls {

class ClearTextInspector {
 public:
  enum class Ruling : uint8_t { Pass, Block };
  virtual ~ClearTextInspector() = default;
  // The next bytes of a direction, in order. Block: none of them passes, and the session ends.
  virtual Ruling inspect(Direction direction, Bytes bytes) noexcept = 0;
};

// Makes inspectors; one object for all TLS cores, so it locks what it must. nullptr: nothing looks at this
// session.
class ClearTextInspectors {
 public:
  virtual ~ClearTextInspectors() = default;
  virtual std::unique_ptr<ClearTextInspector> open(const SessionHello& hello) noexcept = 0;
};

}  // namespace postern::tls
