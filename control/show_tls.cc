// SPDX-License-Identifier: Apache-2.0
#include "control/show_tls.h"

#include <fmt/format.h>

namespace postern::control {
namespace {

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

}  // namespace

Reply show_tls(const Running& running) {
  json reasons = json::object(), latencies = json::object(), details = json::array();
  const auto why = sums(
      running, [](const TlsCounters& c) -> const auto& { return c.reasons; });
  for (size_t i = 1; i < why.size(); ++i) {
    if (why[i] == 0) continue;
    const std::string name(decrypt_reason_name(static_cast<DecryptReason>(i)));
    reasons[name] = why[i];
    details.push_back(fmt::format("ended by {}: {}", name, why[i]));
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
  const auto& identities = running.policy.site.tls.identities;
  return Reply::success({{"threads", running.dataplane.tls_threads()},
                         {"inbound_certificates", identities == nullptr ? 0 : identities->size()},
                         {"sessions", adopted - ended},
                         {"adopted", adopted},
                         {"opened", sum(running, &TlsCounters::opened)},
                         {"ended", ended},
                         {"reasons", reasons},
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
