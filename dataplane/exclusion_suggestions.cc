// SPDX-License-Identifier: Apache-2.0
#include "dataplane/exclusion_suggestions.h"

#include <algorithm>
#include <utility>

namespace postern::dataplane {

void ExclusionSuggestions::note(ExclusionSuggestion seen, Timestamp now) {
  const std::lock_guard lock(mutex_);
  std::vector<ExclusionSuggestion>& all = seen_.all;
  auto known = std::find_if(all.begin(), all.end(), [&](const ExclusionSuggestion& s) {
    return s.host == seen.host && s.server == seen.server && s.port == seen.port;
  });
  if (known == all.end() && all.size() >= kMost) {
    known = std::min_element(all.begin(), all.end(),
                             [](const auto& a, const auto& b) { return a.last < b.last; });
    *known = {};
    ++seen_.displaced;
  }
  if (known == all.end()) known = all.insert(all.end(), ExclusionSuggestion{});
  seen.sessions = known->sessions + 1;
  seen.first = known->sessions > 0 ? known->first : now;
  seen.last = now;
  *known = std::move(seen);
}

ExclusionSuggestions::Seen ExclusionSuggestions::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

}  // namespace postern::dataplane
