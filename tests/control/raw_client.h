// SPDX-License-Identifier: Apache-2.0
// A client of the control socket that may misbehave. Never waits longer than a minute.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <string>

#include "control/unix_socket.h"

namespace postern::control {

class RawClient {
 public:
  explicit RawClient(const std::string& path) : fd_(unix_stream(SOCK_NONBLOCK)) {
    connected_ = connect_unix(fd_.get(), *unix_address(path)) == 0;
  }

  bool connected() const { return connected_; }
  // As much as the socket takes now; returns how much.
  size_t send(std::string_view text) {
    const ssize_t count = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return count < 0 ? 0 : static_cast<size_t>(count);
  }
  void end_of_requests() { ::shutdown(fd_.get(), SHUT_WR); }
  // What is there now; notices the end.
  void receive() {
    char piece[64 << 10];
    for (;;) {
      const ssize_t count = ::recv(fd_.get(), piece, sizeof piece, 0);
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) {
        closed_ = true;
        return;
      }
      received_.append(piece, static_cast<size_t>(count));
    }
  }
  const std::string& received() const { return received_; }
  void forget() { received_.clear(); }
  bool closed() const { return closed_; }
  bool has_line() const { return received_.find('\n') != std::string::npos; }

 private:
  UniqueFd fd_;
  bool connected_ = false, closed_ = false;
  std::string received_;
};

}  // namespace postern::control
