// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port_events.h"

#include <dirent.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

namespace postern::dataplane {

std::vector<int> packet_sockets() {
  std::vector<int> found;
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return found;
  while (const dirent* entry = readdir(folder)) {
    const int fd = std::atoi(entry->d_name);
    int domain = 0;
    socklen_t size = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) continue;
    if (domain == AF_PACKET || domain == AF_XDP) found.push_back(fd);
  }
  closedir(folder);
  std::sort(found.begin(), found.end());
  return found;
}

void PortEvents::add(const std::vector<int>& sockets) noexcept {
  if (sockets.empty() || count_ + sockets.size() > kMost) {
    complete_ = false;
    return;
  }
  for (const int socket : sockets) sockets_[count_++] = {.fd = socket, .events = POLLIN, .revents = 0};
}

bool PortEvents::wait(int milliseconds) noexcept {
  if (::poll(sockets_.data(), count_, milliseconds) <= 0) return true;
  return std::none_of(sockets_.begin(), sockets_.begin() + count_, [](const pollfd& socket) {
    return (socket.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
  });
}

}  // namespace postern::dataplane
