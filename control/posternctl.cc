// SPDX-License-Identifier: Apache-2.0
#include <boost/program_options/errors.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "control/posternctl_run.h"

int main(int argc, char** argv) {
  using namespace postern::control;
  ExitCode code = ExitCode::Failed;
  try {
    Console console{std::cout, std::cerr};
    if (const char* socket = std::getenv("POSTERN_SOCKET"); socket != nullptr && *socket != '\0')
      console.default_socket = socket;
    code = run_posternctl({argv + 1, argv + argc}, console);
  } catch (const boost::program_options::error& error) {
    std::cerr << "posternctl: " << error.what() << "; see posternctl help\n";
    code = ExitCode::Usage;
  } catch (const std::exception& error) {
    std::cerr << "posternctl: " << error.what() << "\n";
  }
  return static_cast<int>(code);
}
