// SPDX-License-Identifier: Apache-2.0
// Millions of domain names and what is said about each of them and about all names below. Immutable once
// built; any thread may read it. One cache line per level of a name that is looked for, plus the name itself
// where the line has its tag.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "profiles/dns/name.h"

namespace postern::profiles::dns {

// What lists say, as a number; the number of the list is in its upper byte. Lists count from 1, and an
// earlier one has the last word. 0: nothing is said.
struct RuleRef {
  uint32_t value = 0;
  static constexpr uint32_t kMostPerList = 1u << 24;
  static constexpr uint8_t kMostLists = 255;

  static RuleRef of(uint8_t list, uint32_t index) noexcept { return {uint32_t{list} << 24 | index}; }
  explicit operator bool() const noexcept { return value != 0; }
  uint8_t list() const noexcept { return static_cast<uint8_t>(value >> 24); }
  uint32_t index() const noexcept { return value & (kMostPerList - 1); }
  bool operator==(const RuleRef&) const = default;
};

enum class Reach : uint8_t {
  Exact,  // this name
  Below,  // all names below it, as a wildcard says
  Both,
};

class DomainTable {
 public:
  struct Match {
    RuleRef rule;
    uint8_t skipped = 0;  // labels of the name before the one that is listed
  };
  // The earliest list's rule; in a list the name itself before what covers it, and the longest of those.
  Match find(const Name& name) const noexcept;

  size_t names() const noexcept { return names_; }
  size_t memory() const noexcept;  // bytes

 private:
  friend class DomainTableBuilder;
  static constexpr size_t kWays = 10;
  // Tags before offsets: one cache line, and offset 0 is a free place. Places are taken from the first on.
  struct alignas(64) Bucket {
    uint16_t tags[kWays] = {};
    uint32_t offsets[kWays] = {};
  };
  static_assert(sizeof(Bucket) == 64);
  struct Entry;

  const uint8_t* entry_of(uint64_t hash, Bytes name) const noexcept;

  std::vector<Bucket> buckets_;
  std::vector<uint8_t> entries_;  // rule of the name, rule of what is below, length, name without the root
  uint64_t seed_ = 0;
  size_t names_ = 0;
  uint64_t depths_[2] = {};  // which numbers of labels the listed names have
};

class DomainTableBuilder {
 public:
  // The seed should not be known to who chooses names, or lookups can be made slow. `bytes` of text are
  // expected.
  explicit DomainTableBuilder(uint64_t seed, size_t bytes = 0);

  enum class Added : uint8_t {
    New,
    Known,     // an earlier list, or the same rule of this list
    Conflict,  // this list says something else about it already
    Full,      // 4 GiB of names
  };
  Added add(const Name& name, Reach reach, RuleRef rule);
  size_t names() const { return table_.names_; }

  DomainTable build();

 private:
  void place(uint64_t hash, uint32_t offset) noexcept;
  void resize(size_t buckets);

  DomainTable table_;
};

}  // namespace postern::profiles::dns
