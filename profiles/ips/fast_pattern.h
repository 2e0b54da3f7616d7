// SPDX-License-Identifier: Apache-2.0
// Which bytes of a rule are looked for first, in all buffers at once: those its writer names, else those that
// promise to be rare. Control thread.
#pragma once

#include <optional>
#include <string>

#include "profiles/ips/signature.h"

namespace postern::profiles::ips {

struct FastPattern {
  size_t part = 0;         // of the signature
  std::string expression;  // for the pattern engine
  bool nocase = false, multiline = false;
  bool from_pcre = false;  // may be refused or slow; a literal never is
};

std::optional<FastPattern> choose_fast_pattern(const Signature& signature);  // nothing: no bytes are certain

}  // namespace postern::profiles::ips
