// SPDX-License-Identifier: Apache-2.0
// The operator's $NAMES and what the header of a rule says with them: lists of addresses and ports, nested,
// with exceptions. Errors say what was found; the caller adds file and line. Control thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "profiles/ips/interval_set.h"

namespace postern::profiles::ips {

// Name without the dollar sign -> text as in a rule's header: "[10.0.0.0/8,!10.1.0.0/16]", "$HOME_NET",
// "any".
using Variables = std::map<std::string, std::string, std::less<>>;

// Every variable that public rule sets use; HOME_NET and EXTERNAL_NET are any, for what is home is told by
// the zones of the policy.
Variables usual_variables();

Result<AddressSet> parse_addresses(std::string_view text, const Variables& variables);
Result<PortSet> parse_ports(std::string_view text, const Variables& variables);

const AddressSet& every_address();
const PortSet& every_port();

}  // namespace postern::profiles::ips
