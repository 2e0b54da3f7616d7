// SPDX-License-Identifier: Apache-2.0
// Finds clients that try names an algorithm made: many registered domains that look made by chance, most of
// which do not exist. Only names that look so are then stopped. Sums have a half-life of five minutes. Fixed
// size; the client longest unseen gives way. One worker.
#pragma once

#include <array>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "profiles/dns/message.h"

namespace postern::profiles::dns {

struct GeneratedThresholds {
  uint8_t shortest = 7;        // bytes of the label; shorter ones say too little
  float surprise = 5.0f;       // bits per byte
  float missing = 8;           // such domains that do not exist
  float missing_ratio = 0.7f;  // of such domains that were answered
  Timestamp hold = 600 * kSecond;
};

class GeneratedNames {
 public:
  GeneratedNames(size_t places, uint64_t seed);

  // `domain`: the label before the public suffix. True: one of a client that tries generated names.
  bool query(const IpAddress& client, Bytes domain, const GeneratedThresholds& limits,
             Timestamp now) noexcept;
  void answer(const IpAddress& client, Bytes domain, uint8_t rcode, const GeneratedThresholds& limits,
              Timestamp now) noexcept;

  static bool looks_generated(Bytes domain, const GeneratedThresholds& limits) noexcept;
  size_t memory() const noexcept { return entries_.size() * sizeof(Entry); }

  static constexpr Timestamp kHalfLife = 300 * kSecond;

 private:
  static constexpr size_t kWays = 8, kRemembered = 16;
  struct Entry {
    IpAddress client;
    Timestamp last = 0;  // 0: free
    Timestamp held_until = 0;
    float missing = 0, existing = 0;
    std::array<uint32_t, kRemembered> domains{};  // the last ones, so that each counts once
    uint8_t next = 0;
  };
  Entry* find(const IpAddress& client) noexcept;
  Entry& find_or_take(const IpAddress& client) noexcept;
  size_t place_of(const IpAddress& client) const noexcept;

  std::vector<Entry> entries_;
  uint64_t seed_;
};

}  // namespace postern::profiles::dns
