// SPDX-License-Identifier: Apache-2.0
// Recognises DNS messages (RFC 1035, RFC 6891, RFC 2136) by walking them; names are skipped, not read. Any
// thread.
#pragma once

#include "base/bytes.h"
#include "classify/dns_walk.h"
#include "classify/fit.h"

namespace postern::classify {

// A whole datagram; never More.
Fit is_dns_datagram(Bytes datagram, DnsRole role) noexcept;

// With the two length bytes of TCP. Yes as soon as header and question are there and the records so far fit.
Fit is_dns_stream(Bytes stream, DnsRole role) noexcept;

}  // namespace postern::classify
