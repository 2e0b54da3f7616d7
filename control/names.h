// SPDX-License-Identifier: Apache-2.0
// Interns the operator's names: the same name has the same id as long as the process lives, whatever is
// committed in between, so flows and log records of an old generation stay readable. Any thread; readers take
// a short lock.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"

namespace postern::control {

struct RuleName {
  std::string pack;
  std::string name;
  uint32_t index = 0;
};

class Names {
 public:
  Names();

  // Ids run out only for zones (254), forwardings (254) and applications (4095); then the answer is id 0.
  Zone zone(std::string_view name);
  AppId application(std::string_view name);  // some have fixed ids (classify/app_ids.h)
  RuleId rule(const RuleName& name);
  ForwardingId forwarding(std::string_view name);
  SubjectId subject(std::string_view name);
  WireId wire(std::string_view name, std::string_view first_side, std::string_view second_side);

  std::string zone_name(Zone id) const;          // "" for kNoZone
  std::string application_name(AppId id) const;  // "" while pending, "unidentified"
  RuleName rule_name(RuleId id) const;           // {"", "default", 0} for kDefaultRule
  std::string forwarding_name(ForwardingId id) const;
  std::string subject_name(SubjectId id) const;
  std::string wire_name(WireId id) const;
  std::string side_name(WireId id, Side side) const;

 private:
  struct Table {
    std::unordered_map<std::string, uint32_t> ids;
    std::vector<std::string> names;
    uint32_t intern(std::string_view name, uint32_t limit);
  };
  mutable std::mutex mutex_;
  Table zones_, applications_, rules_, forwardings_, subjects_, wires_;
  std::vector<RuleName> rule_names_;
  std::vector<std::pair<std::string, std::string>> sides_;
};

}  // namespace postern::control
