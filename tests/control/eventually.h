// SPDX-License-Identifier: Apache-2.0
// Waits for another thread without guessing how long it needs: looks again until it holds or a minute has
// gone.
#pragma once

#include <chrono>
#include <thread>

namespace postern::control {

template <typename Condition>
bool eventually(Condition condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace postern::control
