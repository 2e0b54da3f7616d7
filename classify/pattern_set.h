// SPDX-License-Identifier: Apache-2.0
// Many patterns in one Hyperscan database; the only user of Hyperscan. A set is immutable and may be scanned
// by many threads, each with a scratch of its own.
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
struct hs_stream;

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

// How far a text that comes in pieces has been scanned. Belongs to the set it was opened for, which may be
// gone when it is closed. One worker.
class PatternStream {
 public:
  PatternStream() = default;
  PatternStream(PatternStream&& from) noexcept;
  PatternStream& operator=(PatternStream&& from) noexcept;
  ~PatternStream();
  bool open() const noexcept { return stream_ != nullptr; }
  void close() noexcept;
  void restart() noexcept;  // the next piece begins another text; allocates nothing

 private:
  friend class PatternSet;
  hs_stream* stream_ = nullptr;
};

// What a set will be shown: whole texts; pieces of one, each with the end of what came before, which the
// caller keeps; or pieces alone, between which a PatternStream keeps what there is to know.
enum class ScanMode : uint8_t { Whole, Joined, InPieces };

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

  // Of a joined set: a pattern that matches and ends in `bytes`, which follow `before`; nullopt: none.
  std::optional<size_t> scan_joined(Bytes before, Bytes bytes, ScanScratch& scratch) const noexcept;

  // The numbers of the patterns that match, in no order, each once; `found` has room for size() of them.
  // Returns how many.
  size_t list(Bytes bytes, ScanScratch& scratch, std::span<uint32_t> found) const noexcept;

  // The same for the next piece of a text, in a set for texts in pieces; no pattern is told twice of one
  // text. Opens the stream with the first piece, which allocates; without memory nothing is found and the
  // stream stays closed.
  size_t list_next(Bytes piece, PatternStream& stream, ScanScratch& scratch,
                   std::span<uint32_t> found) const noexcept;

  size_t size() const noexcept { return size_; }
  size_t memory() const noexcept;  // bytes of the database

 private:
  hs_database* database_ = nullptr;
  size_t size_ = 0;
};

}  // namespace postern::classify
