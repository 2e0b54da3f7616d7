// SPDX-License-Identifier: Apache-2.0
// Sessions that servers let us go on with (RFC 8446 section 2.2, RFC 5077), each for one scope: same server,
// same name, same rule of the same policy. What the server showed goes with the session, its stapled answer
// included, so that it is judged again whenever the session is used. Bounded: when full, the one that was
// kept longest goes. One TLS core.
#pragma once

#include <array>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "base/bytes.h"

struct ssl_session_st;

namespace postern::tls {

// Names what two sessions must have in common before one may go on as the other.
using SessionScope = std::array<uint8_t, 32>;

class UpstreamSessions {
 public:
  explicit UpstreamSessions(size_t most) : most_(most) {}

  struct Free {
    void operator()(ssl_session_st* session) const noexcept;
  };
  struct Known {
    std::unique_ptr<ssl_session_st, Free> session;  // null: none
    std::vector<uint8_t> ocsp;                      // what the server stapled, DER
  };

  void put(const SessionScope& scope, Known known);
  // A session is used once (RFC 8446 appendix C.4), so that nobody on the way can tell two of them together.
  Known take(const SessionScope& scope);

  size_t size() const noexcept { return by_age_.size(); }

 private:
  struct Kept {
    SessionScope scope;
    Known known;
  };
  using Place = std::list<Kept>::iterator;
  void erase(std::multimap<SessionScope, Place>::iterator at);

  static constexpr size_t kMostOfOneScope = 4;

  size_t most_;
  std::list<Kept> by_age_;  // the latest first
  std::multimap<SessionScope, Place> by_scope_;
};

}  // namespace postern::tls
