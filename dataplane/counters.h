// SPDX-License-Identifier: Apache-2.0
// What a worker counts. Written by that worker alone; others read single values and may see them a moment
// old, except through Worker's snapshot, which is exact: received + forged = sent + sum(dropped) + terminated
// + held.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/decrypt_reason.h"
#include "base/ids.h"
#include "base/verdict.h"

namespace postern::dataplane {

// One writer, many readers: a plain increment that other threads may look at.
class Counter {
 public:
  void add(uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct PortCounters {
  Counter received_packets, received_bytes, sent_packets, sent_bytes;
};

struct RuleCounters {
  Counter flows, packets, bytes;
};

struct Counters {
  static constexpr size_t kRules = 1 << 17;  // rules with a higher id are not counted; `show rules` says so
  static constexpr size_t kPorts = 128;

  std::array<Counter, kDropReasons> dropped;
  std::array<Counter, kDecryptReasons>
      not_decrypted;  // TLS flows that rules want decrypted and no TLS core got
  std::array<PortCounters, kPorts> ports;
  std::vector<RuleCounters> rules = std::vector<RuleCounters>(kRules);
  Counter received, sent;
  Counter terminated, forged;  // packets that TLS cores took, and that they made
  Counter flows_created, flows_ended, half_open_evicted, log_records_lost, handed_off;
  Counter flows_unrecorded;  // refused by the policy without a record

  void drop(DropReason reason, uint64_t packets = 1) noexcept {
    dropped[static_cast<size_t>(reason)].add(packets);
  }
};

}  // namespace postern::dataplane
