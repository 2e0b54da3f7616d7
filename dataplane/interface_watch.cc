// SPDX-License-Identifier: Apache-2.0
#include "dataplane/interface_watch.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace postern::dataplane {
namespace {

ifreq request_for(const std::string& interface) noexcept {
  ifreq request{};
  std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  return request;
}

}  // namespace

InterfaceWatch::InterfaceWatch() : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

InterfaceWatch::~InterfaceWatch() {
  if (socket_ >= 0) close(socket_);
}

InterfaceWatch::Channels InterfaceWatch::channels(const std::string& interface) const noexcept {
  ethtool_channels counts{};
  counts.cmd = ETHTOOL_GCHANNELS;
  ifreq request = request_for(interface);
  request.ifr_data = reinterpret_cast<char*>(&counts);
  if (ioctl(socket_, SIOCETHTOOL, &request) != 0) return {};
  // A driver without combined channels (veth) counts each direction for itself.
  const unsigned combined = counts.max_combined > 0 ? std::max(counts.combined_count, 1u) : 1u;
  return {std::max(combined, counts.rx_count), combined};
}

InterfaceState InterfaceWatch::state(const std::string& interface) const noexcept {
  InterfaceState state;
  ifreq request = request_for(interface);
  if (ioctl(socket_, SIOCGIFINDEX, &request) != 0) return state;
  state.index = request.ifr_ifindex;
  request = request_for(interface);
  if (ioctl(socket_, SIOCGIFFLAGS, &request) != 0) return {};
  state.administrative_up = (request.ifr_flags & IFF_UP) != 0;
  state.carrier = (request.ifr_flags & IFF_RUNNING) != 0;
  return state;
}

bool InterfaceWatch::change_flags(const std::string& interface, int set, int clear) const noexcept {
  ifreq request = request_for(interface);
  if (ioctl(socket_, SIOCGIFFLAGS, &request) != 0) return false;
  request.ifr_flags = static_cast<short>((request.ifr_flags | set) & ~clear);
  return ioctl(socket_, SIOCSIFFLAGS, &request) == 0;
}

bool InterfaceWatch::bring_up(const std::string& interface) const noexcept {
  return change_flags(interface, IFF_UP, 0);
}
bool InterfaceWatch::take_down(const std::string& interface) const noexcept {
  return change_flags(interface, 0, IFF_UP);
}

bool InterfaceWatch::raise_mtu(const std::string& interface, int mtu) const noexcept {
  ifreq request = request_for(interface);
  if (ioctl(socket_, SIOCGIFMTU, &request) != 0) return false;
  if (request.ifr_mtu >= mtu) return true;
  request.ifr_mtu = mtu;
  return ioctl(socket_, SIOCSIFMTU, &request) == 0;
}

}  // namespace postern::dataplane
