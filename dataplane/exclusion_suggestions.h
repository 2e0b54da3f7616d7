// SPDX-License-Identifier: Apache-2.0
// Servers that a forward proxy could not stand before: their clients did not take the minted leaf (pinned
// programs), or they ask for the client's certificate. The operator is told, who may exclude them; nothing
// here allows anything. Bounded: when full, the one that was not seen longest goes, which is counted. Written
// by one TLS core, read by anyone: it locks, once per refused session.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace postern::dataplane {

struct ExclusionSuggestion {
  enum class Why : uint8_t { BadCertificate, CertificateUnknown, UnknownCa, ClientLeft, MutualTls };

  std::string host;  // that clients asked for, as they sent it; empty: none
  IpAddress server;
  uint16_t port = 0;
  Why why{};         // the last time
  IpAddress client;  // the last one
  uint64_t sessions = 0;
  Timestamp first = 0, last = 0;
};

class ExclusionSuggestions {
 public:
  static constexpr size_t kMost = 256;

  // Its `sessions`, `first` and `last` are counted here.
  void note(ExclusionSuggestion seen, Timestamp now);

  struct Seen {
    std::vector<ExclusionSuggestion> all;  // in no order
    uint64_t displaced = 0;
  };
  Seen seen() const;

 private:
  mutable std::mutex mutex_;
  Seen seen_;
};

}  // namespace postern::dataplane
