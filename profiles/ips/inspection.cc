// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/inspection.h"

#include <algorithm>

#include "profiles/ips/header_match.h"
#include "profiles/ips/inspection_call.h"

namespace postern::profiles::ips {
namespace {

// Why an entry is a candidate. Of one that is both, the announcement counts: it sorts before the other.
// Entries that every piece of a stream announces need not wait for the next.
constexpr uint32_t kAnnounced = 0, kWaiting = 1;

}  // namespace

Inspection::Inspection(uint64_t seed) : matcher_(std::make_unique<ContentMatcher>()), rates_(seed) {}

Result<Inspection> Inspection::create(const RuleSet& rules, uint64_t seed) {
  Inspection inspection(seed);
  if (Status good = inspection.use(rules); !good) return good.error();
  return inspection;
}

Status Inspection::use(const RuleSet& rules) {
  for (size_t kind = 0; kind < kBufferKinds; ++kind)
    for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
      const Status fits = rules.channel(static_cast<BufferKind>(kind), direction).patterns.fit(scratch_);
      if (!fits) return fits;
    }
  patterns_.resize(rules.most_patterns());
  candidates_.reserve(rules.entries().size() + FlowState::kMostWaiting);
  joined_.resize(FlowState::kWindow + kMostPiece);
  rules_ = &rules;
  return Ok{};
}

void Inspection::prepare(FlowState& flow) noexcept {
  if (flow.rules_ == rules_->id()) return;
  for (FlowState::Lane& lane : flow.lanes_) {
    for (FlowState::Stream& stream : lane.streams) stream.restart();
    lane.waiting.clear();
  }
  flow.rules_ = rules_->id();
}

Outcome Inspection::inspect(FlowState& flow, const FlowFacts& facts, const Input& input,
                            Timestamp now) noexcept {
  prepare(flow);
  Call call{flow, facts, input, now, Budget{flow.allow(input.bytes.size(), kUnits)}, input.kind, {}};
  if (flow.passed()) return outcome(call);
  if (!streamed(input.kind)) {
    call.view = {input.bytes};
    keep(call);
    scan(call, input.kind, input.bytes);
    return outcome(call);
  }
  Bytes rest = input.bytes;
  do {
    const Bytes piece = rest.first(std::min(rest.size(), kMostPiece));
    rest = rest.subspan(piece.size());
    if (input.kind == BufferKind::Stream) {
      call.kind = BufferKind::Segment;
      call.view = {piece};
      scan(call, BufferKind::Segment, piece);
      call.kind = BufferKind::Stream;
    }
    scan_piece(call, piece, rest.empty() ? input.part : Input::Part::More);
  } while (!rest.empty());
  return outcome(call);
}

Outcome Inspection::inspect_packet(FlowState& flow, const FlowFacts& facts, Direction direction,
                                   const PacketFacts& packet, Timestamp now) noexcept {
  prepare(flow);
  const Input input{BufferKind::Packet, direction, {}, Input::Part::Last, &packet};
  Call call{flow, facts, input, now, Budget{flow.allow(packet.payload_size, kUnits)}, BufferKind::Packet, {}};
  if (flow.passed()) return outcome(call);
  candidates_.clear();
  add_candidates(rules_->of_packets(), kAnnounced);
  judge_candidates(call);
  return outcome(call);
}

void Inspection::scan(Call& call, BufferKind kind, Bytes bytes) noexcept {
  const RuleSet::Channel& channel = rules_->channel(kind, call.input.direction);
  candidates_.clear();
  add_candidates(channel.always, kAnnounced);
  announce(channel, channel.patterns.list(bytes, scratch_, patterns_));
  add_waiting(call.flow.lane(call.input.direction));
  judge_candidates(call);
}

void Inspection::scan_piece(Call& call, Bytes piece, Input::Part part) noexcept {
  const RuleSet::Channel& channel = rules_->channel(call.kind, call.input.direction);
  FlowState::Lane& lane = call.flow.lane(call.input.direction);
  FlowState::Stream& stream = lane.streams[stream_slot(call.kind)];
  stream.begun = true;
  stream.ended = part == Input::Part::Last;
  candidates_.clear();
  add_candidates(channel.always, kWaiting);
  if (stream.end - stream.epoch >= FlowState::kEpoch) begin_epoch(channel, stream);
  announce(channel, channel.patterns.list_next(piece, stream.position, scratch_, patterns_));
  if (channel.patterns.size() != 0 && !stream.position.open()) overload(call, Overload::Memory);
  add_waiting(lane);
  if (!candidates_.empty()) {
    const Bytes tail = stream.tail();
    std::copy(tail.begin(), tail.end(), joined_.begin());
    std::copy(piece.begin(), piece.end(), joined_.begin() + static_cast<ptrdiff_t>(tail.size()));
    call.view = {Bytes(joined_).first(tail.size() + piece.size()), stream.end - tail.size(),
                 stream.ended ? View::End::Known : View::End::NotYet};
    judge_candidates(call);
  }
  stream.keep(piece);
}

// What overlaps has been looked at before: rules that matched then do not match again.
void Inspection::begin_epoch(const RuleSet::Channel& channel, FlowState::Stream& stream) noexcept {
  stream.begin_epoch();
  const Bytes tail = stream.tail();
  const Bytes again = tail.last(std::min(tail.size(), FlowState::kOverlap));
  announce(channel, channel.patterns.list_next(again, stream.position, scratch_, patterns_));
  std::erase_if(candidates_, [&](uint32_t candidate) {
    return std::find(stream.matched.begin(), stream.matched.end(), candidate / 2) != stream.matched.end();
  });
  stream.matched.clear();
}

void Inspection::add_candidates(std::span<const uint32_t> entries, uint32_t origin) noexcept {
  for (const uint32_t entry : entries) candidates_.push_back(2 * entry + origin);
}

void Inspection::add_waiting(const FlowState::Lane& lane) noexcept {
  add_candidates(lane.waiting, kWaiting);
  for (const FlowState::Stream& stream : lane.streams) {
    add_candidates(stream.waiting, kWaiting);
    add_candidates(stream.waiting_longer, kWaiting);
  }
}

void Inspection::announce(const RuleSet::Channel& channel, size_t patterns) noexcept {
  for (size_t i = 0; i < patterns; ++i) add_candidates(channel.of(patterns_[i]), kAnnounced);
}

void Inspection::wait(Call& call, uint32_t entry) noexcept {
  FlowState::Lane& lane = call.flow.lane(call.input.direction);
  std::vector<uint32_t>& waiting =
      streamed(call.kind) ? lane.streams[stream_slot(call.kind)].waiting : lane.waiting;
  if (std::find(waiting.begin(), waiting.end(), entry) != waiting.end()) return;
  if (waiting.size() == FlowState::kMostWaiting) return overload(call, Overload::Message);
  waiting.push_back(entry);
}

void Inspection::forget(Call& call, uint32_t entry) noexcept {
  FlowState::Lane& lane = call.flow.lane(call.input.direction);
  std::erase(lane.waiting, entry);
  for (FlowState::Stream& stream : lane.streams) {
    std::erase(stream.waiting, entry);
    std::erase(stream.waiting_longer, entry);
  }
  if (!streamed(call.kind)) return;
  std::vector<uint32_t>& matched = lane.streams[stream_slot(call.kind)].matched;
  if (matched.size() < FlowState::kMostWaiting) matched.push_back(entry);
}

// Buffers that rules look at together with others stay until the message ends.
void Inspection::keep(Call& call) noexcept {
  if (!rules_->keeps(call.kind)) return;
  FlowState::Lane& lane = call.flow.lane(call.input.direction);
  if (call.kind == BufferKind::Packet) {  // a datagram is a message
    lane.kept.clear();
    lane.bytes.clear();
  }
  if (lane.bytes.size() + call.input.bytes.size() > FlowState::kMostMessage)
    return overload(call, Overload::Message);
  lane.kept.push_back(
      {call.kind, static_cast<uint32_t>(lane.bytes.size()), static_cast<uint32_t>(call.input.bytes.size())});
  lane.bytes.insert(lane.bytes.end(), call.input.bytes.begin(), call.input.bytes.end());
}

void Inspection::judge_candidates(Call& call) noexcept {
  std::sort(candidates_.begin(), candidates_.end());
  const auto same_entry = [](uint32_t a, uint32_t b) { return a / 2 == b / 2; };
  candidates_.erase(std::unique(candidates_.begin(), candidates_.end(), same_entry), candidates_.end());
  counters_.candidates += candidates_.size();
  for (const uint32_t candidate : candidates_) {
    if (!call.budget.spend(1)) return overload(call, Overload::Work);
    judge_entry(call, candidate);
    if (call.flow.passed()) return;
  }
}

// In this epoch of the stream; else a rule without a pattern would match with every piece.
bool Inspection::matched_already(Call& call, uint32_t entry) noexcept {
  if (!streamed(call.kind)) return false;
  const FlowState::Lane& lane = call.flow.lane(call.input.direction);
  const std::vector<uint32_t>& matched = lane.streams[stream_slot(call.kind)].matched;
  return std::find(matched.begin(), matched.end(), entry) != matched.end();
}

void Inspection::judge_entry(Call& call, uint32_t candidate) noexcept {
  const uint32_t number = candidate / 2;
  const RuleSet::Entry& entry = rules_->entries()[number];
  const Signature& signature = rules_->signatures()[entry.signature];
  if (!header_matches(signature, call.facts, call.input.direction)) return;
  if (candidate % 2 == kWaiting && matched_already(call, number)) return;
  Match match = packet_matches(signature, call.input.packet) ? match_parts(call, entry) : Match::No;
  // Another rule may set the bit while the stream goes on.
  if (match == Match::Yes && !remembers(call, signature))
    match = streamed(call.kind) ? Match::Perhaps : Match::No;
  if (match == Match::Perhaps && candidate % 2 == kAnnounced) wait(call, number);
  if (match != Match::Yes) return;
  forget(call, number);
  hit(call, signature);
}

Inspection::Match Inspection::match_parts(Call& call, const RuleSet::Entry& entry) noexcept {
  bool perhaps = false;
  for (const Part& part : rules_->signatures()[entry.signature].parts) {
    const BufferKind kind = part.kind == BufferKind::Packet ? entry.payload : part.kind;
    View view;
    if (!view_of(call, kind, view)) {
      perhaps = true;
      continue;
    }
    Budget of_rule{std::min(kUnitsOfRule, call.budget.left())};
    const bool matches = matcher_->matches(part, view, of_rule);
    if (!call.budget.spend(of_rule.spent())) overload(call, Overload::Work);
    if (matches) continue;
    if (of_rule.empty()) overload(call, Overload::Work);
    if (!streamed(kind) || view.end == View::End::Known) return Match::No;
    perhaps = true;
  }
  return perhaps ? Match::Perhaps : Match::Yes;
}

// What there is of a buffer now: the bytes at hand, else what was kept.
bool Inspection::view_of(Call& call, BufferKind kind, View& view) noexcept {
  if (kind == call.kind) {
    view = call.view;
    return true;
  }
  const FlowState::Lane& lane = call.flow.lane(call.input.direction);
  if (streamed(kind)) {
    const FlowState::Stream& stream = lane.streams[stream_slot(kind)];
    const Bytes tail = stream.tail();
    view = {tail, stream.end - tail.size(), stream.ended ? View::End::Known : View::End::NotYet};
    return stream.begun;
  }
  const auto kept = std::find_if(lane.kept.rbegin(), lane.kept.rend(),
                                 [&](const FlowState::Kept& each) { return each.kind == kind; });
  if (kept == lane.kept.rend()) return false;
  view = {Bytes(lane.bytes).subspan(kept->begin, kept->size)};
  return true;
}

void Inspection::overload(Call& call, Overload why) noexcept {
  if (call.overload != Overload::None) return;
  call.overload = why;
  counters_.overload_work += why == Overload::Work;
  counters_.overload_message += why == Overload::Message;
  counters_.overload_memory += why == Overload::Memory;
}

Outcome Inspection::outcome(const Call& call) const noexcept {
  call.flow.allowance_ -= call.budget.spent();
  return {std::span(hits_).first(call.hits), call.judgement, call.overload};
}

}  // namespace postern::profiles::ips
