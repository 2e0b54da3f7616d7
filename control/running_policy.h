// SPDX-License-Identifier: Apache-2.0
// A site with its compiled policy, ready to run; and the one that runs. Control thread.
#pragma once

#include <memory>
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

// What a replay has its own way; a daemon takes all from its site.
struct CompileOptions {
  unsigned workers = 0;       // how many will read the policy; 0: as many as the site says
  std::string pattern_cache;  // folder; empty: the site's
};

// Reads, checks and compiles; nothing that runs is touched.
Compiled compile_site(const std::string& path, Names& names, Generation generation,
                      const CompileOptions& options = {});

// What of a site cannot change while it runs (ports, workers, tables), one sentence per difference.
std::vector<Error> needs_restart(const Site& running, const Site& candidate);

// The policy of a replay without a site: one wire whose sides are `first` and `second`, everything allowed
// and logged.
std::unique_ptr<CompiledSite> permissive_site(Names& names, const CompileOptions& options);

}  // namespace postern::control
