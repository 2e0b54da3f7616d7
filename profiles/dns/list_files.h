// SPDX-License-Identifier: Apache-2.0
// Readers of the three kinds of list files. Each adds what it finds to the builder's current list, or says
// with file and line what is wrong. Control thread.
#pragma once

#include "profiles/dns/domain_policy.h"

namespace postern::profiles::dns {

Status read_plain_list(const ListSource& source, DomainPolicyBuilder& builder);
Status read_hosts_file(const ListSource& source, DomainPolicyBuilder& builder);
Status read_policy_zone(const ListSource& source, DomainPolicyBuilder& builder);

}  // namespace postern::profiles::dns
