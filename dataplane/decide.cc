// SPDX-License-Identifier: Apache-2.0
#include "dataplane/decide.h"

#include <algorithm>
#include <utility>

#include "classify/app_ids.h"

namespace postern::dataplane {

using classify::Decision;
using classify::DecryptionMode;
using classify::ExceptionAction;
using classify::FlowFacts;
using classify::PolicySnapshot;
using classify::Rule;

// What the policy says of a flow, before it is written into the record.
struct Decider::Answer {
  FlowVerdict verdict = FlowVerdict::Drop;
  DropReason reason = DropReason::None;
  const Rule* rule = nullptr;  // nullptr: the default rule
  InspectionStatus inspection = InspectionStatus::None;
  InspectionReason inspection_reason = InspectionReason::NotRequired;
  DecryptResult decrypt = DecryptResult::NotTls;
  DecryptionMode decryption =
      DecryptionMode::None;  // of the rule, or of one that has to see what runs inside
  uint8_t content = 0;       // Owed bits
  bool related = false;
  Zone source_zone, destination_zone;

  void refuse(DropReason why) noexcept {
    verdict = FlowVerdict::Drop;
    reason = why;
    inspection = InspectionStatus::None;
    inspection_reason = InspectionReason::Dropped;
    content = 0;
  }
  void except(ExceptionAction action, DropReason why) noexcept {
    if (action == ExceptionAction::Drop) refuse(why);
    if (action != ExceptionAction::Bypass) return;
    verdict = FlowVerdict::Bypass;
    content = 0;
  }
};

namespace {

// As the asking host's own flow to whoever answers.
FlowFacts reversed(FlowFacts facts, const FlowCold& cold) noexcept {
  if (cold.asked_port != 0) facts.source_port = cold.asked_port;
  std::swap(facts.source, facts.destination);
  std::swap(facts.source_port, facts.destination_port);
  std::swap(facts.source_zone, facts.destination_zone);
  return facts;
}

// Whether every byte of it can be put before the profiles: TCP from its beginning.
bool shows_content(const FlowHot& hot) noexcept {
  if (hot.key.protocol != classify::kTcp || (hot.flags & kMidstream) != 0) return false;
  const bool begins = hot.state == FlowState::SynSent || hot.state == FlowState::SynReceived;
  return begins || hot.owes_any(kOwesOrder) || (hot.flags & kAdopted) != 0;
}

bool excludes_pinned(const Rule& rule) noexcept {
  return std::find(rule.exclusions.begin(), rule.exclusions.end(), "cert_pinned_app") !=
         rule.exclusions.end();
}

bool can_decrypt(const classify::Policy& policy, const Rule& rule) noexcept {
  switch (rule.decryption) {
    case DecryptionMode::None:
      return false;
    case DecryptionMode::SslInboundInspection:
      return policy.inbound_inspection;
    case DecryptionMode::SslForwardProxy:
      return policy.forward_proxy;
  }
  return false;
}

// Such flows go on as they are, whatever a later policy says, like sessions that are decrypted.
bool was_excluded(const FlowCold& cold) noexcept {
  return static_cast<InspectionReason>(cold.inspection_reason) == InspectionReason::EncryptedExcluded;
}

}  // namespace

FlowFacts Decider::facts_of(const FlowHot& hot, const FlowCold& cold,
                            const PolicySnapshot& snapshot) const noexcept {
  const Side opener = hot.opener();
  const auto from = static_cast<size_t>(opener);
  const WireId wire{hot.key.wire};
  const uint16_t vlans[2] = {hot.key.vlan[0], vlan_maps_[wire.value].translate(Side::First, hot.key.vlan[0])};
  const bool has_ports = hot.key.protocol != classify::kIcmp && hot.key.protocol != classify::kIcmpV6;
  FlowFacts facts;
  facts.source = hot.key.address[from];
  facts.destination = hot.key.address[1 - from];
  facts.source_port = has_ports ? hot.key.port[from] : uint16_t{0};
  facts.destination_port = has_ports ? hot.key.port[1 - from] : uint16_t{0};
  facts.protocol = hot.key.protocol;
  facts.source_zone = snapshot.zone_of(wire, opener, vlans[from], facts.source);
  facts.destination_zone = snapshot.zone_of(wire, other(opener), vlans[1 - from], facts.destination);
  facts.application = AppId{static_cast<uint16_t>(cold.identified)};
  if ((hot.flags & kAdopted) == 0) return facts;
  const Carrier carrier = carrier_of(hot, cold);
  facts.veiled = !carrier.opened;
  if (carrier.opened) facts.carrier = carrier.application;
  return facts;
}

// A unicast answer to a multicast question is judged as the client's own flow to the host that answers.
bool Decider::answers_question(const FlowHot& hot, const PolicySnapshot& snapshot,
                               Timestamp now) const noexcept {
  const auto from = static_cast<size_t>(hot.opener());
  if (snapshot.multicast_groups(hot.key.protocol, hot.key.port[from]).empty()) return false;
  const Question question{.client = hot.key.address[1 - from],
                          .client_port = hot.key.port[1 - from],
                          .server_port = hot.key.port[from],
                          .vlan = hot.key.vlan[0],
                          .protocol = hot.key.protocol,
                          .wire = hot.key.wire};
  return std::any_of(questions_.begin(), questions_.end(),
                     [&](const QuestionTable& table) { return table.asked(question, now); });
}

Decider::Answer Decider::answer_for(const FlowHot& hot, const FlowCold& cold, const FlowFacts& facts,
                                    const PolicySnapshot& snapshot, Timestamp now) const noexcept {
  Answer answer{.source_zone = facts.source_zone, .destination_zone = facts.destination_zone};
  if (carrier_of(hot, cold).application != kApplicationPending) answer.decrypt = DecryptResult::Decrypted;
  const bool midstream = (hot.flags & kMidstream) != 0;
  if (midstream && snapshot.policy().exceptions.midstream == ExceptionAction::Bypass) {
    answer.verdict = FlowVerdict::Bypass;
    answer.inspection_reason = InspectionReason::Exception;
    return answer;
  }
  if (facts.source_zone == kNoZone || facts.destination_zone == kNoZone) {
    answer.refuse(DropReason::NoZone);
    return answer;
  }
  Decision decision = snapshot.decide(facts);
  answer.related = (hot.flags & kRelated) != 0;
  if (answer.related) {
    decision = snapshot.decide(reversed(facts, cold));
  } else if (answers_question(hot, snapshot, now)) {
    const Decision asked = snapshot.decide(reversed(facts, cold));
    answer.related = asked.could_allow;
    if (answer.related) decision = asked;
  }
  answer.rule = decision.rule;
  if (decision.rule != nullptr) answer.decryption = decision.rule->decryption;

  if (!decision.final && decision.could_allow) {
    answer.rule = nullptr;
    answer.verdict = FlowVerdict::Pending;
    answer.decryption = decision.waiting != nullptr ? decision.waiting->decryption : DecryptionMode::None;
    // The first bytes of a flow picked up mid-stream are gone, so its application stays unknown; the
    // exception policy has let it in.
    if (midstream) {
      answer.verdict = FlowVerdict::Allow;
      answer.inspection_reason = InspectionReason::Exception;
    }
    return answer;
  }
  if (!decision.final || decision.action() == Action::Drop) {
    answer.refuse(decision.rule != nullptr ? DropReason::PolicyRule : DropReason::PolicyDefault);
    return answer;
  }
  answer.verdict = FlowVerdict::Allow;
  settle_inspection(answer, hot, cold, facts, snapshot);
  return answer;
}

// What the rule asks for beyond forwarding, and what of it can be done.
void Decider::settle_inspection(Answer& answer, const FlowHot& hot, const FlowCold& cold,
                                const FlowFacts& facts, const PolicySnapshot& snapshot) const noexcept {
  const Rule& rule = *answer.rule;
  const classify::Exceptions& exceptions = snapshot.policy().exceptions;
  const bool adopted = (hot.flags & kAdopted) != 0;
  // A session that runs goes on as it is; at its hello the rule says whether it may begin.
  const bool at_hello = hot.owes_any(kOwesOrder);
  const bool excluded = rule.decryption != DecryptionMode::None &&
                        (was_excluded(cold) || !facts.exclusions.for_rule(rule.excluded_categories).empty());
  const bool decrypts = adopted && (!at_hello || (can_decrypt(snapshot.policy(), rule) && !excluded));
  if (decrypts) answer.decrypt = DecryptResult::Decrypted;
  if (snapshot.is_encrypted(facts.application) && !decrypts) {
    if (excluded) {
      answer.decrypt = DecryptResult::Excluded;
      answer.inspection = InspectionStatus::MetadataOnly;
      answer.inspection_reason = InspectionReason::EncryptedExcluded;
      return;
    }
    if (rule.decryption != DecryptionMode::None) {
      answer.decrypt = DecryptResult::Unavailable;
      answer.inspection = InspectionStatus::MetadataOnly;
      answer.inspection_reason = InspectionReason::DecryptionUnavailable;
      return answer.except(exceptions.decryption_unavailable, DropReason::DecryptionUnavailable);
    }
    const bool pinned = excludes_pinned(rule);
    answer.decrypt = pinned ? DecryptResult::Excluded : DecryptResult::NotRequired;
    // Whoever excludes a flow from decryption would have had it inspected.
    if (rule.profiles == 0 && !pinned) return;
    answer.inspection = InspectionStatus::MetadataOnly;
    answer.inspection_reason =
        pinned ? InspectionReason::EncryptedCertPinnedApp : InspectionReason::EncryptedByPolicy;
    return;
  }
  if (rule.profiles == 0) return;
  const bool scanned = (rule.profiles & classify::kAntivirus) != 0 && snapshot.policy().content != nullptr;
  if (scanned && shows_content(hot)) {
    answer.content = kOwesContent;
    if (rule.antivirus == classify::ProfileAction::Alert) answer.content |= kAlertsOnly;
    answer.inspection = InspectionStatus::Partial;
    answer.inspection_reason = InspectionReason::ByteSignatures;
    if (rule.profiles == classify::kAntivirus) return;
  }
  answer.inspection_reason = InspectionReason::EngineAbsent;
  answer.except(exceptions.inspection_unavailable, DropReason::InspectionUnavailable);
}

void Decider::apply(uint32_t flow, const Answer& answer, const PolicySnapshot& snapshot,
                    Timestamp now) noexcept {
  FlowHot& hot = flows_.hot(flow);
  FlowCold& cold = flows_.cold(flow);
  const bool was_judged = hot.generation != Generation{} && hot.verdict != FlowVerdict::Pending;
  const bool was_dropped = hot.verdict == FlowVerdict::Drop;
  const bool is_dropped = answer.verdict == FlowVerdict::Drop;
  if (was_judged && was_dropped != is_dropped) {
    // For the log this is where one session ends and another begins.
    if ((hot.flags & kLogEnd) != 0) log_.end(hot, cold, EndReason::PolicyDeny, now);
    hot.flags &= static_cast<uint16_t>(~(kStartLogged | kDropLogged));
    cold.packets_to_server = cold.packets_to_client = cold.dropped = 0;
    cold.bytes_to_server = cold.bytes_to_client = 0;
  }

  const classify::Policy& policy = snapshot.policy();
  const classify::Logging& logging = answer.rule != nullptr ? answer.rule->logging : policy.default_logging;
  const RuleId rule = answer.rule != nullptr ? answer.rule->id : kDefaultRule;
  const bool judged_anew = answer.verdict != FlowVerdict::Pending && (!was_judged || hot.rule != rule);
  if (judged_anew && rule.value < Counters::kRules) counters_.rules[rule.value].flows.add(1);

  hot.generation = policy.generation;
  hot.verdict = answer.verdict;
  hot.reason = answer.reason;
  hot.rule = rule;
  hot.forwarding = logging.forwarding;
  hot.source_zone = answer.source_zone;
  hot.destination_zone = answer.destination_zone;
  hot.flags &= static_cast<uint16_t>(~(kLogStart | kLogEnd));
  // A refusal that no rule asked for is told at once.
  const bool unexpected = answer.verdict == FlowVerdict::Drop && answer.reason != DropReason::PolicyRule;
  const bool asked = logging.start && answer.rule != nullptr;
  if (asked || unexpected) hot.flags |= kLogStart;
  if (logging.end) hot.flags |= kLogEnd;
  if (answer.related) hot.flags |= kRelated;
  if (answer.verdict == FlowVerdict::Bypass) hot.pay(kOwesApplication);
  hot.pay(kOwesContent | kAlertsOnly);
  hot.owes |= answer.content;

  const AppId identified{static_cast<uint16_t>(cold.identified)};
  const classify::Application* named =
      answer.rule != nullptr ? snapshot.application(answer.rule->application) : nullptr;
  hot.application = named != nullptr && !named->wildcard ? named->id : identified;
  const auto from = static_cast<size_t>(hot.opener());
  const classify::Subject* subject = snapshot.subject_at(hot.key.address[from]);
  cold.subject = subject != nullptr ? subject->id.value & 0xfffff : 0;
  cold.inspection = static_cast<unsigned>(answer.inspection) & 3;
  cold.inspection_reason = static_cast<unsigned>(answer.inspection_reason) & 15;
  cold.decryption_mode = static_cast<unsigned>(answer.decryption) & 3;
  cold.decrypt_result = static_cast<unsigned>(answer.decrypt) & 7;

  trace_.judged(flow, now);
  const bool asks_group = answer.verdict == FlowVerdict::Allow && hot.key.protocol == classify::kUdp &&
                          hot.key.address[1 - from].is_multicast();
  if (!asks_group) return;
  hot.flags |= kAsksGroup;
  remember_question(hot, now);
}

bool Decider::depends_on_application(uint32_t flow, const PolicySnapshot& snapshot) const noexcept {
  if (snapshot.policy().follow_applications) return true;
  FlowFacts facts = facts_of(flows_.hot(flow), flows_.cold(flow), snapshot);
  facts.application = kApplicationPending;
  return !snapshot.decide(facts).final;
}

bool Decider::could_allow(uint32_t flow, AppId base, const std::vector<AppId>& others,
                          const PolicySnapshot& snapshot) const noexcept {
  FlowFacts facts = facts_of(flows_.hot(flow), flows_.cold(flow), snapshot);
  const auto allowed = [&](AppId application) {
    facts.application = application;
    return snapshot.decide(facts).could_allow;
  };
  return allowed(base) || std::any_of(others.begin(), others.end(), allowed);
}

DecryptReason Decider::exclusion_of(uint32_t flow, classify::ExclusionSet exclusions,
                                    const PolicySnapshot& snapshot) const noexcept {
  const Decision decision = snapshot.decide(facts_of(flows_.hot(flow), flows_.cold(flow), snapshot));
  if (decision.rule == nullptr) return DecryptReason::None;
  return exclusions.for_rule(decision.rule->excluded_categories).reason();
}

void Decider::judge(uint32_t flow, const PolicySnapshot& snapshot, Timestamp now,
                    classify::ExclusionSet exclusions) noexcept {
  FlowHot& hot = flows_.hot(flow);
  FlowCold& cold = flows_.cold(flow);
  if (hot.generation == Generation{} && hot.key.protocol == classify::kUdp) {
    if (const Expectation* expected = expectation_of(hot, now)) {
      hot.flags |= kRelated;
      cold.asked_port = expected->server_port;
    }
  }
  // What its requests are for is no longer known, and now it matters.
  if (cold.unfollowed && hot.generation != snapshot.generation() && depends_on_application(flow, snapshot))
    cold.identified = kApplicationUnidentified.value;
  if ((hot.flags & kGaveUp) != 0)
    return give_up(flow, snapshot, now);  // a new policy: the exception still applies
  const bool first = hot.generation == Generation{};
  FlowFacts facts = facts_of(hot, cold, snapshot);
  facts.exclusions = exclusions;
  apply(flow, answer_for(hot, cold, facts, snapshot, now), snapshot, now);
  if (first && hot.verdict == FlowVerdict::Drop) budget_.spend(facts.source, now);
}

bool Decider::refuses_unrecorded(Slot& slot, const PolicySnapshot& snapshot, Timestamp now) noexcept {
  const Side opener = slot.port.side();
  if (!budget_.used_up(slot.key.address[static_cast<size_t>(opener)], now)) return false;
  // Pieces of a datagram count for the flow one by one, and somebody may wait for this very flow.
  if (slot.fragments != kNoFragments || trace_.awaits(slot.key)) return false;
  FlowHot hot{.key = slot.key};
  if (opener == Side::Second) hot.flags = kOpenedBySecond;
  if (hot.key.protocol == classify::kUdp && expectation_of(hot, now) != nullptr) return false;
  const FlowCold cold{};
  const FlowFacts facts = facts_of(hot, cold, snapshot);
  Answer answer{.source_zone = facts.source_zone, .destination_zone = facts.destination_zone};
  const bool alone = facts.protocol == classify::kTcp ||
                     snapshot.multicast_groups(facts.protocol, facts.source_port).empty();
  if (alone &&
      snapshot.hopeless(facts.source_zone, facts.destination_zone, facts.protocol, facts.destination_port))
    answer.refuse(DropReason::PolicyDefault);
  else
    answer = answer_for(hot, cold, facts, snapshot, now);
  if (answer.verdict != FlowVerdict::Drop) return false;
  drop(slot, answer.reason);
  count_unrecorded(slot, answer, snapshot, now);
  return true;
}

void Decider::count_unrecorded(Slot& slot, const Answer& answer, const PolicySnapshot& snapshot,
                               Timestamp now) noexcept {
  const classify::Policy& policy = snapshot.policy();
  const classify::Logging& logging = answer.rule != nullptr ? answer.rule->logging : policy.default_logging;
  const RuleId rule = answer.rule != nullptr ? answer.rule->id : kDefaultRule;
  counters_.flows_unrecorded.add(1);
  if (rule.value < Counters::kRules) {
    RuleCounters& counted = counters_.rules[rule.value];
    counted.flows.add(1);
    counted.packets.add(1);
    counted.bytes.add(slot.packet.length());
  }
  slot.told = true;
  const bool unexpected = answer.reason != DropReason::PolicyRule;
  if (!unexpected && !logging.start && !logging.end) return;
  log_.packet_drop(slot,
                   {.forwarding = logging.forwarding,
                    .generation = policy.generation,
                    .rule = rule,
                    .source_zone = answer.source_zone,
                    .destination_zone = answer.destination_zone},
                   now);
}

void Decider::give_up(uint32_t flow, const PolicySnapshot& snapshot, Timestamp now) noexcept {
  FlowHot& hot = flows_.hot(flow);
  FlowCold& cold = flows_.cold(flow);
  // Some bytes were looked at, unless TCP never got into order.
  const bool looked = hot.key.protocol != classify::kTcp || hot.owes_any(kOwesOrder) ||
                      static_cast<InspectionStatus>(cold.inspection) == InspectionStatus::Partial;
  cold.identified = kApplicationUnidentified.value;
  hot.pay(kOwesApplication);
  hot.flags |= kGaveUp;
  FlowFacts facts = facts_of(hot, cold, snapshot);
  Answer answer = answer_for(hot, cold, facts, snapshot, now);
  trace_.gave_up(flow, now);
  facts.application = kApplicationPending;
  // The exception is for flows that some rule might have allowed.
  if (answer.reason == DropReason::PolicyDefault &&
      snapshot.decide(answer.related ? reversed(facts, cold) : facts).could_allow) {
    const ExceptionAction action = snapshot.policy().exceptions.application_unknown;
    answer.verdict = FlowVerdict::Allow;
    answer.inspection = looked ? InspectionStatus::Partial : InspectionStatus::None;
    answer.inspection_reason = InspectionReason::Exception;
    answer.reason = DropReason::None;
    answer.except(action, DropReason::ApplicationUnknown);
  }
  apply(flow, answer, snapshot, now);
}

void Decider::expect_answer(uint32_t flow, Timestamp now) noexcept {
  const FlowHot& hot = flows_.hot(flow);
  const auto from = static_cast<size_t>(hot.opener());
  expectations_.remember({.client = hot.key.address[from],
                          .server = hot.key.address[1 - from],
                          .client_port = hot.key.port[from],
                          .server_port = hot.key.port[1 - from],
                          .vlan = hot.key.vlan[0],
                          .wire = hot.key.wire,
                          .application = AppId{static_cast<uint16_t>(flows_.cold(flow).identified)},
                          .until = now + ExpectationTable::kLifetime});
}

const Expectation* Decider::expectation_of(const FlowHot& hot, Timestamp now) const noexcept {
  const auto from = static_cast<size_t>(hot.opener());
  return expectations_.find({.client = hot.key.address[1 - from],
                             .server = hot.key.address[from],
                             .client_port = hot.key.port[1 - from],
                             .vlan = hot.key.vlan[0],
                             .wire = hot.key.wire},
                            now);
}

void Decider::remember_question(const FlowHot& hot, Timestamp now) noexcept {
  const auto from = static_cast<size_t>(hot.opener());
  questions_[own_].remember({.client = hot.key.address[from],
                             .client_port = hot.key.port[from],
                             .server_port = hot.key.port[1 - from],
                             .vlan = hot.key.vlan[0],
                             .protocol = hot.key.protocol,
                             .wire = hot.key.wire},
                            now);
}

void Decider::run(Burst& burst, const PolicySnapshot& snapshot) noexcept {
  const Generation current = snapshot.generation();
  for (Slot& slot : burst) {
    if (slot.fate != Fate::Open || slot.flow == kNoFlow) continue;
    if (flows_.hot(slot.flow).generation != current) judge(slot.flow, snapshot, burst.now);
    const FlowHot& hot = flows_.hot(slot.flow);
    if ((hot.flags & kAsksGroup) != 0) remember_question(hot, burst.now);
  }
}

}  // namespace postern::dataplane
