// SPDX-License-Identifier: Apache-2.0
// Recognises Service Location Protocol messages, version 2 (RFC 2608) and 1 (RFC 2165). Any thread.
#pragma once

#include "base/bytes.h"
#include "classify/fit.h"

namespace postern::classify {

Fit is_slp_datagram(Bytes datagram) noexcept;  // never More
Fit is_slp_stream(Bytes stream) noexcept;      // Yes once the header is there and fits

}  // namespace postern::classify
