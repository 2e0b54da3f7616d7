// SPDX-License-Identifier: Apache-2.0
#include "profiles/dns/domain_table.h"

#include <sys/mman.h>

#include <algorithm>

#include "profiles/dns/name_hash.h"

namespace postern::profiles::dns {
namespace {

// Above that, lookups go on into the next line too often; below, lines are wasted.
constexpr size_t kFullPercent = 80;
constexpr size_t kFewestBuckets = 16;
constexpr size_t kExactAt = 0, kBelowAt = 4, kLengthAt = 8, kNameAt = 9;
constexpr uint64_t kMostBytes = 0xffff'ffff;

uint16_t tag_of(uint64_t hash) noexcept { return static_cast<uint16_t>(hash >> 48); }

size_t bucket_of(uint64_t hash, size_t buckets) noexcept { return (hash & 0xffff'ffff) * buckets >> 32; }

uint32_t load(const uint8_t* from) noexcept {
  uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

void store(uint8_t* to, RuleRef rule) noexcept { std::memcpy(to, &rule.value, sizeof rule.value); }

Bytes without_root(Bytes wire) noexcept { return wire.first(wire.size() - 1); }

// Every look-up is a walk of page tables, too, unless pages are large. Asks the kernel for that, and goes on
// without where it cannot (before Linux 6.1, or no memory in one piece).
void use_large_pages(const void* from, size_t size) noexcept {
  static constexpr uintptr_t kLargePage = 2 << 20;
  static constexpr int kCollapse = 25;  // MADV_COLLAPSE, which the headers of Debian 12 lack
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(from) + kLargePage - 1) & ~(kLargePage - 1);
  const uintptr_t end = (reinterpret_cast<uintptr_t>(from) + size) & ~(kLargePage - 1);
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, kCollapse);
}

// Of a name in the table.
Name name_at(const uint8_t* entry) noexcept {
  Name name;
  ByteReader labels({entry + kNameAt, entry[kLengthAt]});
  while (labels.remaining() != 0) name.append(labels.bytes(labels.u8()));
  return name;
}

}  // namespace

const uint8_t* DomainTable::entry_of(uint64_t hash, Bytes name) const noexcept {
  const uint16_t tag = tag_of(hash);
  for (size_t i = bucket_of(hash, buckets_.size());; i = i + 1 == buckets_.size() ? 0 : i + 1) {
    const Bucket& bucket = buckets_[i];
    for (size_t way = 0; way < kWays; ++way) {
      if (bucket.tags[way] != tag || bucket.offsets[way] == 0) continue;
      const uint8_t* entry = &entries_[bucket.offsets[way]];
      if (entry[kLengthAt] == name.size() && std::memcmp(entry + kNameAt, name.data(), name.size()) == 0)
        return entry;
    }
    if (bucket.offsets[kWays - 1] == 0) return nullptr;
  }
}

DomainTable::Match DomainTable::find(const Name& name) const noexcept {
  Match best;
  if (names_ == 0) return best;
  // All lines are asked for before the first is waited for: 5 million names are in no cache.
  NameHashes hashes(name, seed_);
  const size_t labels = name.labels();
  const auto has_depth = [&](size_t skipped) {
    const size_t depth = labels - skipped;
    return (depths_[depth / 64] >> depth % 64 & 1) != 0;
  };
  for (size_t skipped = 0; skipped < labels; ++skipped)
    if (has_depth(skipped)) __builtin_prefetch(&buckets_[bucket_of(hashes.of(skipped), buckets_.size())]);
  for (size_t skipped = 0; skipped <= labels; ++skipped) {
    if (!has_depth(skipped)) continue;
    const uint8_t* entry = entry_of(hashes.of(skipped), without_root(name.from_label(skipped)));
    if (entry == nullptr) continue;
    const RuleRef rule{load(entry + (skipped == 0 ? kExactAt : kBelowAt))};
    if (rule && (!best.rule || rule.list() < best.rule.list())) best = {rule, static_cast<uint8_t>(skipped)};
  }
  return best;
}

size_t DomainTable::memory() const noexcept {
  return buckets_.size() * sizeof(Bucket) + entries_.size() + sizeof *this;
}

DomainTableBuilder::DomainTableBuilder(uint64_t seed, size_t bytes) {
  table_.seed_ = seed;
  table_.entries_.reserve(bytes);
  table_.entries_.push_back(0);  // no entry is at offset 0
  table_.buckets_.resize(kFewestBuckets);
}

void DomainTableBuilder::place(uint64_t hash, uint32_t offset) noexcept {
  std::vector<DomainTable::Bucket>& buckets = table_.buckets_;
  for (size_t i = bucket_of(hash, buckets.size());; i = i + 1 == buckets.size() ? 0 : i + 1)
    for (size_t way = 0; way < DomainTable::kWays; ++way)
      if (buckets[i].offsets[way] == 0) {
        buckets[i].tags[way] = tag_of(hash);
        buckets[i].offsets[way] = offset;
        return;
      }
}

void DomainTableBuilder::resize(size_t buckets) {
  table_.buckets_ = {};  // freed before the new ones are there
  table_.buckets_.resize(std::max(buckets, kFewestBuckets));
  for (size_t at = 1; at < table_.entries_.size();) {
    const uint8_t* entry = &table_.entries_[at];
    place(NameHashes(name_at(entry), table_.seed_).of(0), static_cast<uint32_t>(at));
    at += kNameAt + entry[kLengthAt];
  }
}

DomainTableBuilder::Added DomainTableBuilder::add(const Name& name, Reach reach, RuleRef rule) {
  const uint64_t hash = NameHashes(name, table_.seed_).of(0);
  const Bytes wire = without_root(name.wire());
  const RuleRef exact = reach == Reach::Below ? RuleRef{} : rule;
  const RuleRef below = reach == Reach::Exact ? RuleRef{} : rule;
  if (const uint8_t* known = table_.entry_of(hash, wire)) {
    uint8_t* entry = &table_.entries_[static_cast<size_t>(known - table_.entries_.data())];
    Added added = Added::Known;
    for (const auto& [at, said] : {std::pair(kExactAt, exact), std::pair(kBelowAt, below)}) {
      const RuleRef before{load(entry + at)};
      if (!said) continue;
      if (before && before.list() == said.list() && before != said) return Added::Conflict;
      if (before && before.list() <= said.list()) continue;
      store(entry + at, said);
      added = Added::New;
    }
    return added;
  }
  std::vector<uint8_t>& entries = table_.entries_;
  const size_t offset = entries.size();
  if (offset + kNameAt + wire.size() > kMostBytes) return Added::Full;
  if ((table_.names_ + 1) * 100 > table_.buckets_.size() * DomainTable::kWays * kFullPercent)
    resize(table_.buckets_.size() * 2);
  entries.resize(offset + kNameAt);
  store(&entries[offset + kExactAt], exact);
  store(&entries[offset + kBelowAt], below);
  entries[offset + kLengthAt] = static_cast<uint8_t>(wire.size());
  entries.insert(entries.end(), wire.begin(), wire.end());
  place(hash, static_cast<uint32_t>(offset));
  ++table_.names_;
  table_.depths_[name.labels() / 64] |= uint64_t{1} << name.labels() % 64;
  return Added::New;
}

DomainTable DomainTableBuilder::build() {
  const size_t places = table_.names_ * 100 / kFullPercent + 1;
  const size_t wanted = std::max(places / DomainTable::kWays + 1, kFewestBuckets);
  if (wanted * 5 < table_.buckets_.size() * 4) resize(wanted);
  use_large_pages(table_.buckets_.data(), table_.buckets_.size() * sizeof(DomainTable::Bucket));
  use_large_pages(table_.entries_.data(), table_.entries_.size());
  return std::move(table_);
}

}  // namespace postern::profiles::dns
