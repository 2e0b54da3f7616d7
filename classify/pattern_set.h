// SPDX-License-Identifier: Apache-2.0
// Many patterns in one Hyperscan database, for whole texts or for two pieces of one; the only user of
// Hyperscan. A set is immutable and may be scanned by many threads, each with a scratch of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "classify/pattern_cache.h"

struct hs_database;
struct hs_scratch;

namespace postern::classify {

struct Pattern {
  std::string expression;  // Hyperscan's PCRE
  bool nocase = false;
  bool multiline = false;  // ^ and $ at line ends
  std::string file;        // where it is written, for errors
  uint32_t line = 0;
};

// Working memory of a scan. One worker.
class ScanScratch {
 public:
  ScanScratch() = default;
  ScanScratch(ScanScratch&& from) noexcept;
  ScanScratch& operator=(ScanScratch&& from) noexcept;
  ~ScanScratch();
  hs_scratch* get() const noexcept { return scratch_; }

 private:
  friend class PatternSet;
  hs_scratch* scratch_ = nullptr;
};

// What a set will be shown: whole texts, or a stream piece by piece, each with the end of what came before.
enum class ScanMode : uint8_t { Whole, Joined };

class PatternSet {
 public:
  static constexpr size_t kLongestJoined = 256;  // bytes that a pattern of a stream may match

  PatternSet();  // empty: matches nothing
  // Errors name file and line of the pattern.
  static Result<PatternSet> compile(std::span<const Pattern> patterns, PatternCache& cache,
                                    ScanMode mode = ScanMode::Whole);
  PatternSet(PatternSet&&) noexcept;
  PatternSet& operator=(PatternSet&&) noexcept;
  ~PatternSet();

  Status fit(ScanScratch& scratch) const;  // makes the scratch fit this set too; allocates

  // Sets bit i of `found` for every pattern i that matches; `found` has room for size() bits.
  void scan(Bytes bytes, ScanScratch& scratch, std::span<uint64_t> found) const noexcept;

  // Of a set for streams: a pattern that matches and ends in `bytes`, which follow `before`; nullopt: none.
  std::optional<size_t> scan_joined(Bytes before, Bytes bytes, ScanScratch& scratch) const noexcept;

  size_t size() const noexcept { return size_; }
  size_t memory() const noexcept;  // bytes of the database

 private:
  hs_database* database_ = nullptr;
  size_t size_ = 0;
};

}  // namespace postern::classify
