// SPDX-License-Identifier: Apache-2.0
// `posternd check [--site FILE] [--pack FILE...]`: everything a commit checks, without running. Prints the
// compiled rule table, or every error with file:line and what was expected. Main thread.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace postern::control {

enum class CheckOutput : uint8_t { Text, Json };

// An empty `site_path` with packs checks them against a built-in site that binds every zone, group,
// forwarding and host they name; with a site the packs are checked as if it listed them last. Returns 0, 3
// when something is wrong, or 2 when there is nothing to check.
int run_check(const std::string& site_path, const std::vector<std::string>& pack_paths, CheckOutput output,
              std::ostream& out);

}  // namespace postern::control
