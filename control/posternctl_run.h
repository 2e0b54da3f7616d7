// SPDX-License-Identifier: Apache-2.0
// posternctl without its process: arguments in, text and exit code out. One thread.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "control/api_message.h"

namespace postern::control {

inline constexpr char kDefaultSocket[] = "/run/postern/control.sock";

struct Console {
  std::ostream& out;  // answers
  std::ostream& err;  // whatever went wrong
  std::string default_socket = kDefaultSocket;
};

// `arguments` without the program's name. Throws boost::program_options::error on options it does not know.
ExitCode run_posternctl(const std::vector<std::string>& arguments, Console& console);

}  // namespace postern::control
