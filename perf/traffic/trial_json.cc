// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/trial_json.h"

#include <nlohmann/json.hpp>

namespace postern::perf {
namespace {

using nlohmann::json;

double microseconds(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

double per_second(uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

json row(const char* key, double value, const char* unit, const char* better) {
  return {{"key", std::string("pktgen/") + key},
          {"value", value},
          {"unit", unit},
          {"samples", 1},
          {"better", better}};
}

json sides_of(const TrialResult& result) {
  json sides = json::array();
  for (const SideResult& side : result.sides)
    sides.push_back({{"sent", side.sent},
                     {"refused", side.refused},
                     {"received", side.received},
                     {"lost", side.lost},
                     {"duplicated", side.duplicated},
                     {"reordered", side.reordered},
                     {"late", side.late}});
  return sides;
}

}  // namespace

json json_of(const TrialResult& result) {
  json cdf = json::array();
  for (const auto& [nanoseconds, share] : result.latency.distribution())
    cdf.push_back({microseconds(nanoseconds), share});
  const auto quantile = [&](double share) { return microseconds(result.latency.quantile(share)); };
  return {{"sent", result.sent()},
          {"refused", result.refused()},
          {"received", result.received()},
          {"lost", result.lost()},
          {"loss", result.loss()},
          {"skipped", result.skipped},
          {"seconds", result.seconds},
          {"offered_pps", per_second(result.sent() + result.refused(), result.seconds)},
          {"received_pps", per_second(result.received(), result.seconds)},
          {"last_loss_seconds", result.last_loss_seconds},
          {"sides", sides_of(result)},
          {"latency_us",
           {{"samples", result.latency.count()},
            {"p50", quantile(0.5)},
            {"p99", quantile(0.99)},
            {"p99.9", quantile(0.999)},
            {"max", microseconds(result.latency.most())}}},
          {"cdf", std::move(cdf)}};
}

json report_of(const TrialResult& result) {
  const json trial = json_of(result);
  json rows = {row("offered", trial["offered_pps"], "pps", "higher"),
               row("received", trial["received_pps"], "pps", "higher"),
               row("loss", result.loss(), "share", "lower")};
  for (const char* quantile : {"p50", "p99", "p99.9", "max"})
    rows.push_back(
        row((std::string("latency/") + quantile).c_str(), trial["latency_us"][quantile], "us", "lower"));
  json x = json::array(), y = json::array();
  for (const json& point : trial["cdf"]) {
    x.push_back(point[0]);
    y.push_back(point[1]);
  }
  return {{"rows", std::move(rows)},
          {"series", {{"latency", {{"x", x}, {"y", y}, {"x_unit", "us"}, {"y_unit", "share"}}}}},
          {"skipped", json::array()},
          {"trial", trial}};
}

}  // namespace postern::perf
