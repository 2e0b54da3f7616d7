// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/rule_set.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <tuple>

#include "profiles/ips/fast_pattern.h"

namespace postern::profiles::ips {
namespace {

using classify::Pattern;
using classify::PatternCache;
using classify::PatternSet;
using classify::ScanMode;

// A rule that sets what another asks for must be asked first, when one packet holds both.
int rank(const Signature& signature) {
  bool sets = false, asks = false;
  const auto note = [&](FlowBit::Do what) {
    const bool condition = what == FlowBit::Do::IsSet || what == FlowBit::Do::IsNotSet;
    (condition ? asks : sets) = true;
  };
  for (const FlowBit& bit : signature.flowbits) note(bit.what);
  for (const XBit& bit : signature.xbits) note(bit.what);
  for (const FlowInt& number : signature.flowints) (number.is_condition() ? asks : sets) = true;
  return sets ? (asks ? 1 : 0) : 2;
}

// An absolute position is that of the packet its writer looked at, as well as that of the stream.
bool has_position(const Part& part) {
  return std::any_of(part.operations.begin(), part.operations.end(), [](const Operation& operation) {
    const Content* content = std::get_if<Content>(&operation);
    return content != nullptr && (content->offset || content->depth || content->ends);
  });
}

bool asks_segment(const Signature& signature) {
  return signature.flags || signature.fragment ||
         std::any_of(signature.fields.begin(), signature.fields.end(),
                     [](const FieldTest& test) { return test.field < Field::ClientStream; });
}

std::vector<BufferKind> payloads_of(const Signature& signature) {
  const auto part = std::find_if(signature.parts.begin(), signature.parts.end(),
                                 [](const Part& each) { return each.kind == BufferKind::Packet; });
  if (part == signature.parts.end()) return {BufferKind::Packet};
  std::vector<BufferKind> payloads;
  const bool tcp = (signature.transports & static_cast<uint8_t>(Transport::Tcp)) != 0;
  if (signature.transports != static_cast<uint8_t>(Transport::Tcp)) payloads.push_back(BufferKind::Packet);
  if (!tcp) return payloads;
  const bool segment_only = signature.payload_of == PayloadOf::Packet || asks_segment(signature);
  if (!segment_only) payloads.push_back(BufferKind::Stream);
  // A segment is gone when the message's other buffers are there; the stream is still in its window.
  const bool alone = signature.parts.size() == 1;
  if (segment_only || (alone && signature.payload_of == PayloadOf::Either && has_position(*part)))
    payloads.push_back(BufferKind::Segment);
  return payloads;
}

ScanMode comes(BufferKind kind) { return streamed(kind) ? ScanMode::InPieces : ScanMode::Whole; }

}  // namespace

// What a channel is made of while patterns are still being collected.
class RuleSetCompiler {
 public:
  RuleSetCompiler(RuleReader& reader, PatternCache& cache) : reader_(reader), cache_(cache) {}

  Result<RuleSet> compile() {
    static std::atomic<uint64_t> last_id{0};
    set_.id_ = ++last_id;
    set_.signatures_ = std::move(reader_.signatures());
    std::stable_sort(set_.signatures_.begin(), set_.signatures_.end(),
                     [](const Signature& a, const Signature& b) {
                       return std::tuple(rank(a), a.priority) < std::tuple(rank(b), b.priority);
                     });
    refuse_mixed();
    for (uint32_t i = 0; i < set_.signatures_.size(); ++i) add(i);
    for (size_t kind = 0; kind < kBufferKinds; ++kind)
      for (size_t direction = 0; direction < 2; ++direction)
        if (Status good = close(kind, direction); !good) return good.error();
    return std::move(set_);
  }

 private:
  using Key = std::tuple<std::string, bool, bool>;  // expression, nocase, multiline
  struct Draft {
    std::map<Key, std::vector<uint32_t>> patterns;
    std::vector<uint32_t> always;
  };

  void refuse_mixed() {
    std::erase_if(set_.signatures_, [&](const Signature& signature) {
      const std::vector<BufferKind> payloads = payloads_of(signature);
      if (signature.parts.size() < 2 || payloads.back() != BufferKind::Segment) return false;
      reader_.refuse({signature.file, signature.line, signature.sid, "",
                      "asks for one TCP segment and for other buffers, which are never there together"});
      return true;
    });
  }

  void add(uint32_t index) {
    const Signature& signature = set_.signatures_[index];
    if (signature.parts.empty()) {
      set_.of_packets_.push_back(static_cast<uint32_t>(set_.entries_.size()));
      set_.entries_.push_back({index, BufferKind::Packet});
      return;
    }
    const std::optional<FastPattern> fast = choose_fast_pattern(signature);
    for (const BufferKind payload : payloads_of(signature)) add(index, payload, fast);
    if (signature.parts.size() < 2) return;
    for (const Part& part : signature.parts) set_.kept_.set(static_cast<size_t>(part.kind));
  }

  void add(uint32_t index, BufferKind payload, const std::optional<FastPattern>& fast) {
    const Signature& signature = set_.signatures_[index];
    const uint32_t entry = static_cast<uint32_t>(set_.entries_.size());
    set_.entries_.push_back({index, payload});
    BufferKind kind = signature.parts[fast ? fast->part : 0].kind;
    if (kind == BufferKind::Packet) kind = payload;
    const bool usable = fast && (!fast->from_pcre || compiles(*fast, kind));
    for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
      const bool sent = !signature.sender || *signature.sender == direction;
      if (!sent) continue;
      Draft& draft = drafts_[static_cast<size_t>(kind)][static_cast<size_t>(direction)];
      if (usable)
        draft.patterns[{fast->expression, fast->nocase, fast->multiline}].push_back(entry);
      else
        draft.always.push_back(entry);
    }
  }

  // One expression that the engine does not take, or only with a database that is out of proportion, must not
  // cost the others.
  bool compiles(const FastPattern& fast, BufferKind kind) {
    static constexpr size_t kMostMemory = 1 << 20;
    const Pattern pattern{fast.expression, fast.nocase, fast.multiline};
    const Result<PatternSet> alone = PatternSet::compile({&pattern, 1}, cache_, comes(kind));
    return alone && alone->memory() < kMostMemory;
  }

  Status close(size_t kind, size_t direction) {
    Draft& draft = drafts_[kind][direction];
    RuleSet::Channel& channel = set_.channels_[kind][direction];
    std::vector<Pattern> patterns;
    channel.first_of_pattern.push_back(0);
    for (const auto& [key, entries] : draft.patterns) {
      patterns.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key)});
      channel.entries_of_pattern.insert(channel.entries_of_pattern.end(), entries.begin(), entries.end());
      channel.first_of_pattern.push_back(static_cast<uint32_t>(channel.entries_of_pattern.size()));
    }
    channel.always = std::move(draft.always);
    Result<PatternSet> compiled = PatternSet::compile(patterns, cache_, comes(static_cast<BufferKind>(kind)));
    if (!compiled) return compiled.error();
    channel.patterns = std::move(*compiled);
    return Ok{};
  }

  RuleReader& reader_;
  PatternCache& cache_;
  RuleSet set_;
  std::array<std::array<Draft, 2>, kBufferKinds> drafts_;
};

Result<RuleSet> RuleSet::compile(RuleReader& reader, PatternCache& cache) {
  return RuleSetCompiler(reader, cache).compile();
}

size_t RuleSet::most_patterns() const noexcept {
  size_t most = 0;
  for (const auto& kind : channels_)
    for (const Channel& channel : kind) most = std::max(most, channel.patterns.size());
  return most;
}

size_t RuleSet::memory() const noexcept {
  size_t sum = 0;
  for (const auto& kind : channels_)
    for (const Channel& channel : kind) sum += channel.patterns.memory();
  return sum;
}

}  // namespace postern::profiles::ips
