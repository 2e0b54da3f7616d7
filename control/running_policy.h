// SPDX-License-Identifier: Apache-2.0
// A site with its compiled policy, ready to run; and the one that runs. Control thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "classify/policy_snapshot.h"
#include "control/names.h"
#include "control/site.h"

namespace postern::control {

struct CompiledSite {
  Site site;
  std::unique_ptr<const classify::PolicySnapshot> snapshot;
  Timestamp committed_at = 0;
};

struct Compiled {
  std::unique_ptr<CompiledSite> compiled;  // absent exactly when there are errors
  std::vector<Error> errors;
};

// Reads, checks and compiles; nothing that runs is touched.
// `workers`: how many will read it; none: as many as the site says.
Compiled compile_site(const std::string& path, Names& names, Generation generation,
                      std::optional<unsigned> workers = std::nullopt);

// What of a site cannot change while it runs (ports, workers, tables), one sentence per difference.
std::vector<Error> needs_restart(const Site& running, const Site& candidate);

// The policy of a replay without a site: one wire whose sides are `first` and `second`, everything allowed
// and logged.
std::unique_ptr<CompiledSite> permissive_site(Names& names, unsigned workers);

}  // namespace postern::control
