// SPDX-License-Identifier: Apache-2.0
// Reads a policy pack (JSON or YAML) and checks everything that can be known without a site: schema, repeated
// rules, what a rule's action demands. The result still speaks in names; `bind_pack` gives them ids. Control
// thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "classify/policy.h"
#include "control/findings.h"

namespace postern::control {

struct Word {
  std::string text;
  uint32_t line = 0;
};

enum class FlowDirection : uint8_t { Inbound, Internal, Outbound };  // of a rule, as its author sees it

struct PackRule {
  uint32_t line = 0;
  uint32_t index = 0;
  Action action = Action::Drop;
  Word app_id;
  uint8_t risk = 1;
  std::vector<Word> depends_on;
  std::vector<Word> source_zones, destination_zones;
  FlowDirection direction = FlowDirection::Internal;
  uint32_t direction_line = 0;
  std::vector<Word> groups;
  bool compliant = false;
  classify::DecryptionMode decryption = classify::DecryptionMode::None;
  uint32_t decryption_line = 0;
  std::vector<Word> exclusions;
  uint16_t profiles = 0;  // classify::Profile bits
  classify::ProfileAction antivirus{};
  uint32_t profiles_line = 0;
  Word forwarding;
  bool log_start = false, log_end = true;

  // "rule bmc_management (index 1)", as messages name it.
  std::string called() const;
};

struct Pack {
  std::string file, id, version, trust_tier;
  std::vector<PackRule> rules;
};

struct LoadedPack {
  std::optional<Pack> pack;  // absent exactly when there are errors
  Findings findings;
};

LoadedPack load_pack(const std::string& path);
LoadedPack parse_pack(std::string_view text, const std::string& file);

// "antivirus, ips and sandboxing"; names in the order of the kit.
std::string profile_names(uint16_t profiles);
std::string_view decryption_name(classify::DecryptionMode mode);

}  // namespace postern::control
