// SPDX-License-Identifier: Apache-2.0
#include "classify/tuple_space.h"

#include <algorithm>
#include <array>
#include <bit>

namespace postern::classify {
namespace {

constexpr size_t kMostBlocks = 4;        // buckets an entry may be in because its port range spans several
constexpr size_t kShortList = 16;        // so few entries are scanned, not hashed
constexpr size_t kFirstBucketLimit = 8;  // entries in a bucket, until tables get too many
constexpr size_t kFirstSample = 512;
constexpr size_t kSlotsPerEntry = 2;
constexpr uint32_t kLookedAt = 2;      // entries of a slot that are compared whether they are in use or not
constexpr size_t kAlwaysLookedAt = 4;  // tables, before looking whether the next one could matter

template <typename Bits>
constexpr auto prefix_steps() {
  if constexpr (Bits::kWidth == 32) {
    return std::array<uint8_t, 8>{0, 8, 12, 16, 20, 24, 28, 32};
  } else {
    return std::array<uint8_t, 11>{0, 24, 32, 40, 48, 56, 64, 96, 112, 120, 128};
  }
}
constexpr std::array<uint8_t, 5> kPortSteps = {0, 4, 8, 12, 16};

uint32_t block_of(uint16_t port, uint8_t port_bits) noexcept { return uint32_t{port} >> (16 - port_bits); }

template <typename Bits>
uint64_t bucket_hash(const Bits& source, const Bits& destination, uint8_t protocol, uint32_t block) noexcept {
  const uint64_t service = uint64_t{protocol} << 32 | block;
  return mix(source.fold() * 0x9e3779b97f4a7c15ULL ^
             std::rotl(destination.fold() * 0xd6e8feb86659fd93ULL, 32) ^ (service * 0xa0761d6478bd642fULL));
}

// Chooses tuples until every entry has a place.
template <typename Bits>
class TuplePlan {
 public:
  using Entry = typename TupleSpace<Bits>::Entry;
  using Places = std::vector<std::pair<uint64_t, uint32_t>>;  // bucket hash, entry number
  struct Step {
    Tuple tuple;
    Places places;  // by hash, then rule
  };

  explicit TuplePlan(const std::vector<Entry>& entries) : entries_(entries) {}

  std::vector<Step> steps() {
    std::vector<uint32_t> rest(entries_.size());
    for (uint32_t i = 0; i < rest.size(); ++i) rest[i] = i;
    std::vector<Step> steps;
    size_t limit = kFirstBucketLimit, sample = kFirstSample;
    while (!rest.empty()) {
      if (rest.size() <= kShortList) limit = std::max(limit, rest.size());
      Step step{rest.size() <= kShortList ? Tuple{} : best_tuple(rest, limit, sample), {}};
      step.places = place(step.tuple, rest, limit);
      std::vector<uint32_t> left_over = without(rest, step.places);
      // A table costs every lookup a probe, so it must take a good part. First look closer, then tolerate
      // longer buckets; with no limit the coarsest tuple takes everything.
      if (left_over.size() * 4 > rest.size() * 3) {
        if (sample < rest.size()) {
          sample *= 8;
        } else {
          limit *= 4;
        }
        continue;
      }
      steps.push_back(std::move(step));
      rest = std::move(left_over);
      sample = kFirstSample;
    }
    return steps;
  }

 private:
  static bool qualifies(const Entry& entry, const Tuple& tuple) {
    if (entry.source_length < tuple.source || entry.destination_length < tuple.destination) return false;
    if (tuple.protocol && entry.protocol == kAnyProtocol) return false;
    return tuple.ports == 0 ||
           block_of(entry.last_port(), tuple.ports) - block_of(entry.first_port, tuple.ports) < kMostBlocks;
  }

  Places hashes(const Tuple& tuple, const std::vector<uint32_t>& numbers) const {
    const Bits source_mask = Bits::mask(tuple.source), destination_mask = Bits::mask(tuple.destination);
    Places places;
    places.reserve(numbers.size());
    for (const uint32_t number : numbers) {
      const Entry& e = entries_[number];
      if (!qualifies(e, tuple)) continue;
      const uint8_t protocol = tuple.protocol ? e.protocol : kAnyProtocol;
      const uint32_t last = tuple.ports == 0 ? 0 : block_of(e.last_port(), tuple.ports);
      for (uint32_t block = tuple.ports == 0 ? 0 : block_of(e.first_port, tuple.ports); block <= last;
           ++block)
        places.emplace_back(
            bucket_hash(e.source & source_mask, e.destination & destination_mask, protocol, block), number);
    }
    return places;
  }

  // Entries of `numbers` that `tuple` would take, when each of them stands for `scale` of the real ones.
  // An entry in several blocks counts for each.
  size_t score(const Tuple& tuple, const std::vector<uint32_t>& numbers, size_t limit, double scale) const {
    auto places = hashes(tuple, numbers);
    std::sort(places.begin(), places.end());
    size_t blocks = places.size();
    for (size_t i = 0, end = 0; i < places.size(); i = end) {
      while (end < places.size() && places[end].first == places[i].first) ++end;
      if (1 + static_cast<double>(end - i - 1) * scale > static_cast<double>(limit)) blocks -= end - i;
    }
    return blocks;
  }

  Tuple best_tuple(const std::vector<uint32_t>& rest, size_t limit, size_t sample_size) const {
    const std::vector<uint32_t> sample = sample_of(rest, sample_size);
    const double scale = static_cast<double>(rest.size()) / static_cast<double>(sample.size());
    struct Candidate {
      size_t takers;
      Tuple tuple;
    };
    std::vector<Candidate> candidates;
    for (const Tuple& tuple : all_tuples()) {
      const auto takers = std::count_if(sample.begin(), sample.end(),
                                        [&](uint32_t n) { return qualifies(entries_[n], tuple); });
      candidates.push_back({static_cast<size_t>(takers), tuple});
    }
    // Among equals the finest first: its buckets are the shortest.
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
      if (a.takers != b.takers) return a.takers > b.takers;
      return fineness(a.tuple) > fineness(b.tuple);
    });
    Tuple best;
    size_t best_score = 0;
    for (const Candidate& candidate : candidates) {
      if (candidate.takers <= best_score) break;
      const size_t taken = std::min(candidate.takers, score(candidate.tuple, sample, limit, scale));
      if (taken <= best_score) continue;
      best_score = taken;
      best = candidate.tuple;
    }
    return best;
  }

  static unsigned fineness(const Tuple& tuple) {
    return (tuple.source + tuple.destination) * 32u / Bits::kWidth + tuple.ports + (tuple.protocol ? 1u : 0u);
  }

  static std::vector<Tuple> all_tuples() {
    std::vector<Tuple> tuples;
    for (const uint8_t source : prefix_steps<Bits>())
      for (const uint8_t destination : prefix_steps<Bits>()) {
        tuples.push_back({source, destination, 0, false});
        for (const uint8_t ports : kPortSteps) tuples.push_back({source, destination, ports, true});
      }
    return tuples;
  }

  // Scattered, so a pattern in the order of rules does not bias it; always the same, so compiles are
  // repeatable.
  static std::vector<uint32_t> sample_of(const std::vector<uint32_t>& rest, size_t size) {
    if (rest.size() <= size) return rest;
    std::vector<uint32_t> sample = rest;
    for (size_t i = 0; i < size; ++i) std::swap(sample[i], sample[i + mix(i) % (sample.size() - i)]);
    sample.resize(size);
    return sample;
  }

  // All of an entry's buckets stay within `limit`, or it gets no place.
  Places place(const Tuple& tuple, const std::vector<uint32_t>& rest, size_t limit) const {
    auto places = hashes(tuple, rest);
    std::sort(places.begin(), places.end(), [this](const auto& a, const auto& b) {
      if (a.first != b.first) return a.first < b.first;
      return std::pair(entries_[a.second].rule, a.second) < std::pair(entries_[b.second].rule, b.second);
    });
    std::vector<bool> taken(entries_.size());
    for (const auto& [hash, number] : places) taken[number] = true;
    for (size_t i = 0, end = 0; i < places.size(); i = end) {
      while (end < places.size() && places[end].first == places[i].first) ++end;
      if (end - i <= limit) continue;
      for (size_t j = i; j < end; ++j) taken[places[j].second] = false;
    }
    std::erase_if(places, [&taken](const auto& at) { return !taken[at.second]; });
    return places;
  }

  std::vector<uint32_t> without(const std::vector<uint32_t>& rest, const Places& places) const {
    std::vector<bool> placed(entries_.size());
    for (const auto& [hash, number] : places) placed[number] = true;
    std::vector<uint32_t> left_over;
    for (const uint32_t number : rest)
      if (!placed[number]) left_over.push_back(number);
    return left_over;
  }

  const std::vector<Entry>& entries_;
};

}  // namespace

template <typename Bits>
TupleSpace<Bits>::TupleSpace(std::vector<Entry> entries) {
  static_assert(Bits::kWidth != 32 || sizeof(Entry) == 32);
  all_decide_ = std::all_of(entries.begin(), entries.end(), [](const Entry& e) { return e.decides(); });
  for (auto& step : TuplePlan<Bits>(entries).steps())
    tables_.push_back(make_table(step.tuple, entries, std::move(step.places)));
  std::sort(tables_.begin(), tables_.end(),
            [](const Table& a, const Table& b) { return a.lowest_rule < b.lowest_rule; });
}

template <typename Bits>
typename TupleSpace<Bits>::Table TupleSpace<Bits>::make_table(const Tuple& tuple,
                                                              const std::vector<Entry>& entries,
                                                              Places places) {
  Table table;
  table.tuple = tuple;
  table.source_mask = Bits::mask(tuple.source);
  table.destination_mask = Bits::mask(tuple.destination);
  table.lowest_rule = kNoRuleIndex;
  const size_t slots = std::bit_ceil(places.size() * kSlotsPerEntry);
  table.slot_mask = slots - 1;
  table.starts.resize(slots + 1);
  for (const auto& [hash, number] : places) ++table.starts[table.slot_of(hash) + 1];
  for (size_t i = 0; i < slots; ++i) table.starts[i + 1] += table.starts[i];
  std::vector<uint32_t> next(table.starts.begin(), table.starts.end() - 1);
  // By rule, then number: places are sorted so within a hash, not within a slot.
  std::sort(places.begin(), places.end(), [&](const auto& a, const auto& b) {
    return std::pair(entries[a.second].rule, a.second) < std::pair(entries[b.second].rule, b.second);
  });
  table.entries.resize(places.size() + kLookedAt);
  for (const auto& [hash, number] : places) {
    table.entries[next[table.slot_of(hash)]++] = entries[number];
    table.lowest_rule = std::min(table.lowest_rule, entries[number].rule);
  }
  return table;
}

template <typename Bits>
uint64_t TupleSpace<Bits>::hash_in(const Table& table, const Bits& source, const Bits& destination,
                                   uint8_t protocol, uint16_t port) noexcept {
  return bucket_hash(source & table.source_mask, destination & table.destination_mask,
                     table.tuple.protocol ? protocol : kAnyProtocol, block_of(port, table.tuple.ports));
}

template <typename Bits>
bool within(const typename TupleSpace<Bits>::Entry& e, const Bits& source, const Bits& destination,
            uint8_t protocol, uint16_t port) noexcept {
  const bool same_protocol = (e.protocol == kAnyProtocol) | (e.protocol == protocol);
  // Modulo 2^16 a port below the first is far beyond the last.
  const bool in_range = static_cast<uint16_t>(port - e.first_port) <= e.more_ports;
  const bool from = ((source ^ e.source) & e.source_mask).zero();
  const bool to = ((destination ^ e.destination) & e.destination_mask).zero();
  return same_protocol & in_range & from & to;
}

// Slots hold few entries, and whether one fits is nobody's guess: the first ones are compared without a
// branch, so that the processor is not sent back and begins with the next flow's memory meanwhile.
template <typename Bits>
void TupleSpace<Bits>::find_deciding(const Bits& source, const Bits& destination,
                                     RuleJudge& judge) const noexcept {
  const uint8_t protocol = judge.facts().protocol;
  const uint16_t port = judge.facts().destination_port;
  uint32_t best = judge.best();
  for (size_t t = 0; t < tables_.size(); ++t) {
    const Table& table = tables_[t];
    if (t >= kAlwaysLookedAt && table.lowest_rule >= best) break;
    const size_t slot = table.slot_of(hash_in(table, source, destination, protocol, port));
    const uint32_t first = table.starts[slot], end = table.starts[slot + 1];
    for (uint32_t i = first; i < first + kLookedAt; ++i) {
      const Entry& e = table.entries[i];
      const bool fits = (i < end) & within<Bits>(e, source, destination, protocol, port);
      // Beyond all rules when it does not fit; written as a mask because compilers make a branch of a choice.
      best = std::min(best, e.rule | -uint32_t{!fits});
    }
    for (uint32_t i = first + kLookedAt; i < end; ++i) {
      const Entry& e = table.entries[i];
      if (e.rule >= best) break;
      if (within<Bits>(e, source, destination, protocol, port)) best = e.rule;
    }
  }
  judge.matched(best);
}

template <typename Bits>
void TupleSpace<Bits>::find_weighing(const Bits& source, const Bits& destination,
                                     RuleJudge& judge) const noexcept {
  const uint8_t protocol = judge.facts().protocol;
  const uint16_t port = judge.facts().destination_port;
  for (const Table& table : tables_) {
    if (table.lowest_rule >= judge.best()) return;
    const size_t slot = table.slot_of(hash_in(table, source, destination, protocol, port));
    for (uint32_t i = table.starts[slot]; i < table.starts[slot + 1]; ++i) {
      const Entry& e = table.entries[i];
      if (e.rule >= judge.best()) break;
      if (!within<Bits>(e, source, destination, protocol, port)) continue;
      if (!judge.may_be_in(e.group_bits)) continue;
      if (!e.exact && !judge.fits_packet(e.rule)) continue;
      if (e.plain) {
        judge.matched(e.rule);
        break;
      }
      judge.weigh(e.rule);
    }
  }
}

template <typename Bits>
void TupleSpace<Bits>::find(const Bits& source, const Bits& destination, RuleJudge& judge) const noexcept {
  return all_decide_ ? find_deciding(source, destination, judge) : find_weighing(source, destination, judge);
}

template <typename Bits>
size_t TupleSpace<Bits>::longest_bucket() const noexcept {
  size_t longest = 0;
  for (const Table& table : tables_)
    for (size_t slot = 0; slot <= table.slot_mask; ++slot)
      longest = std::max<size_t>(longest, table.starts[slot + 1] - table.starts[slot]);
  return longest;
}

template class TupleSpace<V4Bits>;
template class TupleSpace<V6Bits>;

}  // namespace postern::classify
