// SPDX-License-Identifier: Apache-2.0
// Flows that a server will open back to its client from a port nobody can know before, as TFTP does (RFC 1350
// section 4). Both flows join the same two hosts, so one worker sees them. Fixed size, newest wins its place;
// a lost entry means a dropped answer. One worker.
#pragma once

#include <array>
#include <memory>

#include "base/time.h"
#include "dataplane/flow_key.h"

namespace postern::dataplane {

struct Expectation {
  IpAddress client, server;
  uint16_t client_port = 0, server_port = 0;  // the port that was asked
  uint16_t vlan = 0;                          // as the wire's first side writes it
  uint8_t wire = 0;
  AppId application;
  Timestamp until = 0;
};

class ExpectationTable {
 public:
  static constexpr Timestamp kLifetime = 15 * kSecond;  // clients ask again after 1 to 5 s

  void remember(const Expectation& expected) noexcept {
    (*entries_)[place(expected.client, expected.client_port, expected.server)] = expected;
    any_ = true;
  }
  // What a new flow from `server` to the client's port may be; nullptr: nothing is expected.
  const Expectation* find(const Expectation& flow, Timestamp now) const noexcept {
    if (!any_) return nullptr;
    const Expectation& entry = (*entries_)[place(flow.client, flow.client_port, flow.server)];
    const bool same = entry.client == flow.client && entry.server == flow.server &&
                      entry.client_port == flow.client_port && entry.vlan == flow.vlan &&
                      entry.wire == flow.wire;
    return same && now < entry.until ? &entry : nullptr;
  }

 private:
  static constexpr size_t kEntries = 1024;
  static size_t place(const IpAddress& client, uint16_t client_port, const IpAddress& server) noexcept {
    FlowKey key;
    key.address[0] = client;
    key.address[1] = server;
    key.port[0] = client_port;
    return hash_of(key, 0) % kEntries;
  }

  std::unique_ptr<std::array<Expectation, kEntries>> entries_ =
      std::make_unique<std::array<Expectation, kEntries>>();
  bool any_ = false;
};

}  // namespace postern::dataplane
