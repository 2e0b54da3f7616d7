// SPDX-License-Identifier: Apache-2.0
#include "classify/pattern_set.h"

#include <hs/hs.h>

#include <cstdlib>
#include <utility>
#include <vector>

namespace postern::classify {
namespace {

// One report per pattern is enough. Patterns that match the empty string would match everything, so
// HS_FLAG_ALLOWEMPTY is never set and Hyperscan refuses them.
unsigned hs_mode_of(ScanMode mode) {
  switch (mode) {
    case ScanMode::Whole:
      return HS_MODE_BLOCK;
    case ScanMode::Joined:
      return HS_MODE_VECTORED;
    case ScanMode::InPieces:
      return HS_MODE_STREAM;
  }
  return HS_MODE_BLOCK;
}

unsigned flags_of(const Pattern& pattern, ScanMode mode) {
  // The first match of what is joined may be one that ended in an earlier piece.
  unsigned flags = HS_FLAG_DOTALL | (mode == ScanMode::Joined ? 0 : HS_FLAG_SINGLEMATCH);
  if (pattern.nocase) flags |= HS_FLAG_CASELESS;
  if (pattern.multiline) flags |= HS_FLAG_MULTILINE;
  return flags;
}

// Everything a database depends on, one field after the other with its length.
std::string key_of(std::span<const Pattern> patterns, ScanMode mode) {
  std::string key = std::string("hyperscan ") + hs_version();
  if (mode == ScanMode::Joined) key += " joined";
  if (mode == ScanMode::InPieces) key += " in pieces";
  hs_platform_info_t platform{};
  hs_populate_platform(&platform);
  key += " tune " + std::to_string(platform.tune) + " cpu " + std::to_string(platform.cpu_features) + "\n";
  for (const Pattern& pattern : patterns)
    key += std::to_string(flags_of(pattern, mode)) + " " + std::to_string(pattern.expression.size()) + " " +
           pattern.expression + "\n";
  return key;
}

hs_database* loaded(const std::vector<uint8_t>& serialised) {
  hs_database_t* database = nullptr;
  if (serialised.empty()) return nullptr;
  const char* bytes = reinterpret_cast<const char*>(serialised.data());
  return hs_deserialize_database(bytes, serialised.size(), &database) == HS_SUCCESS ? database : nullptr;
}

void save(const hs_database* database, const std::string& key, PatternCache& cache) {
  char* bytes = nullptr;
  size_t size = 0;
  if (hs_serialize_database(database, &bytes, &size) != HS_SUCCESS) return;
  cache.put(key, {reinterpret_cast<const uint8_t*>(bytes), size});
  std::free(bytes);
}

Error complaint(std::span<const Pattern> patterns, hs_compile_error_t* failure) {
  Error error{std::string("the patterns do not compile: ") + failure->message};
  if (failure->expression >= 0) {
    const Pattern& pattern = patterns[static_cast<size_t>(failure->expression)];
    error = {"pattern '" + pattern.expression + "' does not compile: " + failure->message, pattern.file,
             pattern.line};
  }
  hs_free_compile_error(failure);
  return error;
}

// A flow keeps as many bytes of what came before.
Status check_width(const Pattern& pattern, unsigned flags) {
  hs_expr_info_t* info = nullptr;
  hs_compile_error_t* failure = nullptr;
  if (hs_expression_info(pattern.expression.c_str(), flags, &info, &failure) != HS_SUCCESS)
    return complaint({&pattern, 1}, failure);
  const size_t longest = info->max_width;
  std::free(info);
  if (longest <= PatternSet::kLongestJoined) return Ok{};
  return Error{"pattern '" + pattern.expression.substr(0, 40) + "' can match more than " +
                   std::to_string(PatternSet::kLongestJoined) + " bytes, expected a shorter one",
               pattern.file, pattern.line};
}

struct FirstJoined {
  unsigned long long before;
  std::optional<size_t> found;
};

int on_joined_match(unsigned id, unsigned long long, unsigned long long end, unsigned,
                    void* context) noexcept {
  auto& first = *static_cast<FirstJoined*>(context);
  if (end <= first.before) return 0;
  first.found = id;
  return 1;  // one is enough
}

int on_match(unsigned id, unsigned long long, unsigned long long, unsigned, void* context) noexcept {
  static_cast<uint64_t*>(context)[id / 64] |= uint64_t{1} << id % 64;
  return 0;
}

struct FoundList {
  std::span<uint32_t> room;
  size_t size = 0;
};
int on_listed(unsigned id, unsigned long long, unsigned long long, unsigned, void* context) noexcept {
  FoundList& found = *static_cast<FoundList*>(context);
  if (found.size < found.room.size()) found.room[found.size++] = id;
  return 0;
}

}  // namespace

PatternStream::PatternStream(PatternStream&& from) noexcept : stream_(std::exchange(from.stream_, nullptr)) {}
PatternStream& PatternStream::operator=(PatternStream&& from) noexcept {
  std::swap(stream_, from.stream_);
  return *this;
}
PatternStream::~PatternStream() { close(); }
void PatternStream::close() noexcept {
  if (stream_ != nullptr) hs_close_stream(std::exchange(stream_, nullptr), nullptr, nullptr, nullptr);
}

void PatternStream::restart() noexcept {
  if (stream_ != nullptr && hs_reset_stream(stream_, 0, nullptr, nullptr, nullptr) != HS_SUCCESS) close();
}

ScanScratch::ScanScratch(ScanScratch&& from) noexcept : scratch_(std::exchange(from.scratch_, nullptr)) {}
ScanScratch& ScanScratch::operator=(ScanScratch&& from) noexcept {
  std::swap(scratch_, from.scratch_);
  return *this;
}
ScanScratch::~ScanScratch() { hs_free_scratch(scratch_); }

PatternSet::PatternSet() = default;
PatternSet::PatternSet(PatternSet&& from) noexcept
    : database_(std::exchange(from.database_, nullptr)), size_(std::exchange(from.size_, 0)) {}
PatternSet& PatternSet::operator=(PatternSet&& from) noexcept {
  std::swap(database_, from.database_);
  std::swap(size_, from.size_);
  return *this;
}
PatternSet::~PatternSet() { hs_free_database(database_); }

Result<PatternSet> PatternSet::compile(std::span<const Pattern> patterns, PatternCache& cache,
                                       ScanMode mode) {
  PatternSet set;
  if (patterns.empty()) return set;
  set.size_ = patterns.size();
  const std::string key = key_of(patterns, mode);
  set.database_ = loaded(cache.find(key));
  if (set.database_ != nullptr) return set;

  std::vector<const char*> expressions;
  std::vector<unsigned> flags, ids;
  for (const Pattern& pattern : patterns) {
    if (pattern.expression.find('\0') != std::string::npos)
      return Error{"pattern has a NUL byte, expected \\x00 in its place", pattern.file, pattern.line};
    ids.push_back(static_cast<unsigned>(ids.size()));
    expressions.push_back(pattern.expression.c_str());
    flags.push_back(flags_of(pattern, mode));
    if (mode != ScanMode::Joined) continue;
    if (const Status width = check_width(pattern, flags.back()); !width) return width.error();
  }
  hs_compile_error_t* failure = nullptr;
  if (hs_compile_multi(expressions.data(), flags.data(), ids.data(), static_cast<unsigned>(patterns.size()),
                       hs_mode_of(mode), nullptr, &set.database_, &failure) != HS_SUCCESS)
    return complaint(patterns, failure);
  save(set.database_, key, cache);
  return set;
}

Status PatternSet::fit(ScanScratch& scratch) const {
  if (database_ == nullptr || hs_alloc_scratch(database_, &scratch.scratch_) == HS_SUCCESS) return Ok{};
  return Error{"no memory to scan with"};
}

void PatternSet::scan(Bytes bytes, ScanScratch& scratch, std::span<uint64_t> found) const noexcept {
  if (database_ == nullptr) return;
  hs_scan(database_, reinterpret_cast<const char*>(bytes.data()), static_cast<unsigned>(bytes.size()), 0,
          scratch.scratch_, on_match, found.data());
}

std::optional<size_t> PatternSet::scan_joined(Bytes before, Bytes bytes,
                                              ScanScratch& scratch) const noexcept {
  if (database_ == nullptr) return std::nullopt;
  const char* const pieces[] = {reinterpret_cast<const char*>(before.data()),
                                reinterpret_cast<const char*>(bytes.data())};
  const unsigned sizes[] = {static_cast<unsigned>(before.size()), static_cast<unsigned>(bytes.size())};
  // A missing first piece may have no address, which Hyperscan refuses.
  const unsigned skip = before.empty() ? 1 : 0;
  FirstJoined first{.before = before.size(), .found = std::nullopt};
  hs_scan_vector(database_, pieces + skip, sizes + skip, 2 - skip, 0, scratch.scratch_, on_joined_match,
                 &first);
  return first.found;
}

size_t PatternSet::list(Bytes bytes, ScanScratch& scratch, std::span<uint32_t> found) const noexcept {
  if (database_ == nullptr) return 0;
  FoundList into{found};
  hs_scan(database_, reinterpret_cast<const char*>(bytes.data()), static_cast<unsigned>(bytes.size()), 0,
          scratch.scratch_, on_listed, &into);
  return into.size;
}

size_t PatternSet::list_next(Bytes piece, PatternStream& stream, ScanScratch& scratch,
                             std::span<uint32_t> found) const noexcept {
  if (database_ == nullptr) return 0;
  if (stream.stream_ == nullptr && hs_open_stream(database_, 0, &stream.stream_) != HS_SUCCESS) return 0;
  FoundList into{found};
  hs_scan_stream(stream.stream_, reinterpret_cast<const char*>(piece.data()),
                 static_cast<unsigned>(piece.size()), 0, scratch.scratch_, on_listed, &into);
  return into.size;
}

size_t PatternSet::memory() const noexcept {
  size_t size = 0;
  return database_ != nullptr && hs_database_size(database_, &size) == HS_SUCCESS ? size : 0;
}

}  // namespace postern::classify
