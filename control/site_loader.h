// SPDX-License-Identifier: Apache-2.0
// Reads a site file (docs/site_file.md) with its packs and catalogues into a Site whose policy is ready to
// compile. All mistakes of all files are collected, each with file:line and what was expected. Control
// thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/names.h"
#include "control/pack_binding.h"
#include "control/site.h"

namespace postern::control {

struct SiteSource {
  std::string file;                     // relative paths inside are seen from its folder
  std::optional<std::string> text;      // none: read `file`
  std::vector<std::string> more_packs;  // after those of the site
};

struct Loaded {
  std::optional<Site> site;  // absent exactly when there are errors
  std::vector<Error> errors;
};

Loaded load_site(const SiteSource& source, Names& names, const Engines& engines = {});
Loaded load_site(const std::string& path, Names& names, const Engines& engines = {});

}  // namespace postern::control
