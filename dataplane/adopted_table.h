// SPDX-License-Identifier: Apache-2.0
// The sessions of one TLS core, found by the worker's flow and by the addresses of what the kernel sends.
// Entries stay where they are until they are erased. TLS core.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "dataplane/adopted_file.h"
#include "dataplane/clear_reader.h"
#include "dataplane/flow_key.h"
#include "dataplane/tls_link.h"
#include "tls/session.h"

namespace postern::dataplane {

// As in a packet: who sends it to whom.
struct PacketEnds {
  TcpEnd from, to;
  bool operator==(const PacketEnds& other) const noexcept {
    return from.address == other.from.address && to.address == other.to.address &&
           from.port == other.from.port && to.port == other.to.port;
  }
};

struct Adopted {
  TlsTag tag;
  AdoptionRequest request;
  std::shared_ptr<tls::ServerCredentials> credentials;  // that the session asks, whatever comes after
  UniqueFd client, server;
  std::unique_ptr<tls::Session> session;
  ClearReader* reader = nullptr;     // the session's
  std::array<EthernetHeader, 2> ethernet;  // by Direction, for frames that go that way
  Timestamp begun = 0, ended = 0;          // ended 0: not yet
  std::array<Timestamp, 2> asked{};        // by Direction, since when clear bytes wait; 0: none do
  bool opened = false, busy = false;
  uint32_t file_entry = AdoptedFile::kNone;

  PortIndex out(Direction d) const noexcept {
    return d == Direction::ToServer ? request.client_port.opposite() : request.client_port;
  }
  PacketEnds ends(Direction d) const noexcept {
    const TcpLeg& leg = d == Direction::ToServer ? request.to_server : request.to_client;
    return {leg.local, leg.remote};
  }
};

class AdoptedTable {
 public:
  struct Route {
    Adopted* adopted = nullptr;
    Direction direction{};
  };

  // Takes the place of an earlier one with the same addresses or the same flow.
  Adopted& add(std::unique_ptr<Adopted> adopted);
  void erase(Adopted& adopted);

  Adopted* find(const TlsTag& tag) noexcept;             // nullptr: none, or of an earlier flow
  Route route(const PacketEnds& ends) noexcept;          // of what the kernel sends
  bool owns_addresses(const Adopted& adopted) noexcept;  // no other session took them over
  size_t size() const noexcept { return by_flow_.size(); }
  std::vector<Adopted*> all();

 private:
  struct Hash {
    size_t operator()(const PacketEnds& ends) const noexcept;
  };
  static uint64_t key_of(const TlsTag& tag) noexcept { return uint64_t{tag.worker} << 32 | tag.flow; }

  std::unordered_map<uint64_t, std::unique_ptr<Adopted>> by_flow_;
  std::unordered_map<PacketEnds, Route, Hash> by_ends_;
};

}  // namespace postern::dataplane
