// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/trial_text.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <sstream>

#include "perf/traffic/rate.h"

namespace postern::perf {
namespace {

template <typename T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value > T{})) return {};
  return value;
}

std::string latency_of(const LatencyHistogram& latency) {
  if (latency.count() == 0) return "no latency";
  const auto microseconds = [&](double share) { return static_cast<double>(latency.quantile(share)) / 1e3; };
  return fmt::format("p50 {:.1f} us  p99 {:.1f} us  p99.9 {:.1f} us  max {:.1f} us", microseconds(0.5),
                     microseconds(0.99), microseconds(0.999), static_cast<double>(latency.most()) / 1e3);
}

// On the link: with preamble and gap.
double gigabits(uint64_t packets, uint64_t bytes) {
  return static_cast<double>(bytes + packets * 20) * 8 / 1e9;
}

}  // namespace

Result<Trial> parse_trial(std::string_view line, double bits_on_link) {
  Trial trial;
  std::istringstream words{std::string(line)};
  std::string word, seconds_word;
  while (words >> word) {
    constexpr std::string_view kFrames = "frames=";
    if (word.starts_with(kFrames)) {
      const auto frames = number_of<uint64_t>(std::string_view(word).substr(kFrames.size()));
      if (!frames) return Error{"found " + word + ", expected frames=N"};
      trial.frames = *frames;
      continue;
    }
    const auto rate = parse_rate(word, bits_on_link);
    if (!rate) return rate.error();
    words >> seconds_word;
    const auto seconds = words ? number_of<double>(seconds_word) : std::nullopt;
    if (!seconds) return Error{"found no seconds after " + word + ", expected RATE SECONDS"};
    trial.phases.push_back({*rate, *seconds});
  }
  if (trial.phases.empty())
    return Error{"found no phase, expected RATE SECONDS [RATE SECONDS]... [frames=N]"};
  return trial;
}

std::string text_of(const Second& second) {
  return fmt::format("{:5} s  sent {} pps ({:.3f} Gbit/s)  received {} pps ({:.3f} Gbit/s)  refused {}  {}",
                     second.number, second.sent, gigabits(second.sent, second.sent_bytes), second.received,
                     gigabits(second.received, second.received_bytes), second.refused,
                     latency_of(second.latency));
}

std::string text_of(const TrialResult& result) {
  std::string text = fmt::format("in {:.3f} s, not counting what came later\n", result.seconds);
  const char* kNames[] = {"first port", "second port"};
  for (size_t side = 0; side < 2; ++side) {
    const SideResult& s = result.sides[side];
    if (s.sent + s.refused == 0) continue;
    text += fmt::format(
        "into {:11}  sent {}  refused {}  received {}  lost {}  duplicated {}  reordered {}  too late {}\n",
        kNames[side], s.sent, s.refused, s.received, s.lost, s.duplicated, s.reordered, s.late);
  }
  text += fmt::format("loss {:.6f} %  latency {}\n", result.loss() * 100, latency_of(result.latency));
  if (result.skipped > 0)
    text += fmt::format("the generator was too slow: {} packets were due and not offered\n", result.skipped);
  return text;
}

}  // namespace postern::perf
