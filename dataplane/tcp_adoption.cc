// SPDX-License-Identifier: Apache-2.0
#include "dataplane/tcp_adoption.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace postern::dataplane {
namespace {

struct SocketAddress {
  sockaddr_storage room{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&room); }
};

SocketAddress socket_address(const TcpEnd& end) {
  SocketAddress address;
  if (end.address.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.room);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(end.port);
    std::memcpy(&v4.sin_addr, &end.address.bytes[12], 4);
    address.size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address.room);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(end.port);
    std::memcpy(&v6.sin6_addr, end.address.bytes.data(), 16);
    address.size = sizeof v6;
  }
  return address;
}

// Carries the first refusal through the steps.
class Adoption {
 public:
  explicit Adoption(int family) : socket_(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    if (!socket_) note("socket");
  }
  template <typename T>
  void set(int level, int option, const T& value, const char* step) {
    set(level, option, &value, sizeof value, step);
  }
  void set(int level, int option, const void* value, size_t size, const char* step) {
    if (step_ != nullptr) return;
    if (::setsockopt(socket_.get(), level, option, value, static_cast<socklen_t>(size)) < 0) note(step);
  }
  template <typename Call>
  void address(Call call, const TcpEnd& end, const char* step) {
    if (step_ != nullptr) return;
    const SocketAddress to = socket_address(end);
    if (call(socket_.get(), to.get(), to.size) < 0) note(step);
  }
  void queue(int which, uint32_t next) {
    set(IPPROTO_TCP, TCP_REPAIR_QUEUE, which, "TCP_REPAIR_QUEUE");
    set(IPPROTO_TCP, TCP_QUEUE_SEQ, next, "TCP_QUEUE_SEQ");
  }
  Result<UniqueFd> finished() {
    if (step_ == nullptr) return std::move(socket_);
    return Error{std::string("adoption: ") + step_ + ": " + std::strerror(error_)};
  }

 private:
  void note(const char* step) {
    step_ = step;
    error_ = errno;
  }

  UniqueFd socket_;
  const char* step_ = nullptr;
  int error_ = 0;
};

void set_options(Adoption& adoption, const TcpLeg& leg) {
  constexpr uint32_t kMss = 2, kWindowScale = 3, kSackPermitted = 4, kTimestamps = 8;
  tcp_repair_opt options[4];
  size_t count = 0;
  options[count++] = {kMss, leg.mss};
  // Always: without it the kernel would go on with a scale of its own choice.
  options[count++] = {kWindowScale, leg.remote_scale | uint32_t{leg.local_scale} << 16};
  if (leg.sack) options[count++] = {kSackPermitted, 0};
  if (leg.clock) options[count++] = {kTimestamps, 0};
  adoption.set(IPPROTO_TCP, TCP_REPAIR_OPTIONS, options, count * sizeof options[0], "TCP_REPAIR_OPTIONS");
  if (leg.clock) adoption.set(IPPROTO_TCP, TCP_TIMESTAMP, *leg.clock, "TCP_TIMESTAMP");
}

// Without it the first write waits for a window update that never comes.
void set_windows(Adoption& adoption, const TcpLeg& leg) {
  tcp_repair_window window{};
  window.snd_wl1 = leg.receive_next;
  window.snd_wnd = window.max_window = leg.send_window;
  window.rcv_wnd = leg.receive_window;
  window.rcv_wup = leg.receive_next;
  adoption.set(IPPROTO_TCP, TCP_REPAIR_WINDOW, window, "TCP_REPAIR_WINDOW");
}

}  // namespace

Result<UniqueFd> adopt(const TcpLeg& leg) {
  constexpr int kOn = 1;
  const bool v4 = leg.local.address.is_v4();
  Adoption adoption(v4 ? AF_INET : AF_INET6);
  adoption.set(v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, kOn, "IP_TRANSPARENT");
  adoption.set(SOL_SOCKET, SO_REUSEADDR, kOn, "SO_REUSEADDR");
  adoption.set(IPPROTO_TCP, TCP_REPAIR, int{TCP_REPAIR_ON}, "TCP_REPAIR");
  adoption.queue(TCP_SEND_QUEUE, leg.send_next);
  adoption.queue(TCP_RECV_QUEUE, leg.receive_next);
  // The size of segments is settled by connect; what TCP_REPAIR_OPTIONS says of it later is a bound only.
  adoption.set(IPPROTO_TCP, TCP_MAXSEG, int{leg.mss}, "TCP_MAXSEG");
  adoption.address(::bind, leg.local, "bind");
  adoption.address(::connect, leg.remote, "connect");  // in repair mode: sends nothing
  set_options(adoption, leg);
  set_windows(adoption, leg);
  adoption.set(IPPROTO_TCP, TCP_NODELAY, kOn, "TCP_NODELAY");
  adoption.set(IPPROTO_TCP, TCP_REPAIR, int{TCP_REPAIR_OFF_NO_WP}, "TCP_REPAIR");
  return adoption.finished();
}

void reset_on_close(int socket) noexcept {
  const linger at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace postern::dataplane
