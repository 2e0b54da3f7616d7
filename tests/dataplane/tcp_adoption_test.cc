// SPDX-License-Identifier: Apache-2.0
#include "dataplane/tcp_adoption.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>

#include "dataplane/private_network.h"
#include "tests/dataplane/adopted_wire.h"

namespace postern::dataplane {
namespace {

constexpr uint16_t kPort = 443;
constexpr uint16_t kMtu = 1500;
constexpr size_t kMuch = 8 << 20;

IpAddress address(const char* text) { return *IpAddress::parse(text); }

struct Family {
  const char *client, *server;
};
constexpr Family kV4{"10.9.1.1", "10.9.2.2"}, kV6{"fd09::1", "fd09::2"};

std::vector<uint8_t> pattern(size_t size, uint8_t seed) {
  std::vector<uint8_t> bytes(size);
  uint32_t state = seed;
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

void write_all(int socket, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(put, 0);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
}

std::vector<uint8_t> read_to_end(int socket) {
  std::vector<uint8_t> all, part(65536);
  ssize_t got = 0;
  while ((got = ::recv(socket, part.data(), part.size(), 0)) > 0)
    all.insert(all.end(), part.begin(), part.begin() + got);
  return all;
}

sockaddr_in6 v6_address(const char* text) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(kPort);
  std::string mapped(text);
  if (mapped.find(':') == std::string::npos) mapped = "::ffff:" + mapped;
  inet_pton(AF_INET6, mapped.c_str(), &v6.sin6_addr);
  return v6;
}

// What both hosts got and saw.
struct Heard {
  std::vector<uint8_t> client, server;
  std::string peer_of_server;
  size_t longest_for_client = 0;
};

// An exchange both ways of `size` bytes through two adopted legs, whose sockets `middle` connects.
Heard exchange(const Family& family, size_t size, std::map<std::string, std::string> settings,
               const std::function<void(TcpLeg&)>& change = {}) {
  AdoptedWire wire({address(family.client), settings}, {address(family.server), std::move(settings)});
  Heard heard;
  std::atomic<bool> listening{false}, over{false};
  std::thread server = wire.on_server([&] {
    const UniqueFd listener(::socket(AF_INET6, SOCK_STREAM, 0));
    const sockaddr_in6 here = v6_address(family.server);
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    listening = true;
    sockaddr_in6 peer{};
    socklen_t length = sizeof peer;
    const UniqueFd socket(::accept(listener.get(), reinterpret_cast<sockaddr*>(&peer), &length));
    heard.peer_of_server = IpAddress::from_v6(peer.sin6_addr.s6_addr).text();
    heard.server = read_to_end(socket.get());
    write_all(socket.get(), pattern(size, 2));
  });
  std::thread client = wire.on_client([&] {
    while (!listening) std::this_thread::yield();
    const UniqueFd socket(::socket(AF_INET6, SOCK_STREAM, 0));
    const sockaddr_in6 there = v6_address(family.server);
    ASSERT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there), 0);
    write_all(socket.get(), pattern(size, 1));
    ::shutdown(socket.get(), SHUT_WR);
    heard.client = read_to_end(socket.get());
    over = true;
  });
  std::thread middle([&] {
    Result<UniqueFd> interface = enter_private_network(kMtu);
    ASSERT_TRUE(interface) << interface.error().text();
    ExceptionPort port(std::move(*interface));
    WatchedConnection seen = wire.watch();
    if (change) change(seen.to_client);
    const Result<UniqueFd> to_client = adopt(seen.to_client), to_server = adopt(seen.to_server);
    ASSERT_TRUE(to_client) << to_client.error().text();
    ASSERT_TRUE(to_server) << to_server.error().text();
    port.put(seen.first_data);
    port.flush();
    std::array<std::vector<uint8_t>, 2> waiting;
    std::array<bool, 2> ended{};
    const int sockets[2] = {to_client->get(), to_server->get()};
    while (!over) {
      wire.carry(port);
      for (size_t from : {0, 1}) {
        std::vector<uint8_t>& kept = waiting[from];
        if (kept.empty() && !ended[from]) {
          kept.resize(1 << 20);
          const ssize_t got = ::recv(sockets[from], kept.data(), kept.size(), 0);
          kept.resize(got > 0 ? static_cast<size_t>(got) : 0);
          if (got == 0) {
            ended[from] = true;
            ::shutdown(sockets[1 - from], SHUT_WR);
          }
        }
        const ssize_t put =
            kept.empty() ? 0 : ::send(sockets[1 - from], kept.data(), kept.size(), MSG_NOSIGNAL);
        if (put > 0) kept.erase(kept.begin(), kept.begin() + put);
      }
    }
    EXPECT_EQ(port.refused(), 0u);
    heard.longest_for_client = wire.longest_for_client();
    EXPECT_TRUE(size < kMuch || wire.segments_joined() > 0);
  });
  client.join();
  middle.join();
  server.join();
  return heard;
}

void expect_equal(const Heard& heard, size_t size, const Family& family) {
  EXPECT_TRUE(heard.server == pattern(size, 1)) << heard.server.size() << " bytes";
  EXPECT_TRUE(heard.client == pattern(size, 2)) << heard.client.size() << " bytes";
  EXPECT_EQ(heard.peer_of_server, family.client);
}

TEST(TcpAdoption, CarriesBothDirectionsOfAnAdoptedConnection) {
  const Heard heard = exchange(kV4, kMuch, {});
  expect_equal(heard, kMuch, kV4);
  EXPECT_EQ(heard.longest_for_client, kMtu);
}

TEST(TcpAdoption, CarriesIpv6) {
  const Heard heard = exchange(kV6, kMuch, {});
  expect_equal(heard, kMuch, kV6);
  EXPECT_EQ(heard.longest_for_client, kMtu);
}

TEST(TcpAdoption, CarriesAConnectionWithoutAnyOption) {
  const std::map<std::string, std::string> bare = {
      {"ipv4/tcp_timestamps", "0"}, {"ipv4/tcp_sack", "0"}, {"ipv4/tcp_window_scaling", "0"}};
  expect_equal(exchange(kV4, kMuch / 8, bare), kMuch / 8, kV4);
}

TEST(TcpAdoption, CarriesAConnectionWithTimestampsAlone) {
  const std::map<std::string, std::string> some = {{"ipv4/tcp_sack", "0"}, {"ipv4/tcp_window_scaling", "0"}};
  expect_equal(exchange(kV6, kMuch / 8, some), kMuch / 8, kV6);
}

TEST(TcpAdoption, NeverSendsMoreAtOnceThanThePeerTakes) {
  const Heard heard = exchange(kV4, kMuch / 8, {}, [](TcpLeg& leg) { leg.mss = 600; });
  expect_equal(heard, kMuch / 8, kV4);
  EXPECT_LE(heard.longest_for_client, 640u);
}

TEST(TcpAdoption, RefusesAConnectionThatIsAdoptedAlready) {
  std::thread([] {
    const Result<UniqueFd> interface = enter_private_network(kMtu);
    ASSERT_TRUE(interface) << interface.error().text();
    TcpLeg leg;
    leg.local = {address("10.9.1.1"), 443};
    leg.remote = {address("10.9.1.2"), 50000};
    leg.send_next = leg.receive_next = 1;
    leg.send_window = leg.receive_window = 65535;
    const Result<UniqueFd> first = adopt(leg);
    ASSERT_TRUE(first) << first.error().text();
    const Result<UniqueFd> second = adopt(leg);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().text().find("adoption: "), std::string::npos) << second.error().text();
  }).join();
}

}  // namespace
}  // namespace postern::dataplane
