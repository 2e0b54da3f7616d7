// SPDX-License-Identifier: Apache-2.0
// How well bytes fit a protocol, as far as they have arrived. Any thread.
#pragma once

#include <cstdint>

namespace postern::classify {

enum class Fit : uint8_t {
  No,    // not this protocol, whatever follows
  More,  // nothing speaks against it, and what follows will tell
  Yes,
};

}  // namespace postern::classify
