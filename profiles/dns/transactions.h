// SPDX-License-Identifier: Apache-2.0
// Queries that wait for their answers: an answer belongs to a query by addresses, ports, id and question, or
// it is not let in. Fixed size; where it is full, the oldest query of the client that has most in the same
// place gives way, and its answer will be unsolicited. One worker.
#pragma once

#include <span>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "profiles/dns/message.h"

namespace postern::profiles::dns {

// Who asks whom.
struct Exchange {
  IpAddress client, server;
  uint16_t client_port = 0, server_port = 0;
  Transport transport = Transport::Udp;
};

enum class Match : uint8_t {
  Expected,
  Unsolicited,    // no such query waits
  WrongQuestion,  // the id is of a query for something else
};

class Transactions {
 public:
  // Places are rounded up to a power of two.
  Transactions(size_t places, uint64_t seed);

  void ask(const Exchange& exchange, const Message& query, Timestamp now) noexcept;
  Match answer(const Exchange& exchange, const Message& answer, Timestamp now) noexcept;

  uint64_t given_way() const noexcept { return given_way_; }  // queries that were forgotten for others
  size_t memory() const noexcept { return entries_.size() * sizeof(Entry); }

  static constexpr Timestamp kLifetime = 30 * kSecond;  // longer than resolvers wait

 private:
  static constexpr size_t kWays = 8;
  struct Entry {
    Timestamp asked = 0;         // 0: free
    uint64_t key = 0;            // of addresses, ports, transport and id
    uint64_t question = 0;       // of name, type and class
    uint32_t client = 0;         // hash
    uint16_t waiting = 0;        // a repeated query has as many answers
    bool many_messages = false;  // a zone transfer
  };
  struct Keys {
    uint64_t key;
    uint32_t client;
  };
  Keys keys_of(const Exchange& exchange, uint16_t id) const noexcept;
  uint64_t question_of(const Message& message) const noexcept;
  std::span<Entry> places_of(uint64_t key) noexcept;
  Entry& place_for(std::span<Entry> places, Timestamp now) noexcept;

  std::vector<Entry> entries_;
  uint64_t seed_;
  uint64_t given_way_ = 0;
};

}  // namespace postern::profiles::dns
