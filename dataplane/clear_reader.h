// SPDX-License-Identifier: Apache-2.0
// Reads the clear bytes of one decrypted session as `inspect` reads those of a clear flow: the first bytes
// say what runs inside, every HTTP request says it anew. What it finds waits for the worker's ruling; what
// changes nothing passes at once. Holds at most ApplicationEngine::kLongestPrefix bytes of each direction.
// TLS core.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "classify/policy_snapshot.h"
#include "dataplane/tls_link.h"
#include "profiles/content_engine.h"
#include "profiles/http_requests.h"
#include "tls/clear_text.h"

namespace postern::dataplane {

// The policy that a TLS core uses in this round; its readers all look at the same.
struct PolicyView {
  const classify::PolicySnapshot* snapshot = nullptr;
  unsigned reader = 0;  // of PolicySnapshot::scratch
};

class ClearReader : public tls::ClearTextInspector {
 public:
  // `view` outlives the reader.
  ClearReader(const PolicyView& view, const AdoptionRequest& request);

  void opened(std::string_view protocol) noexcept override;
  Ruling inspect(Direction direction, Bytes bytes) noexcept override;

  void ruled(const ClearRuling& ruling) noexcept;

  // What the last bytes of the direction showed, after a ruling to wait.
  const ClearFinding& finding(Direction direction) const noexcept {
    return findings_[static_cast<size_t>(direction)];
  }

 private:
  enum class Stage : uint8_t { FirstBytes, Http, Known };

  classify::Evidence evidence_of(Direction direction, Bytes payload) const noexcept;
  Ruling scan(Direction direction, Bytes bytes) noexcept;
  void read_first(Direction direction, Bytes bytes) noexcept;
  void start(AppId application) noexcept;
  void read_http(Direction direction, Bytes bytes) noexcept;
  void note_request() noexcept;
  void conclude(AppId application) noexcept;
  void note(AppId application) noexcept;

  const PolicyView& view_;
  classify::Evidence place_;                    // ports and server
  std::array<std::vector<uint8_t>, 2> fronts_;  // by Direction, while nobody knows what they are
  profiles::HttpRequests http_;
  profiles::ContentInspection content_;
  FixedText<64> signature_;  // found, and nobody has ruled on it
  std::array<ClearFinding, 2> findings_;
  Direction reads_{};  // whose bytes are being read
  AppId told_ = kApplicationPending;
  Stage stage_ = Stage::FirstBytes;
  bool speaks_h2_ = false, too_many_ = false;
};

}  // namespace postern::dataplane
