// SPDX-License-Identifier: Apache-2.0
// What Inspection does with a rule whose bytes match: bits, numbers and rates, and what becomes of the flow.
#include <algorithm>

#include "profiles/ips/inspection.h"
#include "profiles/ips/inspection_call.h"

namespace postern::profiles::ips {
namespace {

constexpr Timestamp kForever = ~Timestamp{0};

const IpAddress& source_of(const FlowFacts& facts, Direction direction) noexcept {
  return direction == Direction::ToServer ? facts.client : facts.server;
}
const IpAddress& destination_of(const FlowFacts& facts, Direction direction) noexcept {
  return direction == Direction::ToServer ? facts.server : facts.client;
}

// Rules and bits have different spaces of numbers.
enum class About : uint64_t { Rate = 1, Bit = 2 };

Judgement judged(const Signature& signature, const ProfileSettings& profile) noexcept {
  if (signature.action == Action::Pass) return Judgement::Pass;
  switch (profile.on_match) {
    case ProfileSettings::OnMatch::Alert:
      return Judgement::Alert;
    case ProfileSettings::OnMatch::Block:
      return signature.action == Action::Reject ? Judgement::Reject : Judgement::Drop;
    case ProfileSettings::OnMatch::Default:
      break;
  }
  if (signature.action == Action::Drop) return Judgement::Drop;
  return signature.action == Action::Reject ? Judgement::Reject : Judgement::Alert;
}

RateTable::Key key_of(About about, uint64_t number, Track track, uint64_t flow, const FlowFacts& facts,
                      Direction direction) noexcept {
  RateTable::Key key{static_cast<uint64_t>(about) << 62 | static_cast<uint64_t>(track) << 58 | number};
  const IpAddress& source = source_of(facts, direction);
  const IpAddress& destination = destination_of(facts, direction);
  if (track == Track::Flow) key.flow = flow;
  if (track == Track::Source) key.first = source;
  if (track == Track::Destination) key.first = destination;
  if (track == Track::Pair) {  // the same both ways
    key.first = std::min(source, destination);
    key.second = std::max(source, destination);
  }
  return key;
}

}  // namespace

// Conditions on what earlier packets left behind.
bool Inspection::remembers(Call& call, const Signature& signature) noexcept {
  const FlowState& flow = call.flow;
  for (const FlowBit& bit : signature.flowbits) {
    const bool any = std::any_of(bit.bits.begin(), bit.bits.end(), [&](uint32_t b) { return flow.bit(b); });
    if (bit.what == FlowBit::Do::IsSet && !any) return false;
    if (bit.what == FlowBit::Do::IsNotSet && any) return false;
  }
  for (const XBit& bit : signature.xbits) {
    if (bit.what != FlowBit::Do::IsSet && bit.what != FlowBit::Do::IsNotSet) continue;
    const auto key = key_of(About::Bit, bit.bit, bit.track, flow.id(), call.facts, call.input.direction);
    if ((rates_.find(key, call.now) != nullptr) != (bit.what == FlowBit::Do::IsSet)) return false;
  }
  for (const FlowInt& number : signature.flowints) {
    const bool is_set = (flow.ints_set_ >> number.variable & 1) != 0;
    if (number.what == FlowInt::Do::IsSet && !is_set) return false;
    if (number.what == FlowInt::Do::IsNotSet && is_set) return false;
    if (number.what == FlowInt::Do::Compare &&
        (!is_set || !Range{number.compare, number.value, 0}.holds(flow.ints_[number.variable])))
      return false;
  }
  return true;
}

void Inspection::remember(Call& call, const Signature& signature) noexcept {
  FlowState& flow = call.flow;
  for (const FlowBit& bit : signature.flowbits) {
    if (bit.what == FlowBit::Do::Set) flow.set_bit(bit.bits[0], true);
    if (bit.what == FlowBit::Do::Unset) flow.set_bit(bit.bits[0], false);
    if (bit.what == FlowBit::Do::Toggle) flow.set_bit(bit.bits[0], !flow.bit(bit.bits[0]));
  }
  for (const XBit& bit : signature.xbits) {
    const auto key = key_of(About::Bit, bit.bit, bit.track, flow.id(), call.facts, call.input.direction);
    const Timestamp until = bit.seconds == 0 ? kForever : call.now + bit.seconds * kSecond;
    const bool toggled_off = bit.what == FlowBit::Do::Toggle && rates_.find(key, call.now) != nullptr;
    if (bit.what == FlowBit::Do::Unset || toggled_off)
      rates_.erase(key);
    else if (bit.what == FlowBit::Do::Set || bit.what == FlowBit::Do::Toggle)
      rates_.obtain(key, call.now, until).until = until;
  }
  for (const FlowInt& number : signature.flowints) {
    if (number.is_condition()) continue;
    uint32_t& value = flow.ints_[number.variable];
    flow.ints_set_ |= uint64_t{1} << number.variable;
    if (number.what == FlowInt::Do::Set) value = number.value;
    if (number.what == FlowInt::Do::Add) value += std::min(number.value, ~value);
    if (number.what == FlowInt::Do::Subtract) value -= std::min(number.value, value);
  }
}

Inspection::Rated Inspection::rated(Call& call, const Signature& signature) noexcept {
  Rated told = Rated::Tell;
  for (const Rate& rate : signature.rates) {
    const uint64_t number = uint64_t{signature.gid & 0xfff} << 34 | uint64_t{signature.sid} << 2 |
                            static_cast<uint64_t>(rate.kind);
    const auto key =
        key_of(About::Rate, number, rate.track, call.flow.id(), call.facts, call.input.direction);
    RateTable::Slot& slot = rates_.obtain(key, call.now, call.now + rate.seconds * kSecond);
    slot.count += slot.count != ~uint32_t{0};
    switch (rate.kind) {
      case Rate::Kind::Detection:
        if (slot.count <= rate.count) return Rated::NoMatch;
        break;
      case Rate::Kind::Limit:
        if (slot.count > rate.count) told = Rated::Hide;
        break;
      case Rate::Kind::Threshold:
        if (slot.count < rate.count)
          told = Rated::Hide;
        else
          slot.count = 0;
        break;
      case Rate::Kind::Both:
        if (slot.count != rate.count) told = Rated::Hide;
        break;
    }
  }
  return told;
}

void Inspection::hit(Call& call, const Signature& signature) noexcept {
  for (size_t i = 0; i < call.hits; ++i)
    if (hits_[i].signature == &signature) return;  // as a segment and in the stream
  const Rated rate = rated(call, signature);
  if (rate == Rated::NoMatch) return;
  remember(call, signature);
  const Judgement judgement = judged(signature, call.facts.profile);
  if (signature.severity < call.facts.profile.min_severity && judgement != Judgement::Pass) return;
  // flowbits:noalert with alert is a rule that only remembers.
  if (signature.no_alert && signature.action == Action::Alert) return;
  ++counters_.hits;
  call.judgement = std::max(call.judgement, judgement);
  if (judgement == Judgement::Pass) call.flow.passed_ = true;
  const bool told = rate == Rated::Tell && !signature.no_alert && judgement != Judgement::Pass;
  if (call.hits == kMostHits)
    ++counters_.hits_not_told;
  else
    hits_[call.hits++] = {&signature, told ? Hit::Told::Yes : Hit::Told::No, judgement};
}

}  // namespace postern::profiles::ips
