// SPDX-License-Identifier: Apache-2.0
// Asks the kernel about an interface: is it there, is it the same one as before, does it have a carrier. Also
// takes it down and up, which is how a lost link is passed on to the other side. Control thread; works in the
// network namespace the socket was made in.
#pragma once

#include <string>

namespace postern::dataplane {

struct InterfaceState {
  int index = 0;  // 0: no such interface
  bool administrative_up = false;
  bool carrier = false;  // meaningful while administratively up
};

class InterfaceWatch {
 public:
  InterfaceWatch();
  ~InterfaceWatch();
  InterfaceWatch(const InterfaceWatch&) = delete;
  InterfaceWatch& operator=(const InterfaceWatch&) = delete;

  // Queues the interface receives on, and how many of them serve sending too; 1 and 1 when it does not say.
  struct Channels {
    unsigned receive = 1, combined = 1;
  };
  Channels channels(const std::string& interface) const noexcept;

  InterfaceState state(const std::string& interface) const noexcept;
  // False when the kernel refuses (no CAP_NET_ADMIN, interface gone).
  bool bring_up(const std::string& interface) const noexcept;
  bool take_down(const std::string& interface) const noexcept;
  // Raises the interface's MTU to at least this; never lowers it.
  bool raise_mtu(const std::string& interface, int mtu) const noexcept;

 private:
  bool change_flags(const std::string& interface, int set, int clear) const noexcept;
  int socket_;
};

}  // namespace postern::dataplane
