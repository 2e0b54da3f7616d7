// SPDX-License-Identifier: Apache-2.0
// The rules at work: takes the bytes of flows, one buffer or piece at a time, before they are forwarded, and
// says which rules match and what shall become of the flow. Remembers hosts for xbits and thresholds itself,
// everything else of a flow in its FlowState. One worker.
#pragma once

#include <span>
#include <vector>

#include "profiles/ips/content_match.h"
#include "profiles/ips/flow_facts.h"
#include "profiles/ips/flow_state.h"
#include "profiles/ips/rate_table.h"
#include "profiles/ips/rule_set.h"

namespace postern::profiles::ips {

// What shall become of the bytes and of the flow, the gravest of all matches.
enum class Judgement : uint8_t { Nothing, Alert, Drop, Reject, Pass };

// Fail closed: what could not be looked at is the exception policy's to answer for.
enum class Overload : uint8_t {
  None,
  Work,     // the rules would have cost more than one call may
  Message,  // the buffers of a message, or the rules that wait for the rest of it, are too many
  Memory,   // a stream could not be opened
};

struct Input {
  BufferKind kind = BufferKind::Packet;
  Direction direction = Direction::ToServer;
  Bytes bytes;  // of streamed kinds the next piece, in order; else all of the buffer
  enum class Part : uint8_t { More, Last } part = Part::Last;  // of streamed kinds: Last ends the text
  const PacketFacts* packet = nullptr;  // of the packet that brought the bytes, where there is one
};

struct Hit {
  const Signature* signature = nullptr;
  enum class Told : uint8_t { Yes, No } told = Told::Yes;  // No: noalert, or over its threshold
  Judgement judgement = Judgement::Alert;
};

struct Outcome {
  std::span<const Hit> hits;  // until the next call
  Judgement judgement = Judgement::Nothing;
  Overload overload = Overload::None;
};

class Inspection {
 public:
  static constexpr uint32_t kUnits = 2'048;                // of work in one call, see Budget
  static constexpr uint32_t kUnitsOfRule = 1'000;          // of which one rule may have so many
  static constexpr size_t kMostHits = 32;                  // of one call; what is beyond is judged, not told
  static constexpr size_t kMostPiece = FlowState::kEpoch;  // longer pieces are taken in turns

  struct Counters {
    uint64_t candidates = 0, hits = 0, hits_not_told = 0, overload_work = 0, overload_message = 0,
             overload_memory = 0;
  };

  // `seed`: unknown to peers. The rules must outlive this, or be exchanged by `use`.
  static Result<Inspection> create(const RuleSet& rules, uint64_t seed);
  Status use(const RuleSet& rules);  // another set; flows begin their streams anew. Allocates

  Outcome inspect(FlowState& flow, const FlowFacts& facts, const Input& input, Timestamp now) noexcept;
  // Rules without bytes: flags, ICMP types, sizes. Once for every packet.
  Outcome inspect_packet(FlowState& flow, const FlowFacts& facts, Direction direction,
                         const PacketFacts& packet, Timestamp now) noexcept;

  const Counters& counters() const noexcept { return counters_; }
  uint64_t regexes_given_up() const noexcept { return matcher_->regexes_given_up(); }
  uint64_t hosts_forgotten() const noexcept { return rates_.gave_way(); }

 private:
  struct Call;
  explicit Inspection(uint64_t seed);

  void prepare(FlowState& flow) noexcept;
  void scan(Call& call, BufferKind kind, Bytes bytes) noexcept;
  void scan_piece(Call& call, Bytes piece, Input::Part part) noexcept;
  void begin_epoch(const RuleSet::Channel& channel, FlowState::Stream& stream) noexcept;
  void add_candidates(std::span<const uint32_t> entries, uint32_t origin) noexcept;
  void add_waiting(const FlowState::Lane& lane) noexcept;
  void wait(Call& call, uint32_t entry) noexcept;
  void forget(Call& call, uint32_t entry) noexcept;
  void announce(const RuleSet::Channel& channel, size_t patterns) noexcept;
  void keep(Call& call) noexcept;
  void judge_candidates(Call& call) noexcept;
  bool matched_already(Call& call, uint32_t entry) noexcept;
  void judge_entry(Call& call, uint32_t candidate) noexcept;
  enum class Match : uint8_t { Yes, No, Perhaps };  // Perhaps: when more bytes have come
  Match match_parts(Call& call, const RuleSet::Entry& entry) noexcept;
  bool view_of(Call& call, BufferKind kind, View& view) noexcept;
  bool remembers(Call& call, const Signature& signature) noexcept;
  void remember(Call& call, const Signature& signature) noexcept;
  enum class Rated : uint8_t { Tell, Hide, NoMatch };
  Rated rated(Call& call, const Signature& signature) noexcept;
  void hit(Call& call, const Signature& signature) noexcept;
  void overload(Call& call, Overload why) noexcept;
  Outcome outcome(const Call& call) const noexcept;

  const RuleSet* rules_ = nullptr;
  classify::ScanScratch scratch_;
  std::unique_ptr<ContentMatcher> matcher_;
  RateTable rates_;
  std::vector<uint32_t> patterns_;    // found in one scan
  std::vector<uint32_t> candidates_;  // to ask in this call: 2 * entry + origin
  std::vector<uint8_t> joined_;       // window and piece of a stream
  std::array<Hit, kMostHits> hits_;
  Counters counters_;
};

}  // namespace postern::profiles::ips
