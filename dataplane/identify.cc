// SPDX-License-Identifier: Apache-2.0
#include "dataplane/identify.h"

#include <utility>

#include "classify/app_ids.h"
#include "classify/tls_text.h"
#include "dataplane/tls_certificate.h"
#include "profiles/http_text.h"

namespace postern::dataplane {

using classify::ApplicationEngine;
using classify::Evidence;
using classify::Identification;
using classify::TlsFacts;
using profiles::HttpEvent;
using profiles::HttpRequests;

namespace {

// Of a client that asks for what no session of ours can be.
DecryptReason undecryptable(const TlsFacts& facts, const classify::Policy& policy) noexcept {
  constexpr uint16_t kTls12 = 0x0303;
  if (facts.client_version < kTls12) return DecryptReason::UnsupportedVersion;
  const bool refused = facts.ech == classify::Ech::Offer && policy.ech == classify::EchAnswer::Refuse;
  return refused ? DecryptReason::Ech : DecryptReason::None;
}

}  // namespace

Status Identifier::possible() {
  if (const auto digests = tls::Digests::make(); !digests) return digests.error();
  if (const auto protection = tls::QuicProtection::make(); !protection) return protection.error();
  return Ok{};
}

Identifier::Identifier(FlowTable& flows, StreamTable& streams, Decider& decider, FlowLog& log,
                       TraceRecorder& trace, Adopter& adopter, unsigned worker)
    : flows_(flows),
      streams_(streams),
      decider_(decider),
      log_(log),
      trace_(trace),
      adopter_(adopter),
      worker_(worker),
      digests_(std::move(tls::Digests::make().value())),
      quic_(std::move(tls::QuicProtection::make().value())) {}

// A related flow was opened by the server that answers.
Evidence Identifier::evidence_of(const Slot& slot, Bytes payload) const noexcept {
  const FlowHot& hot = flows_.hot(slot.flow);
  const auto opener = static_cast<size_t>(hot.opener());
  const bool related = (hot.flags & kRelated) != 0;
  const size_t server = related ? opener : 1 - opener;
  const Direction direction = hot.direction_from(slot.port.side());
  return {.protocol = slot.key.protocol,
          .client_port = slot.key.port[1 - server],
          .server_port = slot.key.port[server],
          .server = slot.key.address[server],
          .direction = related ? other(direction) : direction,
          .payload = payload};
}

Identification Identifier::first_bytes(const Slot& slot, Bytes payload, const Moment& at) noexcept {
  const Evidence evidence = evidence_of(slot, payload);
  Identification found = at.snapshot.engine().identify(evidence, at.snapshot.scratch(worker_));
  const bool server_alone =
      evidence.direction == Direction::ToClient && (flows_.hot(slot.flow).flags & kRelated) == 0;
  // What the server says may fit nothing as long as the client has not spoken.
  if (found.application == kApplicationUnidentified && server_alone) found.application = kApplicationPending;
  trace_.looked(slot.flow, evidence.direction, payload, found.application, at.now);
  return found;
}

void Identifier::read(Stream& stream, const Slot& slot, Bytes fresh, const Moment& at) noexcept {
  const Direction direction = flows_.hot(slot.flow).direction_from(slot.port.side());
  switch (stream.reader) {
    case Reader::None:
      break;
    case Reader::Http:
      return read_http(stream, slot, direction, fresh, at);
    case Reader::Tls:
      return direction == Direction::ToServer ? read_client_hello(stream, slot, at)
                                              : read_server_flight(stream, slot, at);
    case Reader::Quic:
      return;
  }
  if (!flows_.hot(slot.flow).owes_any(kOwesApplication)) return;
  // The usual case is one segment that says it all: no need to gather.
  const Stream::Half& half = stream.half(direction);
  const bool first = half.passed == fresh.size();
  const Identification found = first_bytes(slot, first ? fresh : streams_.front(stream, direction), at);
  if (found.application != kApplicationPending) return start(stream, slot, found.application, at);
  // Nothing looks further than this.
  if (half.passed >= ApplicationEngine::kLongestPrefix) conclude(slot.flow, kApplicationUnidentified, at);
}

AppId Identifier::refined(const Slot& slot, Direction shown_by, Layer layer, AppId base,
                          std::string_view text, const Moment& at) noexcept {
  Evidence where = evidence_of(slot, {});
  where.direction = Direction::ToServer;  // texts have one set of signatures, whoever showed them
  const AppId inside = at.snapshot.engine().refine(layer, base, text, where, at.snapshot.scratch(worker_));
  trace_.refined(slot.flow, shown_by, layer, text, inside, at.now);
  return inside;
}

void Identifier::start(Stream& stream, const Slot& slot, AppId base, const Moment& at) noexcept {
  if (base == classify::app::kTls) return start_tls(stream, slot, at);
  if (base == classify::app::kHttp) return start_http(stream, slot, at);
  conclude(slot.flow, base, at);
}

void Identifier::conclude(uint32_t flow, AppId application, const Moment& at,
                          classify::ExclusionSet exclusions) noexcept {
  FlowHot& hot = flows_.hot(flow);
  FlowCold& cold = flows_.cold(flow);
  const AppId before{static_cast<uint16_t>(cold.identified)};
  cold.identified = application.value;
  hot.pay(kOwesApplication);
  if (before == application) return;
  decider_.judge(flow, at.snapshot, at.now, exclusions);
  if (hot.verdict == FlowVerdict::Drop) return;
  if (before != kApplicationPending) log_.change(hot, cold, at.now);
  const classify::Application* entry = at.snapshot.application(application);
  if (hot.key.protocol != classify::kUdp || entry == nullptr) return;
  if (entry->provisional) hot.owes |= kOwesReading;
  if (entry->answers != nullptr && (hot.flags & kRelated) == 0) decider_.expect_answer(flow, at.now);
}

// What the flow is inside need not be known when no rule would allow any of it.
void Identifier::conclude_hopeless(uint32_t flow, AppId base, Layer layer, const Moment& at) noexcept {
  const FlowHot& hot = flows_.hot(flow);
  if (hot.verdict != FlowVerdict::Pending || !hot.owes_any(kOwesApplication)) return;
  if (layer == Layer::Tls && adopter_.serves(at.snapshot.policy())) return;  // decrypted, it may be anything
  if (decider_.could_allow(flow, base, at.snapshot.engine().named_by(layer), at.snapshot)) return;
  conclude(flow, base, at);
}

// A full pool leaves a flow unidentified, which no rule for an application allows.
void Identifier::start_tls(Stream& stream, const Slot& slot, const Moment& at) noexcept {
  if (!streams_.attach(stream, Reader::Tls)) return conclude(slot.flow, kApplicationUnidentified, at);
  flows_.hot(slot.flow).owes |= kOwesReading;
  read_client_hello(stream, slot, at);
  conclude_hopeless(slot.flow, classify::app::kTls, Layer::Tls, at);
}

void Identifier::read_client_hello(Stream& stream, const Slot& slot, const Moment& at) noexcept {
  TlsFacts& facts = streams_.tls(stream);
  if (facts.client_hello) return;
  const classify::TlsHelloBody hello =
      classify::find_tls_client_hello(streams_.front(stream, Direction::ToServer), *handshake_);
  const bool too_long = stream.half(Direction::ToServer).passed >= ApplicationEngine::kLongestPrefix;
  if (hello.fit == classify::Fit::More && !too_long) return;
  classify::TlsClientHelloView view;
  if (hello.fit == classify::Fit::Yes) view = classify::view_tls_client_hello(hello.body);
  if (view.fit != classify::Fit::Yes) {
    conclude(slot.flow, kApplicationUnidentified, at);
    return finish_tls(stream, slot.flow, at.now);
  }
  note_hello(facts, view, classify::Transport::Tcp);
  streams_.forget_front(stream, Direction::ToServer);
  // Decide may count on a TLS core.
  FlowHot& hot = flows_.hot(slot.flow);
  if (adopter_.serves(at.snapshot.policy())) hot.flags |= kAdopted;
  const auto text = classify::tls_text(facts);
  const classify::ExclusionSet exclusions = exclusions_of(slot, facts, at);
  conclude(slot.flow, refined(slot, Direction::ToServer, Layer::Tls, classify::app::kTls, text.view(), at),
           at, exclusions);
  note_exclusion(slot.flow, facts, exclusions, at);
  begin_decryption(stream, slot, at);
  if (stream.reader == Reader::Tls && hot.verdict == FlowVerdict::Drop) finish_tls(stream, slot.flow, at.now);
}

classify::ExclusionSet Identifier::exclusions_of(const Slot& slot, const TlsFacts& facts,
                                                 const Moment& at) const noexcept {
  return at.snapshot.exclusions().find(facts.server_name.view(), evidence_of(slot, {}).server);
}

void Identifier::note_exclusion(uint32_t flow, TlsFacts& facts, classify::ExclusionSet exclusions,
                                const Moment& at) noexcept {
  const auto why = static_cast<InspectionReason>(flows_.cold(flow).inspection_reason);
  if (why != InspectionReason::EncryptedExcluded) return;
  facts.decrypt_reason = decider_.exclusion_of(flow, exclusions, at.snapshot);
  adopter_.count(facts.decrypt_reason);
}

// When the verdict is to decrypt, a TLS core takes the flow over; whoever cannot is told so, and the
// exception policy decides.
void Identifier::begin_decryption(Stream& stream, const Slot& slot, const Moment& at) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  FlowCold& cold = flows_.cold(slot.flow);
  TlsFacts& facts = streams_.tls(stream);
  const auto decrypt = static_cast<DecryptResult>(cold.decrypt_result);
  if (decrypt == DecryptResult::Unavailable) {
    facts.decrypt_reason = DecryptReason::NoEngine;
    adopter_.count(DecryptReason::NoEngine);
  }
  if ((hot.flags & kAdopted) == 0) return;
  // Pending: a rule that decrypts names what may run inside.
  const bool wanted = hot.verdict == FlowVerdict::Pending ||
                      (hot.verdict == FlowVerdict::Allow && decrypt == DecryptResult::Decrypted);
  DecryptReason refusal = wanted ? undecryptable(facts, at.snapshot.policy()) : DecryptReason::None;
  if (wanted && refusal == DecryptReason::None) refusal = adopter_.adopt(stream, slot, facts, at.now);
  if (wanted && refusal == DecryptReason::None) {
    streams_.detach(stream);
    cold.asked_port = Carrier{AppId{static_cast<uint16_t>(cold.identified)}}.pack();
    return hot.pay(kOwesApplication | kOwesReading);
  }
  hot.flags &= static_cast<uint16_t>(~kAdopted);
  if (!wanted) return;
  facts.decrypt_reason = refusal;
  adopter_.count(refusal);
  decider_.judge(slot.flow, at.snapshot, at.now);
}

void Identifier::read_server_flight(Stream& stream, const Slot& slot, const Moment& at) noexcept {
  TlsFacts& facts = streams_.tls(stream);
  if (!facts.client_hello) return;
  const classify::TlsServerFlight flight =
      classify::parse_tls_server_flight(streams_.front(stream, Direction::ToClient), *handshake_);
  if (flight.fit == classify::Fit::Yes) note_flight(facts, flight);
  const bool enough = stream.half(Direction::ToClient).passed >= ApplicationEngine::kLongestPrefix;
  if (flight.fit != classify::Fit::No && !flight.complete && !enough) return;
  // What the server showed may name it more exactly; what ran so far was judged by the client's hello.
  const auto text = classify::tls_text(facts);
  conclude(slot.flow, refined(slot, Direction::ToClient, Layer::Tls, classify::app::kTls, text.view(), at),
           at);
  finish_tls(stream, slot.flow, at.now);
}

void Identifier::note_hello(TlsFacts& facts, const classify::TlsClientHelloView& hello,
                            classify::Transport transport) noexcept {
  facts.note(hello);
  facts.quic = transport == classify::Transport::Quic;
  if (const classify::Ja3Text ja3 = classify::ja3_text(hello); ja3.whole)
    facts.ja3.append_hex(Bytes(digests_.md5(as_bytes(ja3.text.view()))));
  const classify::Ja4Texts ja4 = classify::ja4_texts(hello, transport);
  if (ja4.whole)
    facts.ja4 = classify::join_ja4(ja4, digests_.sha256(as_bytes(ja4.ciphers.view())),
                                   digests_.sha256(as_bytes(ja4.extensions.view())));
}

void Identifier::note_flight(TlsFacts& facts, const classify::TlsServerFlight& flight) noexcept {
  facts.note(flight);
  facts.ja3s = {};
  if (flight.hello)
    if (const classify::Ja3Text ja3s = classify::ja3s_text(flight); ja3s.whole)
      facts.ja3s.append_hex(Bytes(digests_.md5(as_bytes(ja3s.text.view()))));
  if (flight.leaf.empty() || facts.certificate_read) return;
  note_certificate(facts, flight.leaf, digests_);
}

void Identifier::abandon(Stream& stream, uint32_t flow, Timestamp now) noexcept {
  if (stream.reader == Reader::Tls) return finish_tls(stream, flow, now);
  streams_.detach(stream);
  flows_.hot(flow).pay(kOwesReading);
}

void Identifier::finish_tls(Stream& stream, uint32_t flow, Timestamp now) noexcept {
  FlowHot& hot = flows_.hot(flow);
  const TlsFacts& facts = streams_.tls(stream);
  if (facts.client_hello) log_.tls(hot, flows_.cold(flow), facts, now);
  streams_.detach(stream);
  hot.pay(kOwesReading);
}

void Identifier::start_http(Stream& stream, const Slot& slot, const Moment& at) noexcept {
  if (!streams_.attach(stream, Reader::Http)) return conclude(slot.flow, kApplicationUnidentified, at);
  flows_.hot(slot.flow).owes |= kOwesReading;
  for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
    if (stream.reader != Reader::Http) return;
    const Bytes front = streams_.front(stream, direction);
    if (!front.empty()) read_http(stream, slot, direction, front, at);
    streams_.forget_front(stream, direction);
  }
  conclude_hopeless(slot.flow, classify::app::kHttp, Layer::Http, at);
}

void Identifier::read_http(Stream& stream, const Slot& slot, Direction direction, Bytes bytes,
                           const Moment& at) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  while (stream.reader == Reader::Http) {
    const HttpRequests::Step step = streams_.http(stream).feed(direction, bytes);
    bytes = bytes.subspan(step.consumed);
    switch (step.event) {
      case HttpEvent::None:
        return;
      case HttpEvent::RequestHead:
        judge_request(stream, slot, at);
        break;
      case HttpEvent::RequestEnd:
        break;
      case HttpEvent::Anomaly:
        // Two readers may disagree about what is a request from here on.
        conclude(slot.flow, kApplicationUnidentified, at);
        [[fallthrough]];
      case HttpEvent::Opaque:
        streams_.detach(stream);
        hot.pay(kOwesReading);
        if (hot.owes_any(kOwesApplication)) conclude(slot.flow, classify::app::kHttp, at);
        break;
    }
  }
}

// Every request is judged as what it is, as long as the policy could say something else about another one.
void Identifier::judge_request(Stream& stream, const Slot& slot, const Moment& at) noexcept {
  const profiles::HttpText text(streams_.http(stream).head());
  conclude(slot.flow, refined(slot, Direction::ToServer, Layer::Http, classify::app::kHttp, text.text(), at),
           at);
  FlowHot& hot = flows_.hot(slot.flow);
  const bool follow =
      hot.verdict != FlowVerdict::Drop && decider_.depends_on_application(slot.flow, at.snapshot);
  if (follow) return;
  flows_.cold(slot.flow).unfollowed = hot.verdict != FlowVerdict::Drop;
  streams_.detach(stream);
  hot.pay(kOwesReading);
}

void Identifier::read_datagram(const Slot& slot, const Moment& at) noexcept {
  FlowHot& hot = flows_.hot(slot.flow);
  if (hot.owes_any(kOwesOrder)) return read_quic(*streams_.find(slot.flow), slot, at);
  if (flows_.cold(slot.flow).asked_port != 0) return read_expected(slot, at);
  const Identification found = first_bytes(slot, slot.payload, at);
  if (found.application == kApplicationPending) return;
  if (hot.owes_any(kOwesReading)) {
    if (found.application == kApplicationUnidentified ||
        found.application.value == flows_.cold(slot.flow).identified)
      return;
    hot.pay(kOwesReading);
  }
  if (found.application != classify::app::kQuic) return conclude(slot.flow, found.application, at);
  Stream* stream = streams_.open(slot.flow, 0, 0);
  if (stream == nullptr) return conclude(slot.flow, kApplicationUnidentified, at);
  hot.owes |= kOwesOrder;
  stream->scanning = false;
  if (!streams_.attach(*stream, Reader::Quic)) {
    streams_.close(slot.flow);
    hot.pay(kOwesOrder);
    return conclude(slot.flow, kApplicationUnidentified, at);
  }
  read_quic(*stream, slot, at);
}

// The first datagram of a flow that was expected.
void Identifier::read_expected(const Slot& slot, const Moment& at) noexcept {
  const Expectation* expected = decider_.expectation_of(flows_.hot(slot.flow), at.now);
  const classify::Application* entry =
      expected != nullptr ? at.snapshot.application(expected->application) : nullptr;
  const bool fits = entry != nullptr && entry->answers != nullptr &&
                    entry->answers(evidence_of(slot, slot.payload)) == classify::Fit::Yes;
  const AppId found = fits ? entry->id : kApplicationUnidentified;
  trace_.looked(slot.flow, Direction::ToClient, slot.payload, found, at.now);
  conclude(slot.flow, found, at);
}

void Identifier::read_quic(Stream& stream, const Slot& slot, const Moment& at) noexcept {
  if (evidence_of(slot, {}).direction == Direction::ToClient) return;
  tls::QuicInitial& initial = streams_.quic(stream);
  const tls::QuicInitial::State state = initial.take(slot.payload, quic_);
  if (state == tls::QuicInitial::State::Partial) return;
  FlowHot& hot = flows_.hot(slot.flow);
  AppId inside = state == tls::QuicInitial::State::Refused ? kApplicationUnidentified : classify::app::kQuic;
  TlsFacts facts;
  classify::ExclusionSet exclusions;
  if (state == tls::QuicInitial::State::Whole) {
    const auto hello = classify::view_tls_client_hello(initial.client_hello());
    if (hello.fit == classify::Fit::Yes) {
      note_hello(facts, hello, classify::Transport::Quic);
      const auto text = classify::tls_text(facts);
      inside = refined(slot, Direction::ToServer, Layer::Tls, classify::app::kQuic, text.view(), at);
      exclusions = exclusions_of(slot, facts, at);
    }
  }
  conclude(slot.flow, inside, at, exclusions);
  note_exclusion(slot.flow, facts, exclusions, at);
  if (facts.client_hello) log_.tls(hot, flows_.cold(slot.flow), facts, at.now);
  streams_.close(slot.flow);
  hot.pay(kOwesOrder);
}

}  // namespace postern::dataplane
