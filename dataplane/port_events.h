// SPDX-License-Identifier: Apache-2.0
// The kernel sockets behind a port, so that an idle worker can wait for frames instead of looking for them.
// DPDK's drivers for kernel interfaces do not name theirs. Finding: control thread; waiting: a worker.
#pragma once

#include <poll.h>

#include <array>
#include <vector>

namespace postern::dataplane {

// AF_PACKET and AF_XDP sockets of this process, ascending.
std::vector<int> packet_sockets();

// Sockets to wait on. Full: what is beyond is not waited for, so `complete` is false.
class PortEvents {
 public:
  static constexpr unsigned kMost = 64;

  void clear() noexcept { count_ = 0, complete_ = true; }
  // A port without sockets cannot be waited for.
  void add(const std::vector<int>& sockets) noexcept;
  bool complete() const noexcept { return complete_ && count_ > 0; }
  // Until a frame is there or the time is over. False when a socket has an error: its interface is down, and
  // waiting on it would return at once for ever.
  bool wait(int milliseconds) noexcept;

 private:
  std::array<pollfd, kMost> sockets_;
  unsigned count_ = 0;
  bool complete_ = true;
};

}  // namespace postern::dataplane
