// SPDX-License-Identifier: Apache-2.0
// `posternd run`: the appliance. Owns everything that runs and is the control thread. Main thread.
#pragma once

#include <ostream>
#include <string>

namespace postern::control {

// Runs until SIGTERM or SIGINT; SIGHUP reopens the logs. Says what happens on `out`. Returns the exit code: 0
// after a signal, 1 when something the site names is not there, 3 when site or pack are wrong.
int run_daemon(const std::string& site_file, std::ostream& out);

}  // namespace postern::control
