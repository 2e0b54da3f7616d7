// SPDX-License-Identifier: Apache-2.0
// Warns of allow rules whose application does not work without another (depends_on) that no rule lets out of
// the same zones. Control thread.
#pragma once

#include <string>
#include <vector>

#include "control/pack_binding.h"

namespace postern::control {

// A pack's rule states what its application depends on; members of a composite have what the catalogue says.
Findings unmet_dependencies(const Pack& pack, const std::vector<classify::Rule>& policy,
                            const SiteWords& site);

// The site's own rules (`own`) go by the catalogue.
Findings unmet_dependencies(const std::string& site_file, const std::vector<classify::Rule>& own,
                            const std::vector<classify::Rule>& policy, const SiteWords& site);

}  // namespace postern::control
