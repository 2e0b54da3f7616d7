// SPDX-License-Identifier: Apache-2.0
// `dig` asks a server on the loopback that answers everything with the sinkhole: over UDP and TCP, with and
// without EDNS and cookies it finds nothing to complain about.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>

#include "base/unique_fd.h"
#include "profiles/dns/forged_answer.h"

namespace postern::profiles::dns {
namespace {

class SinkholeServer {
 public:
  SinkholeServer() : udp_(bound(SOCK_DGRAM, 0)), tcp_(bound(SOCK_STREAM, port())) {
    EXPECT_EQ(::listen(tcp_.get(), 8), 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~SinkholeServer() {
    ends_ = true;
    thread_.join();
  }
  uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(udp_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
  }

 private:
  static UniqueFd bound(int type, uint16_t port) {
    UniqueFd socket(::socket(AF_INET, type, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return socket;
  }
  size_t answer(Bytes query, Transport transport) {
    const Message message = read_message(query, classify::DnsRole::Query);
    EXPECT_EQ(message.fault, Fault::None);
    return forge_answer(message, {Reply::Sinkhole, Sinkhole::documentation(), nullptr}, transport, room_);
  }
  void serve() {
    std::array<uint8_t, 4096> bytes;
    while (!ends_) {
      pollfd ready[2] = {{udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}};
      if (::poll(ready, 2, 20) <= 0) continue;
      if (ready[0].revents) {
        sockaddr_in client{};
        socklen_t size = sizeof client;
        auto* from = reinterpret_cast<sockaddr*>(&client);
        const ssize_t got = ::recvfrom(udp_.get(), bytes.data(), bytes.size(), 0, from, &size);
        const size_t made = answer(Bytes(bytes).first(static_cast<size_t>(got)), Transport::Udp);
        ::sendto(udp_.get(), room_.data(), made, 0, from, size);
      }
      if (ready[1].revents) serve_connection(UniqueFd(::accept(tcp_.get(), nullptr, nullptr)));
    }
  }
  // All queries of a connection, pipelined or not, until the client ends it.
  void serve_connection(UniqueFd socket) {
    std::string waiting;
    std::array<char, 4096> bytes;
    for (ssize_t got = ::recv(socket.get(), bytes.data(), bytes.size(), 0); got > 0;
         got = ::recv(socket.get(), bytes.data(), bytes.size(), 0)) {
      waiting.append(bytes.data(), static_cast<size_t>(got));
      for (Frame frame = next_frame(as_bytes(waiting)); frame.fault == Fault::None;
           frame = next_frame(as_bytes(waiting))) {
        const size_t made = answer(frame.message, Transport::Tcp);
        ::send(socket.get(), room_.data(), made, MSG_NOSIGNAL);
        waiting.erase(0, frame.size);
      }
    }
  }

  UniqueFd udp_, tcp_;
  std::array<uint8_t, kForgedRoom> room_;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

std::string dig(uint16_t port, const std::string& words) {
  const std::string command =
      "dig @127.0.0.1 -p " + std::to_string(port) + " +tries=1 +time=5 " + words + " 2>&1";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string out;
  std::array<char, 4096> bytes;
  for (size_t got = std::fread(bytes.data(), 1, bytes.size(), pipe.get()); got > 0;
       got = std::fread(bytes.data(), 1, bytes.size(), pipe.get()))
    out.append(bytes.data(), got);
  return out;
}

TEST(Dig, GetsTheSinkholeInEveryWayItAsks) {
  const SinkholeServer server;
  for (const char* words :
       {"+noedns", "+edns=0 +nocookie", "+cookie", "+tcp +noedns", "+tcp +cookie", "+dnssec",
        "+cookie=0123456789abcdef0123456789abcdef01234567", "+noedns +cdflag"}) {
    const std::string out = dig(server.port(), std::string(words) + " BaD.example A bad.example AAAA");
    EXPECT_NE(out.find("BaD.example.\t\t10\tIN\tA\t198.51.100.53"), std::string::npos) << words << "\n"
                                                                                       << out;
    EXPECT_NE(out.find("2001:db8::53"), std::string::npos) << words << "\n" << out;
    for (const char* complaint :
         {"WARNING", "Warning", "mismatch", "malformed", "BADVERS", "FORMERR", "bad cookie"})
      EXPECT_EQ(out.find(complaint), std::string::npos) << words << "\n" << out;
  }
}

TEST(Dig, FallsBackFromAnUnknownVersionOfEdns) {
  const SinkholeServer server;
  const std::string out = dig(server.port(), "+edns=7 +ednsnegotiation bad.example A");
  EXPECT_NE(out.find("BADVERS"), std::string::npos) << out;
  EXPECT_NE(out.find("198.51.100.53"), std::string::npos) << out;
}

}  // namespace
}  // namespace postern::profiles::dns
