// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/rate.h"

#include <charconv>

namespace postern::perf {

Result<double> parse_rate(std::string_view text, double bits_on_link) {
  const Error wrong{"rate: found " + std::string(text) +
                    ", expected max, packets like 500k or 1.2Mpps, or bits like 1Gbps"};
  if (text == "max") return 0.0;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !(number > 0)) return wrong;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  constexpr struct {
    char letter;
    double factor;
  } kFactors[] = {{'k', 1e3}, {'M', 1e6}, {'G', 1e9}};
  for (const auto& [letter, factor] : kFactors)
    if (!unit.empty() && unit.front() == letter) {
      number *= factor;
      unit.remove_prefix(1);
      break;
    }
  if (unit == "bps") return number / bits_on_link;
  if (unit.empty() || unit == "pps") return number;
  return wrong;
}

}  // namespace postern::perf
