// SPDX-License-Identifier: Apache-2.0
// Byte signatures of antivirus, in the form of ClamAV's .ndb files: one "Name:Target:Offset:Hex" per line. Of
// it what can be found in a stream is taken: target 0, offset *, at most 256 bytes. Errors say file and line.
// Control thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "classify/pattern_set.h"

namespace postern::profiles {

struct ByteSignature {
  std::string name;
  classify::Pattern pattern;
};

// Hex digits, ?? for any byte, a? and ?a for half a byte, {n}, {n-m} and {-m} for any bytes, (aa|bb) for one
// of several.
Result<std::vector<ByteSignature>> parse_byte_signatures(std::string_view text, const std::string& file);

// Always looked for: the test file that every antivirus knows (eicar.org).
ByteSignature eicar_signature();

}  // namespace postern::profiles
