// SPDX-License-Identifier: Apache-2.0
// Signatures compiled for speed: for every kind of buffer and direction one set of patterns, of which each
// rule has the one that is rarest; rules without any are asked about every buffer of their kind. Made by the
// control thread, immutable, read by all workers.
#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <span>
#include <vector>

#include "classify/pattern_set.h"
#include "profiles/ips/rule_reader.h"

namespace postern::profiles::ips {

class RuleSet {
 public:
  // Takes the reader's signatures; what the pattern engine refuses is added to the reader's refusals.
  static Result<RuleSet> compile(RuleReader& reader, classify::PatternCache& cache);

  // A rule of TCP payloads may stand for two: one that looks at segments, one at the stream.
  struct Entry {
    uint32_t signature = 0;
    BufferKind payload = BufferKind::Packet;  // what BufferKind::Packet of its parts means
  };
  struct Channel {
    classify::PatternSet patterns;
    std::vector<uint32_t> first_of_pattern;  // pattern i has entries_of_pattern[first[i]..first[i + 1])
    std::vector<uint32_t> entries_of_pattern;
    std::vector<uint32_t> always;  // entries that no pattern announces
    std::span<const uint32_t> of(uint32_t pattern) const noexcept {
      return std::span(entries_of_pattern)
          .subspan(first_of_pattern[pattern], first_of_pattern[pattern + 1] - first_of_pattern[pattern]);
    }
  };

  // Never 0, and another for every set of this process.
  uint64_t id() const noexcept { return id_; }
  const std::vector<Signature>& signatures() const noexcept { return signatures_; }
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  const Channel& channel(BufferKind kind, Direction direction) const noexcept {
    return channels_[static_cast<size_t>(kind)][static_cast<size_t>(direction)];
  }
  std::span<const uint32_t> of_packets() const noexcept { return of_packets_; }  // entries without bytes
  bool keeps(BufferKind kind) const noexcept { return kept_[static_cast<size_t>(kind)]; }
  size_t most_patterns() const noexcept;
  size_t memory() const noexcept;  // bytes of the pattern engine

 private:
  friend class RuleSetCompiler;
  uint64_t id_ = 0;
  std::vector<Signature> signatures_;  // in the order in which they are asked
  std::vector<Entry> entries_;
  std::array<std::array<Channel, 2>, kBufferKinds> channels_;
  std::vector<uint32_t> of_packets_;
  std::bitset<kBufferKinds> kept_;  // kinds that a rule with several buffers looks at
};

}  // namespace postern::profiles::ips
