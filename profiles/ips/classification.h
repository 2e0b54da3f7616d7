// SPDX-License-Identifier: Apache-2.0
// Classes of alerts: what a rule's classtype means to a reader, and its priority. Control thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::profiles::ips {

struct Classification {
  std::string description;
  uint8_t priority = 3;  // 1 is the gravest
};
using Classifications = std::map<std::string, Classification, std::less<>>;

Classifications usual_classifications();

// Adds the lines "config classification: name,description,priority" of a classification.config.
Status add_classifications(Classifications& table, std::string_view text, const std::string& file);

}  // namespace postern::profiles::ips
