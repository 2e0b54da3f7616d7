// SPDX-License-Identifier: Apache-2.0
// Names of addresses (RFC 1035 section 3.5, RFC 3596 section 2.5), whose labels can carry nothing but an
// address. Any thread.
#pragma once

#include "profiles/dns/name.h"

namespace postern::profiles::dns {

// Below in-addr.arpa with up to four octets, or below ip6.arpa with up to 32 hexadecimal digits.
bool is_reverse_name(const Name& name) noexcept;

}  // namespace postern::profiles::dns
