// SPDX-License-Identifier: Apache-2.0
// `posternd replay`: the same pipeline over captures, without privileges, ports or clock. Main thread.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace postern::control {

struct ReplayOptions {
  std::vector<std::string> captures;
  std::string site_file;  // empty: everything is allowed and logged
  std::string out;        // capture of what was forwarded; empty: none
  std::string log_directory;
  unsigned workers = 0;  // 0: as the site says
};

// Returns 0, 1 when a capture or the log folder cannot be used, 3 when the site is wrong. A damaged capture
// is played up to the damage and ends with 1.
int run_replay(const ReplayOptions& options, std::ostream& out);

}  // namespace postern::control
