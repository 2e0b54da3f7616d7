// SPDX-License-Identifier: Apache-2.0
#include "dataplane/clear_reader.h"

#include <algorithm>
#include <utility>

#include "classify/app_ids.h"
#include "profiles/http_text.h"

namespace postern::dataplane {

using classify::ApplicationEngine;
using profiles::HttpEvent;
using profiles::HttpRequests;

ClearReader::ClearReader(const PolicyView& view, const AdoptionRequest& request) : view_(view) {
  place_.protocol = classify::kTcp;
  place_.client_port = request.to_client.remote.port;
  place_.server_port = request.to_server.remote.port;
  place_.server = request.to_server.remote.address;
}

void ClearReader::opened(std::string_view protocol) noexcept { speaks_h2_ = protocol == "h2"; }

ClearReader::Ruling ClearReader::inspect(Direction direction, Bytes bytes) noexcept {
  reads_ = direction;
  ClearFinding& finding = findings_[static_cast<size_t>(direction)];
  finding = {.direction = direction, .count = 0, .applications = {}, .signature = {}};
  if (stage_ == Stage::FirstBytes)
    read_first(direction, bytes);
  else if (stage_ == Stage::Http)
    read_http(direction, bytes);
  if (too_many_) return Ruling::Block;
  return scan(direction, bytes);
}

// Every session of a policy whose rules ask for it, for what runs inside may yet choose such a rule.
ClearReader::Ruling ClearReader::scan(Direction direction, Bytes bytes) noexcept {
  ClearFinding& finding = findings_[static_cast<size_t>(direction)];
  const profiles::ContentEngine* engine = view_.snapshot->policy().content.get();
  bool found = false;
  if (engine != nullptr) {
    const std::string_view signature = content_.inspect(direction, bytes, *engine, view_.reader);
    found = !signature.empty();
    if (found) signature_ = profiles::as_fixed(signature);
  }
  finding.signature = signature_;
  return finding.count > 0 || found ? Ruling::Wait : Ruling::Pass;
}

void ClearReader::ruled(const ClearRuling& ruling) noexcept {
  if (!ruling.asks_again) signature_ = {};
}

classify::Evidence ClearReader::evidence_of(Direction direction, Bytes payload) const noexcept {
  classify::Evidence evidence = place_;
  evidence.direction = direction;
  evidence.payload = payload;
  return evidence;
}

void ClearReader::read_first(Direction direction, Bytes bytes) noexcept {
  std::vector<uint8_t>& front = fronts_[static_cast<size_t>(direction)];
  const size_t room = ApplicationEngine::kLongestPrefix - front.size();
  const Bytes kept = bytes.first(std::min(bytes.size(), room));
  front.insert(front.end(), kept.begin(), kept.end());
  const classify::PolicySnapshot& policy = *view_.snapshot;
  AppId found =
      policy.engine().identify(evidence_of(direction, front), policy.scratch(view_.reader)).application;
  // What the server says may fit nothing as long as the client has not spoken.
  const bool server_alone = found == kApplicationUnidentified && direction == Direction::ToClient;
  if (server_alone) found = kApplicationPending;
  // Nothing looks further than this.
  const bool all_seen = front.size() == ApplicationEngine::kLongestPrefix;
  if (found == kApplicationPending && all_seen) found = kApplicationUnidentified;
  if (found == kApplicationPending) return;
  start(found);
  // The front may be shorter than the bytes that completed it.
  if (stage_ == Stage::Http) read_http(direction, bytes.subspan(kept.size()));
}

void ClearReader::start(AppId application) noexcept {
  // Who agreed on HTTP/2 and speaks something else means to be taken for what it is not.
  const classify::Application* http2 = speaks_h2_ ? view_.snapshot->application("http2") : nullptr;
  if (http2 != nullptr && application != http2->id) return conclude(kApplicationUnidentified);
  if (application != classify::app::kHttp) return conclude(application);
  stage_ = Stage::Http;
  const std::array<std::vector<uint8_t>, 2> fronts = std::exchange(fronts_, {});
  const auto front = [&](Direction d) { return Bytes(fronts[static_cast<size_t>(d)]); };
  for (const Direction d : {Direction::ToServer, Direction::ToClient})
    if (stage_ == Stage::Http && !front(d).empty()) read_http(d, front(d));
}

void ClearReader::read_http(Direction direction, Bytes bytes) noexcept {
  while (stage_ == Stage::Http) {
    const HttpRequests::Step step = http_.feed(direction, bytes);
    bytes = bytes.subspan(step.consumed);
    switch (step.event) {
      case HttpEvent::None:
        return;
      case HttpEvent::RequestHead:
        note_request();
        break;
      case HttpEvent::RequestEnd:
        break;
      case HttpEvent::Anomaly:
        // Two readers may disagree about what is a request from here on.
        return conclude(kApplicationUnidentified);
      case HttpEvent::Opaque:
        return conclude(told_ == kApplicationPending ? classify::app::kHttp : told_);
    }
  }
}

// Every request is told when it is for another application than the one before.
void ClearReader::note_request() noexcept {
  const classify::PolicySnapshot& policy = *view_.snapshot;
  const profiles::HttpText text(http_.head());
  note(policy.engine().refine(classify::Layer::Http, classify::app::kHttp, text.text(),
                              evidence_of(Direction::ToServer, {}), policy.scratch(view_.reader)));
}

void ClearReader::conclude(AppId application) noexcept {
  stage_ = Stage::Known;
  fronts_ = {};
  note(application);
}

void ClearReader::note(AppId application) noexcept {
  if (application == told_) return;
  told_ = application;
  ClearFinding& finding = findings_[static_cast<size_t>(reads_)];
  if (finding.count == ClearFinding::kMost) {
    too_many_ = true;
    return;
  }
  finding.applications[finding.count++] = application;
}

}  // namespace postern::dataplane
