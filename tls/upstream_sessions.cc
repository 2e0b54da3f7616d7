// SPDX-License-Identifier: Apache-2.0
#include "tls/upstream_sessions.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

namespace postern::tls {

void UpstreamSessions::Free::operator()(ssl_session_st* session) const noexcept { SSL_SESSION_free(session); }

void UpstreamSessions::erase(std::multimap<SessionScope, Place>::iterator at) {
  by_age_.erase(at->second);
  by_scope_.erase(at);
}

// Entries of one scope stand in the order in which they came.
void UpstreamSessions::put(const SessionScope& scope, Known known) {
  if (by_scope_.count(scope) >= kMostOfOneScope) erase(by_scope_.lower_bound(scope));
  if (by_age_.size() >= most_ && !by_age_.empty()) erase(by_scope_.lower_bound(by_age_.back().scope));
  by_age_.push_front({scope, std::move(known)});
  by_scope_.emplace(scope, by_age_.begin());
}

UpstreamSessions::Known UpstreamSessions::take(const SessionScope& scope) {
  const auto [begin, end] = by_scope_.equal_range(scope);
  if (begin == end) return {};
  const auto latest = std::prev(end);
  Known known = std::move(latest->second->known);
  erase(latest);
  const bool usable = known.session != nullptr && SSL_SESSION_is_resumable(known.session.get()) == 1;
  return usable ? std::move(known) : Known{};
}

}  // namespace postern::tls
