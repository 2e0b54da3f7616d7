// SPDX-License-Identifier: Apache-2.0
// Recognises the Simple File Transfer Protocol of RFC 913 (TCP 115), which is not SSH's SFTP. Any thread.
#pragma once

#include "base/bytes.h"
#include "classify/fit.h"

namespace postern::classify {

Fit is_rfc913_greeting(Bytes stream) noexcept;  // what the server says first
Fit is_rfc913_command(Bytes stream) noexcept;   // what the client says first

}  // namespace postern::classify
