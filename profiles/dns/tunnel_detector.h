// SPDX-License-Identifier: Apache-2.0
// Finds data carried in names and answers: per client and registered domain, sums with a half-life of 30 s
// of queries, names never seen, encodings, bytes up and down, and types that carry much. docs/dns.md says how
// the thresholds were tuned. Fixed size; where it is full, what is longest unused of the client with most
// places gives way. One worker.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "profiles/dns/message.h"
#include "profiles/dns/name_shape.h"

namespace postern::profiles::dns {

// Sums over what one client asks of one domain; at a steady rate 43 times what comes per second.
struct TunnelThresholds {
  // An encoding: not what people or programs call things.
  float entropy = 2.8f, surprise = 5.2f;
  float new_ratio = 0.6f;          // names never seen, of all
  float encoded_ratio = 0.6f;      // encodings, of the bytes of names never seen
  float rare_types = 6;            // NULL and private types, for which nobody else asks
  float mixed_types = 8;           // encodings asked for by two or more of TXT, CNAME, MX and SRV
  float carrier_bytes = 2500;      // up or down, by TXT, CNAME, MX or SRV
  float any_bytes = 4000;          // up, by whatever type, in names of 40 bytes and more
  float long_names = 16;           // encodings of 90 bytes and more
  Timestamp hold = 600 * kSecond;  // a tunnel stays named so after its last query
};

class TunnelDetector {
 public:
  TunnelDetector(size_t places, uint64_t seed);

  // A query for a name below a registered domain, of which `skipped` labels are below it. True: a tunnel.
  bool query(const IpAddress& client, const Message& query, uint8_t skipped, const TunnelThresholds& limits,
             Timestamp now) noexcept;
  bool answer(const IpAddress& client, const Message& answer, uint8_t skipped, const TunnelThresholds& limits,
              Timestamp now) noexcept;

  uint64_t given_way() const noexcept { return given_way_; }
  size_t memory() const noexcept { return entries_.size() * sizeof(Entry); }

  static constexpr Timestamp kHalfLife = 30 * kSecond;

 private:
  static constexpr size_t kWays = 8;
  struct Sums {
    float queries = 0, fresh = 0, encoded_bytes = 0, encoded_long = 0, rare = 0, up = 0, up_carriers = 0,
          down_carriers = 0, length = 0;
    std::array<float, 4> carriers{};  // encodings by type
    void decay(float left) noexcept;
    bool is_tunnel(const TunnelThresholds& limits) const noexcept;
  };
  // Which names were seen: bits by hash. When it is half full, or a minute old, it starts anew.
  struct Seen {
    std::array<uint64_t, 8> bits{};
    uint16_t count = 0;
    Timestamp since = 0;
    bool add(uint64_t hash, Timestamp now) noexcept;  // true: never seen
  };
  struct Entry {
    uint64_t key = 0;
    uint32_t client = 0;
    Timestamp last = 0;  // 0: free
    Timestamp held_until = 0;
    Sums sums;
    Seen seen;
  };
  struct Keys {
    uint64_t key;
    uint32_t client;
  };
  Keys keys_of(const IpAddress& client, Bytes domain) const noexcept;
  Entry* find(const Keys& keys) noexcept;
  Entry& find_or_take(const Keys& keys, Timestamp now) noexcept;
  static bool judge(Entry& entry, const TunnelThresholds& limits, Timestamp now) noexcept;

  std::vector<Entry> entries_;
  uint64_t seed_;
  uint64_t given_way_ = 0;
};

}  // namespace postern::profiles::dns
