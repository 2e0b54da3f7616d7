// SPDX-License-Identifier: Apache-2.0
// Sets of addresses or ports as disjoint, sorted intervals, so that a list of a thousand prefixes with
// exceptions is one binary search. Immutable once built; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"

namespace postern::profiles::ips {

inline std::optional<uint32_t> next_of(uint32_t value, uint32_t last) {
  return value == last ? std::nullopt : std::optional(value + 1);
}
inline std::optional<IpAddress> next_of(IpAddress value, const IpAddress& last) {
  if (value == last) return std::nullopt;
  for (size_t i = value.bytes.size(); i-- > 0;)
    if (++value.bytes[i] != 0) break;
  return value;
}
inline uint32_t before(uint32_t value) { return value - 1; }
inline IpAddress before(IpAddress value) {
  for (size_t i = value.bytes.size(); i-- > 0;)
    if (value.bytes[i]-- != 0) break;
  return value;
}

template <typename Value>
class IntervalSet {
 public:
  struct Interval {
    Value first, last;  // both belong to it
    bool operator==(const Interval&) const = default;
  };

  IntervalSet() = default;
  explicit IntervalSet(std::vector<Interval> any_order) : intervals_(std::move(any_order)) { merge(); }

  bool empty() const noexcept { return intervals_.empty(); }
  const std::vector<Interval>& intervals() const noexcept { return intervals_; }

  bool contains(const Value& value) const noexcept {
    const auto after = std::upper_bound(intervals_.begin(), intervals_.end(), value,
                                        [](const Value& v, const Interval& i) { return v < i.first; });
    return after != intervals_.begin() && value <= std::prev(after)->last;
  }

  IntervalSet with(const IntervalSet& other) const {
    std::vector<Interval> all = intervals_;
    all.insert(all.end(), other.intervals_.begin(), other.intervals_.end());
    return IntervalSet(std::move(all));
  }

  // Linear in both, for operators' lists are long.
  IntervalSet without(const IntervalSet& other) const {
    std::vector<Interval> left;
    auto cut = other.intervals_.begin();
    const auto end = other.intervals_.end();
    for (Interval rest : intervals_) {
      while (cut != end && cut->last < rest.first) ++cut;
      bool some = true;
      for (auto each = cut; each != end && each->first <= rest.last; ++each) {
        if (rest.first < each->first) left.push_back({rest.first, before(each->first)});
        const std::optional<Value> next = next_of(each->last, rest.last);
        if (each->last >= rest.last || !next) {
          some = false;
          break;
        }
        rest.first = *next;
      }
      if (some) left.push_back(rest);
    }
    IntervalSet set;
    set.intervals_ = std::move(left);
    return set;
  }

 private:
  void merge() {
    std::sort(intervals_.begin(), intervals_.end(),
              [](const Interval& a, const Interval& b) { return a.first < b.first; });
    std::vector<Interval> merged;
    for (const Interval& each : intervals_) {
      if (!merged.empty() && each.first <= merged.back().last)
        merged.back().last = std::max(merged.back().last, each.last);
      else
        merged.push_back(each);
    }
    intervals_ = std::move(merged);
  }

  std::vector<Interval> intervals_;
};

using AddressSet = IntervalSet<IpAddress>;
using PortSet = IntervalSet<uint32_t>;

}  // namespace postern::profiles::ips
