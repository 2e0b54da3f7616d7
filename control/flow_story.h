// SPDX-License-Identifier: Apache-2.0
// Turns what the data path tells of a traced flow into words and JSON: what was seen, which applications were
// considered, what each rule thought, what is still owed. The bytes themselves are not told, they may hold
// secrets. Control thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "classify/policy_snapshot.h"
#include "control/names.h"
#include "dataplane/trace_event.h"

namespace postern::control {

class FlowStory {
 public:
  // `snapshot` judges now; events of another generation are told without its rules.
  FlowStory(const classify::PolicySnapshot& snapshot, const Names& names);

  // {step, time, after_us, packet, flow_id, text, ...}; what else depends on the step (docs/posternctl.md).
  nlohmann::json step(const dataplane::TraceEvent& event);

  // The same as lines for people: what happened, then its details, indented.
  static std::vector<std::string> lines(const nlohmann::json& step);

 private:
  void tell_opening(nlohmann::json& step, const dataplane::TraceEvent& event) const;
  static void tell_packet(nlohmann::json& step, const dataplane::TraceEvent& event);
  static void tell_end(nlohmann::json& step, const dataplane::TraceEvent& event);
  void tell_now(nlohmann::json& step, const dataplane::TraceEvent& event);
  void tell_look(nlohmann::json& step, const dataplane::TraceEvent& event);
  void tell_facts(nlohmann::json& step, const dataplane::TraceEvent& event) const;
  void tell_judgement(nlohmann::json& step, const dataplane::TraceEvent& event) const;
  nlohmann::json applications(const dataplane::TraceEvent& event);
  std::string found_text(AppId found) const;
  std::string verdict_text(const dataplane::TraceEvent& event) const;

  const classify::PolicySnapshot& snapshot_;
  const Names& names_;
  Result<classify::ScanScratch> scratch_;
};

}  // namespace postern::control
