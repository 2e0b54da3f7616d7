// SPDX-License-Identifier: Apache-2.0
#include "control/names.h"

#include "classify/app_ids.h"

namespace postern::control {
namespace {

constexpr uint32_t kMostZones = 254, kMostForwardings = 254, kMostWires = 255,
                   kMostApplications = classify::app::kLastCatalogueApp + 1, kUnlimited = UINT32_MAX;
constexpr uint32_t kFull = UINT32_MAX;

std::string name_at(const std::vector<std::string>& names, size_t index) {
  return index < names.size() ? names[index] : std::string();
}

}  // namespace

// Index of the name, new or old; kFull when `limit` names exist and this is not one of them.
uint32_t Names::Table::intern(std::string_view name, uint32_t limit) {
  std::string key(name);
  if (const auto known = ids.find(key); known != ids.end()) return known->second;
  if (names.size() >= limit) return kFull;
  const auto index = static_cast<uint32_t>(names.size());
  ids.emplace(key, index);
  names.push_back(std::move(key));
  return index;
}

// Tables whose id 0 means "none" hold the empty name there.
Names::Names() {
  for (Table* table : {&zones_, &forwardings_, &subjects_}) table->intern("", kUnlimited);
  rules_.intern("", kUnlimited);
  rule_names_.push_back({"", "default", 0});
  // The fixed ids come first; unused ones keep their place without a name.
  for (uint16_t id = 0; id < classify::app::kFirstCatalogueApp; ++id) {
    std::string name(id == kApplicationUnidentified.value ? "unidentified"
                                                          : classify::app::fixed_name(AppId{id}));
    if (!name.empty()) applications_.ids.emplace(name, id);
    applications_.names.push_back(std::move(name));
  }
}

Zone Names::zone(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const uint32_t id = zones_.intern(name, kMostZones + 1);
  return id == kFull ? kNoZone : Zone{static_cast<uint8_t>(id)};
}

AppId Names::application(std::string_view name) {
  if (name.empty()) return kApplicationPending;
  const std::lock_guard lock(mutex_);
  const uint32_t id = applications_.intern(name, kMostApplications);
  return id == kFull ? kApplicationPending : AppId{static_cast<uint16_t>(id)};
}

RuleId Names::rule(const RuleName& name) {
  const std::lock_guard lock(mutex_);
  const uint32_t id =
      rules_.intern(name.pack + '\n' + name.name + '\n' + std::to_string(name.index), kUnlimited);
  if (id == rule_names_.size()) rule_names_.push_back(name);
  return RuleId{id};
}

ForwardingId Names::forwarding(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const uint32_t id = forwardings_.intern(name, kMostForwardings + 1);
  return id == kFull ? ForwardingId{} : ForwardingId{static_cast<uint8_t>(id)};
}

SubjectId Names::subject(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return SubjectId{subjects_.intern(name, kUnlimited)};
}

WireId Names::wire(std::string_view name, std::string_view first_side, std::string_view second_side) {
  const std::lock_guard lock(mutex_);
  const uint32_t id = wires_.intern(name, kMostWires);
  if (id == kFull) return WireId{kMostWires};
  if (id == sides_.size()) sides_.emplace_back();
  sides_[id] = {std::string(first_side), std::string(second_side)};
  return WireId{static_cast<uint8_t>(id)};
}

std::string Names::zone_name(Zone id) const {
  const std::lock_guard lock(mutex_);
  return name_at(zones_.names, id.value);
}

std::string Names::application_name(AppId id) const {
  const std::lock_guard lock(mutex_);
  return name_at(applications_.names, id.value);
}

RuleName Names::rule_name(RuleId id) const {
  const std::lock_guard lock(mutex_);
  return id.value < rule_names_.size() ? rule_names_[id.value] : RuleName{};
}

std::string Names::forwarding_name(ForwardingId id) const {
  const std::lock_guard lock(mutex_);
  return name_at(forwardings_.names, id.value);
}

std::string Names::subject_name(SubjectId id) const {
  const std::lock_guard lock(mutex_);
  return name_at(subjects_.names, id.value);
}

std::string Names::wire_name(WireId id) const {
  const std::lock_guard lock(mutex_);
  return name_at(wires_.names, id.value);
}

std::string Names::side_name(WireId id, Side side) const {
  const std::lock_guard lock(mutex_);
  if (id.value >= sides_.size()) return {};
  return side == Side::First ? sides_[id.value].first : sides_[id.value].second;
}

}  // namespace postern::control
