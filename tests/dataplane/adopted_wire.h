// SPDX-License-Identifier: Apache-2.0
// Two real TCP hosts, each in a network namespace of its own with one TUN interface, and a wire between them
// that the test plays: it relays IP packets until it has seen the handshake and the first data, and then
// hands all of them to an ExceptionPort. Needs root. One thread per host, the test's own is the wire.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/exception_port.h"
#include "dataplane/tcp_adoption.h"

namespace postern::dataplane {

struct HostSetup {
  IpAddress address;
  std::map<std::string, std::string> settings;  // below /proc/sys/net
};

// What both legs of a connection need, found by watching its handshake.
struct WatchedConnection {
  TcpLeg to_client, to_server;
  std::vector<uint8_t> first_data;  // the client's first segment with data, an IP packet
};

class AdoptedWire {
 public:
  AdoptedWire(const HostSetup& client, const HostSetup& server);
  ~AdoptedWire();

  // Sockets made by `work` belong to the host's namespace.
  template <typename Work>
  std::thread on_client(Work work) {
    return on(client_, std::move(work));
  }
  template <typename Work>
  std::thread on_server(Work work) {
    return on(server_, std::move(work));
  }

  // Relays until the client's first data is there, which stays with the wire.
  WatchedConnection watch();

  // From now on packets of both hosts go into the private network, and what it sends to them.
  void carry(ExceptionPort& port);
  size_t segments_joined() const { return joined_; }
  size_t longest_for_client() const { return longest_for_client_; }  // IP packet, bytes

 private:
  struct Host {
    UniqueFd space;  // its namespace
    UniqueFd interface;
    IpAddress address;
  };
  static Host make(const HostSetup& setup);
  static void enter(const Host& host);
  template <typename Work>
  std::thread on(const Host& host, Work work) {
    return std::thread([&host, work = std::move(work)] {
      enter(host);
      work();
    });
  }
  static std::optional<std::vector<uint8_t>> read(const Host& host);
  static void note(WatchedConnection& connection, Bytes packet, bool from_client);

  Host client_, server_;
  size_t joined_ = 0, longest_for_client_ = 0;
};

}  // namespace postern::dataplane
