// SPDX-License-Identifier: Apache-2.0
// Recognises HTTP/1 by its first line (RFC 9112 sections 3 and 4). Any thread.
#pragma once

#include "base/bytes.h"
#include "classify/fit.h"

namespace postern::classify {

// A first line that is longer and fits so far is taken for HTTP.
inline constexpr size_t kLongestRequestLine = 8192;

Fit is_http_request(Bytes stream) noexcept;
Fit is_http_response(Bytes stream) noexcept;

}  // namespace postern::classify
