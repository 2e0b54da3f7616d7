// SPDX-License-Identifier: Apache-2.0
#include "perf/traffic/flow_choice.h"

#include <cmath>
#include <numeric>

namespace postern::perf {

FlowChoice::FlowChoice(uint32_t flows, double exponent, uint64_t seed) : flows_(flows), random_(seed) {
  if (exponent > 0) {
    balance(exponent);
    return;
  }
  // The golden ratio spreads any number of steps evenly; without a common divisor every flow is met.
  stride_ = static_cast<uint64_t>(static_cast<double>(flows) * 0.6180339887498949);
  while (stride_ == 0 || std::gcd(stride_, flows_) != 1) ++stride_;
  stride_ %= flows_;
  position_ = random_.below(flows);
}

void FlowChoice::balance(double exponent) {
  std::vector<double> weights(flows_);
  double sum = 0;
  for (uint64_t i = 0; i < flows_; ++i) sum += weights[i] = std::pow(static_cast<double>(i + 1), -exponent);
  for (double& weight : weights) weight *= static_cast<double>(flows_) / sum;

  alias_.resize(flows_);
  std::vector<uint32_t> small, large;
  for (uint32_t i = 0; i < flows_; ++i) (weights[i] < 1 ? small : large).push_back(i);
  while (!small.empty() && !large.empty()) {
    const uint32_t poor = small.back(), rich = large.back();
    small.pop_back();
    alias_[poor] = {static_cast<uint32_t>(weights[poor] * 0xffffffff), rich};
    weights[rich] -= 1 - weights[poor];
    if (weights[rich] >= 1) continue;
    large.pop_back();
    small.push_back(rich);
  }
}

}  // namespace postern::perf
