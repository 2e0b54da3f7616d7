// SPDX-License-Identifier: Apache-2.0
// Questions sent to multicast groups (SLP, mDNS), so that the unicast answers of hosts nobody named can be
// tied to them. Each worker writes its own table and reads everybody's: an answer has other addresses than
// the question and may belong to another worker. Fixed size, newest wins its place; a lost entry means a
// dropped answer.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "base/address.h"
#include "base/time.h"

namespace postern::dataplane {

struct Question {
  IpAddress client;
  uint16_t client_port = 0, server_port = 0;
  uint16_t vlan = 0;  // as the wire's first side writes it
  uint8_t protocol = 0, wire = 0;
  bool operator==(const Question&) const = default;
};

class QuestionTable {
 public:
  void remember(const Question& question, Timestamp now) noexcept;
  bool asked(const Question& question, Timestamp now) const noexcept;

 private:
  static constexpr size_t kEntries = 4096;
  static constexpr Timestamp kLifetime = 15 * kSecond;  // CONFIG_MC_MAX of RFC 2608

  // Guarded by `version`: odd while the owner writes. Words are atomic so that a torn read is only ever a
  // miss.
  struct Entry {
    std::atomic<uint32_t> version{0};
    std::atomic<uint64_t> words[5]{};
  };
  std::unique_ptr<std::array<Entry, kEntries>> entries_ = std::make_unique<std::array<Entry, kEntries>>();
};

}  // namespace postern::dataplane
