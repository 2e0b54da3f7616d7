// SPDX-License-Identifier: Apache-2.0
#include "tests/dataplane/adopted_wire.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "dataplane/netlink.h"
#include "dataplane/tcp_flags.h"
#include "dataplane/tcp_options.h"

namespace postern::dataplane {
namespace {

void require(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::abort();
}

void shell(const std::string& command) { require(std::system(command.c_str()) == 0, command.c_str()); }

TcpLeg& toward(WatchedConnection& connection, bool client) {
  return client ? connection.to_client : connection.to_server;
}

}  // namespace

AdoptedWire::AdoptedWire(const HostSetup& client, const HostSetup& server)
    : client_(make(client)), server_(make(server)) {}

AdoptedWire::~AdoptedWire() = default;

AdoptedWire::Host AdoptedWire::make(const HostSetup& setup) {
  Host host;
  host.address = setup.address;
  std::thread maker([&] {
    require(::unshare(CLONE_NEWNET) == 0, "unshare");
    host.space = UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    host.interface = UniqueFd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    ifreq request{};
    std::strcpy(request.ifr_name, "wire");
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    require(::ioctl(host.interface.get(), TUNSETIFF, &request) == 0, "TUNSETIFF");
    const std::string v6 = setup.address.is_v4() ? "" : "-6 ";
    shell("ip link set wire up; ip " + v6 + "addr add " + setup.address.text() +
          (setup.address.is_v4() ? "" : " nodad") + " dev wire; ip " + v6 + "route add default dev wire");
    for (const auto& [name, value] : setup.settings) std::ofstream("/proc/sys/net/" + name) << value;
  });
  maker.join();
  return host;
}

void AdoptedWire::enter(const Host& host) { require(::setns(host.space.get(), CLONE_NEWNET) == 0, "setns"); }

std::optional<std::vector<uint8_t>> AdoptedWire::read(const Host& host) {
  std::vector<uint8_t> packet(65536);
  const ssize_t got = ::read(host.interface.get(), packet.data(), packet.size());
  if (got <= 0) return std::nullopt;
  packet.resize(static_cast<size_t>(got));
  return packet;
}

// The sender's leg is the one that speaks to it.
void AdoptedWire::note(WatchedConnection& connection, Bytes packet, bool from_client) {
  const auto place = find_tcp(packet);
  if (!place) return;
  TcpLeg& to_sender = toward(connection, from_client);
  TcpLeg& to_other = toward(connection, !from_client);
  const Bytes segment = packet.subspan(place->tcp);
  const TcpOptions options = read_tcp_options(segment.subspan(20, place->payload - place->tcp - 20u));
  const bool syn = (segment[13] & kSyn) != 0;
  to_sender.remote.port = to_other.local.port = load_be16(&segment[0]);
  if (syn) {
    to_sender.mss = options.mss;
    to_sender.sack = options.sack;
    to_sender.remote_scale = to_other.local_scale = options.scale == kNoScale ? 0 : options.scale;
  }
  to_sender.receive_next = to_other.send_next = load_be32(&segment[4]) + (syn ? 1 : 0);
  const uint32_t window = load_be16(&segment[14]) << (syn ? 0 : to_sender.remote_scale);
  to_sender.send_window = to_other.receive_window = window;
  if (options.timestamp) to_other.clock = *options.timestamp + 1;
}

WatchedConnection AdoptedWire::watch() {
  WatchedConnection connection;
  connection.to_client.remote.address = connection.to_server.local.address = client_.address;
  connection.to_client.local.address = connection.to_server.remote.address = server_.address;
  for (;;) {
    pollfd ready[] = {{client_.interface.get(), POLLIN, 0}, {server_.interface.get(), POLLIN, 0}};
    require(::poll(ready, 2, 10'000) > 0, "nothing came to the wire");
    while (const auto packet = read(server_)) {
      note(connection, *packet, false);
      require(::write(client_.interface.get(), packet->data(), packet->size()) > 0, "to the client");
    }
    while (auto packet = read(client_)) {
      const auto place = find_tcp(*packet);
      note(connection, *packet, true);
      if (place && place->payload < packet->size()) {
        const bool sack = connection.to_client.sack && connection.to_server.sack;
        connection.to_client.sack = connection.to_server.sack = sack;
        connection.first_data = std::move(*packet);
        return connection;
      }
      require(::write(server_.interface.get(), packet->data(), packet->size()) > 0, "to the server");
    }
  }
}

void AdoptedWire::carry(ExceptionPort& port) {
  std::vector<std::vector<uint8_t>> packets;
  for (Host* host : {&client_, &server_})
    while (auto packet = read(*host)) packets.push_back(std::move(*packet));
  for (const auto& packet : packets) port.put(packet);
  port.flush();
  while (const auto outgoing = port.take()) {
    const auto place = find_tcp(outgoing->packet);
    if (!place) continue;
    const bool v4 = outgoing->packet[0] >> 4 == 4;
    const IpAddress to =
        v4 ? IpAddress::from_v4(&outgoing->packet[16]) : IpAddress::from_v6(&outgoing->packet[24]);
    joined_ += outgoing->segment_size != 0;
    const Host& host = to == client_.address ? client_ : server_;
    FrameCutter cutter(*outgoing, *place, {});
    while (!cutter.done()) {
      std::vector<uint8_t> packet(cutter.next_size());
      cutter.write_next(packet.data());
      if (to == client_.address) longest_for_client_ = std::max(longest_for_client_, packet.size());
      require(::write(host.interface.get(), packet.data(), packet.size()) > 0, "to a host");
    }
  }
}

}  // namespace postern::dataplane
