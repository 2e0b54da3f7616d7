// SPDX-License-Identifier: Apache-2.0
// How many tunnels and generated names are found, how soon, and how many names of others are stopped.
// Counted, not timed: the figures do not depend on the machine.
//   dns_detection [--quick] [--json FILE]
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "perf/traffic/dns_measure.h"

namespace postern::perf {
namespace {

constexpr uint32_t kSeed = 1, kClients = 20;

struct Totals {
  size_t found = 0, shapes = 0, names = 0, stopped = 0;
};

// One line each: name, queries, stopped, seconds until the first, share of those after the first.
Totals print(const char* title, const std::vector<DnsShape>& shapes,
             const profiles::dns::Settings& settings) {
  Totals totals;
  std::printf("\n%-32s %8s %8s %10s %10s\n", title, "names", "stopped", "first, s", "then, %");
  for (const DnsShape& shape : shapes) {
    const DnsMeasured m = measure_shape(shape, settings);
    std::printf("%-32s %8zu %8zu", shape.name.c_str(), m.names, m.stopped);
    if (m.after)
      std::printf(" %10.2f %10.1f  %.40s", static_cast<double>(*m.after) / 1e9,
                  m.names_after_first == 0 ? 100.0
                                           : 100.0 * static_cast<double>(m.stopped_after_first) /
                                                 static_cast<double>(m.names_after_first),
                  m.first_stopped.c_str());
    std::printf("\n");
    ++totals.shapes;
    totals.found += m.after.has_value();
    totals.names += m.names;
    totals.stopped += m.stopped;
  }
  return totals;
}

nlohmann::json row(const char* key, double value, const char* unit, const char* better) {
  return {{"key", key}, {"value", value}, {"unit", unit}, {"samples", 1}, {"better", better}};
}

int run(const char* file) {
  const profiles::dns::Settings settings = detector_settings();
  const Totals tunnels = print("tunnels", tunnel_shapes(kSeed), settings);
  const Totals generated = print("generated names", generated_shapes(kSeed), settings);
  const Totals benign = print("others", benign_shapes(kSeed, kClients), settings);
  std::printf(
      "\ntunnels found: %zu of %zu; generators found: %zu of %zu; names of others stopped: %zu of %zu\n",
      tunnels.found, tunnels.shapes, generated.found, generated.shapes, benign.stopped, benign.names);
  if (file == nullptr) return 0;
  const auto share = [](size_t part, size_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  };
  const nlohmann::json report = {
      {"rows",
       {row("tunnels_found", share(tunnels.found, tunnels.shapes), "fraction", "higher"),
        row("generators_found", share(generated.found, generated.shapes), "fraction", "higher"),
        row("others_stopped", share(benign.stopped, benign.names), "fraction", "lower")}},
      {"series", nlohmann::json::object()},
      {"skipped", nlohmann::json::array()}};
  std::FILE* out = std::fopen(file, "w");
  if (out == nullptr) return 1;
  std::fprintf(out, "%s\n", report.dump(1).c_str());
  return std::fclose(out) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace postern::perf

int main(int count, char** words) {
  const char* file = nullptr;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(words[i], "--json") == 0 && i + 1 < count) {
      file = words[++i];
    } else if (std::strcmp(words[i], "--quick") != 0) {  // it takes seconds anyway
      std::fprintf(stderr, "usage: dns_detection [--quick] [--json FILE]\n");
      return 2;
    }
  }
  return postern::perf::run(file);
}
