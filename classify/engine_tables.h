// SPDX-License-Identifier: Apache-2.0
// What the application engine is compiled into: per layer and sender one pattern database and the decoders
// that need no pattern, by confidence. application_engine.cc alone uses it. Immutable once built.
#pragma once

#include <algorithm>
#include <array>
#include <bit>

#include "classify/application_engine.h"
#include "classify/value_sets.h"

namespace postern::classify {

// A set of candidates of one group, as bits; `BitArray()` is empty, without parentheses nothing is set up.
template <size_t kBits>
struct BitArray {
  static constexpr size_t kWords = kBits / 64;
  std::array<uint64_t, kWords> words;

  void set(size_t i) noexcept { words[i / 64] |= uint64_t{1} << i % 64; }
  void clear(size_t i) noexcept { words[i / 64] &= ~(uint64_t{1} << i % 64); }
  bool test(size_t i) const noexcept { return (words[i / 64] >> i % 64 & 1) != 0; }
  BitArray and_in(const BitArray& other) const noexcept {
    BitArray both;
    for (size_t i = 0; i < kWords; ++i) both.words[i] = words[i] & other.words[i];
    return both;
  }
  BitArray and_not_in(const BitArray& other) const noexcept {
    BitArray rest;
    for (size_t i = 0; i < kWords; ++i) rest.words[i] = words[i] & ~other.words[i];
    return rest;
  }

  // Calls `each` for the bits in [first, end).
  template <typename Each>
  void for_each(size_t first, size_t end, Each each) const noexcept {
    for (size_t word = first / 64; word * 64 < end; ++word) {
      uint64_t bits = words[word];
      if (word == first / 64) bits &= ~uint64_t{0} << first % 64;
      for (; bits != 0; bits &= bits - 1) {
        const size_t i = word * 64 + static_cast<size_t>(std::countr_zero(bits));
        if (i >= end) return;
        each(i);
      }
    }
  }
};

struct Candidate {
  static constexpr uint32_t kAnyServer = UINT32_MAX;

  AppId application;
  Confidence confidence = Confidence::High;
  uint16_t min_bytes = 1;
  Decoder decode = nullptr;       // nullptr: the pattern suffices
  uint32_t servers = kAnyServer;  // which of EngineTables::servers
  uint32_t order = 0;             // position in the catalogue
  PortSet ports;                  // empty: none named
};

struct CandidateGroup {
  static constexpr size_t kMostPatterns = 1024, kMostDecoders = 256;
  using PatternBits = BitArray<kMostPatterns>;
  using DecoderBits = BitArray<kMostDecoders>;
  struct Level {  // candidates of one confidence
    uint32_t first_pattern = 0, end_pattern = 0, first_decoder = 0, end_decoder = 0;
  };

  PatternSet patterns;
  std::vector<Candidate> by_pattern;   // i-th pattern of the set
  std::vector<Candidate> by_decoder;   // without a pattern
  std::vector<uint32_t> by_min_bytes;  // patterns of each level, those with most min_bytes first
  std::vector<Level> levels;           // high, medium, low; those that have candidates
  // Decoders worth asking: of a stream by its first byte, otherwise one entry for all.
  std::vector<DecoderBits> may_fit;
  // Decoders whose ports hold the server's: the n-th entry from the n-th of these ports on.
  std::vector<uint16_t> hinted_from;  // ascending, the first is 0
  std::vector<DecoderBits> hinted;

  const DecoderBits& hinted_at(uint16_t port) const noexcept {
    const auto after = std::upper_bound(hinted_from.begin(), hinted_from.end(), port);
    return hinted[static_cast<size_t>(after - hinted_from.begin()) - 1];
  }
};

struct ApplicationEngine::Tables {
  std::array<std::array<CandidateGroup, 2>, kLayers> groups;  // layer, direction
  std::vector<PrefixSet> servers;                             // of applications bound to hosts
  std::vector<AppId> parents;                                 // by id
  std::array<AppId, 256> by_protocol{};                       // IP protocols that are applications themselves
  std::vector<bool> has_children, refinable;                  // by id
  std::array<std::vector<AppId>, kLayers> named_by;           // applications with a signature of the layer

  static Result<std::unique_ptr<Tables>> build(const std::vector<Signature>& signatures,
                                               const std::vector<Application>& applications,
                                               PatternCache& cache);

  const CandidateGroup& group(Layer layer, Direction direction) const noexcept {
    return groups[static_cast<size_t>(layer)][static_cast<size_t>(direction)];
  }
  bool is_child(AppId application, AppId ancestor) const noexcept {
    while (application.value < parents.size() && parents[application.value] != kApplicationPending) {
      application = parents[application.value];
      if (application == ancestor) return true;
    }
    return false;
  }
  // Whether `application` is a more exact name for what is `base` and shows a text of `layer`.
  bool refines(AppId application, AppId base, Layer layer) const noexcept;
};

}  // namespace postern::classify
