// SPDX-License-Identifier: Apache-2.0
// What one call of Inspection has at hand, for the two files that Inspection is written in.
#pragma once

#include "profiles/ips/inspection.h"

namespace postern::profiles::ips {

struct Inspection::Call {
  FlowState& flow;
  const FlowFacts& facts;
  const Input& input;
  Timestamp now;
  Budget budget{kUnits};
  BufferKind kind;  // that is at hand: a stream's piece is a segment, too
  View view;
  size_t hits = 0;
  Judgement judgement = Judgement::Nothing;
  Overload overload = Overload::None;
};

}  // namespace postern::profiles::ips
