// SPDX-License-Identifier: Apache-2.0
#include "control/show_tls.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace postern::control {
namespace {

using dataplane::ExclusionSuggestion;
using dataplane::TlsCounters;
using nlohmann::json;

// A list of counters of all threads, added up.
template <typename List>
std::vector<uint64_t> sums(const Running& running, List list) {
  std::vector<uint64_t> total;
  for (unsigned thread = 0; thread < running.dataplane.tls_threads(); ++thread) {
    const auto& counters = list(running.dataplane.tls_counters(thread));
    total.resize(counters.size());
    for (size_t i = 0; i < total.size(); ++i) total[i] += counters[i].value();
  }
  return total;
}

uint64_t sum(const Running& running, dataplane::Counter TlsCounters::*counter) {
  uint64_t total = 0;
  for (unsigned thread = 0; thread < running.dataplane.tls_threads(); ++thread)
    total += (running.dataplane.tls_counters(thread).*counter).value();
  return total;
}

std::string latency_text(size_t bucket) {
  const auto& bounds = TlsCounters::kLatencies;
  return bucket < bounds.size() ? fmt::format("up to {} us", bounds[bucket])
                                : fmt::format("over {} us", bounds.back());
}

std::string_view objection_word(ExclusionSuggestion::Why why) {
  switch (why) {
    case ExclusionSuggestion::Why::BadCertificate:
      return "bad_certificate";
    case ExclusionSuggestion::Why::CertificateUnknown:
      return "certificate_unknown";
    case ExclusionSuggestion::Why::UnknownCa:
      return "unknown_ca";
    case ExclusionSuggestion::Why::ClientLeft:
      return "client_left";
    case ExclusionSuggestion::Why::MutualTls:
      return "mutual_tls";
  }
  return "";
}

// Of all threads, the ones with most sessions first.
dataplane::ExclusionSuggestions::Seen suggestions_of(const Running& running) {
  dataplane::ExclusionSuggestions::Seen sum;
  for (unsigned thread = 0; thread < running.dataplane.tls_threads(); ++thread) {
    dataplane::ExclusionSuggestions::Seen seen = running.dataplane.suggestions(thread);
    sum.displaced += seen.displaced;
    for (ExclusionSuggestion& one : seen.all) {
      const auto same = std::find_if(sum.all.begin(), sum.all.end(), [&](const ExclusionSuggestion& s) {
        return s.host == one.host && s.server == one.server && s.port == one.port;
      });
      if (same == sum.all.end()) {
        sum.all.push_back(std::move(one));
        continue;
      }
      one.sessions += same->sessions;
      one.first = std::min(one.first, same->first);
      if (one.last < same->last) {
        same->sessions = one.sessions;
        same->first = one.first;
      } else {
        *same = std::move(one);
      }
    }
  }
  std::stable_sort(sum.all.begin(), sum.all.end(),
                   [](const auto& a, const auto& b) { return a.sessions > b.sessions; });
  return sum;
}

std::string utc(Timestamp time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(time / kSecond)));
}

}  // namespace

Reply show_tls_suggestions(const Running& running) {
  json rows = json::array();
  for (const ExclusionSuggestion& one : suggestions_of(running).all)
    rows.push_back({{"host", one.host},
                    {"server", one.server.text()},
                    {"port", one.port},
                    {"objection", objection_word(one.why)},
                    {"sessions", one.sessions},
                    {"client", one.client.text()},
                    {"first", utc(one.first)},
                    {"last", utc(one.last)}});
  return Reply::success(rows);
}

Reply show_tls(const Running& running) {
  json reasons = json::object(), refusals = json::object(), faults = json::object(),
       latencies = json::object(), details = json::array();
  const auto why = sums(
      running, [](const TlsCounters& c) -> const auto& { return c.reasons; });
  for (size_t i = 1; i < why.size(); ++i) {
    if (why[i] == 0) continue;
    const std::string name(decrypt_reason_name(static_cast<DecryptReason>(i)));
    reasons[name] = why[i];
    details.push_back(fmt::format("ended by {}: {}", name, why[i]));
  }
  for (size_t i = 1; i < kDecryptReasons; ++i) {
    const auto reason = static_cast<DecryptReason>(i);
    const uint64_t flows = running.dataplane.not_decrypted(reason);
    if (flows == 0) continue;
    refusals[std::string(decrypt_reason_name(reason))] = flows;
    details.push_back(fmt::format("not decrypted for {}: {}", decrypt_reason_name(reason), flows));
  }
  const auto found = sums(
      running, [](const TlsCounters& c) -> const auto& { return c.faults; });
  for (size_t i = 1; i < found.size(); ++i) {
    if (found[i] == 0) continue;
    const std::string name(tls::certificate_fault_name(static_cast<tls::CertificateFault>(i)));
    faults[name] = found[i];
    details.push_back(fmt::format("servers with fault {}: {}", name, found[i]));
  }
  const auto took = sums(
      running, [](const TlsCounters& c) -> const auto& { return c.latencies; });
  for (size_t i = 0; i < took.size(); ++i) {
    if (took[i] == 0) continue;
    latencies[latency_text(i)] = took[i];
    details.push_back(fmt::format("adopted in {}: {}", latency_text(i), took[i]));
  }
  const auto clear = sums(
      running, [](const TlsCounters& c) -> const auto& { return c.clear_bytes; });
  const uint64_t adopted = sum(running, &TlsCounters::adopted), ended = sum(running, &TlsCounters::ended);
  const dataplane::TlsCredentials& credentials = running.policy.site.tls.credentials;
  return Reply::success(
      {{"threads", running.dataplane.tls_threads()},
       {"inbound_certificates", credentials.inbound == nullptr ? 0 : credentials.inbound->size()},
       {"forward_proxy", credentials.forward ? "ready" : "no CA"},
       {"sessions", adopted - ended},
       {"adopted", adopted},
       {"opened", sum(running, &TlsCounters::opened)},
       {"ended", ended},
       {"reasons", reasons},
       {"not_decrypted", refusals},
       {"certificate_faults", faults},
       {"resumed_by_clients", sum(running, &TlsCounters::client_resumed)},
       {"resumed_with_servers", sum(running, &TlsCounters::server_resumed)},
       {"minted_leaves", sum(running, &TlsCounters::leaves)},
       {"leaves_minted", sum(running, &TlsCounters::minted)},
       {"leaves_reused", sum(running, &TlsCounters::reused)},
       {"leaves_displaced", sum(running, &TlsCounters::displaced)},
       {"leaves_refused", sum(running, &TlsCounters::not_minted)},
       {"suggestions", suggestions_of(running).all.size()},
       {"adoption_latency", latencies},
       {"clear_bytes_to_server", clear.empty() ? 0 : clear[0]},
       {"clear_bytes_to_client", clear.empty() ? 0 : clear[1]},
       {"packets_in", sum(running, &TlsCounters::packets_in)},
       {"packets_out", sum(running, &TlsCounters::packets_out)},
       {"strange_packets", sum(running, &TlsCounters::strange_packets)},
       {"lost_frames", sum(running, &TlsCounters::lost_frames)},
       {"details", details}});
}

}  // namespace postern::control
