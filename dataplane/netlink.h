// SPDX-License-Identifier: Apache-2.0
// The few requests to the kernel's routing that a private network needs (rtnetlink), for the network
// namespace of the calling thread. Errors name the request and what the kernel said.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

struct nlmsghdr;

namespace postern::dataplane {

enum class IpFamily : uint8_t { V4 = AF_INET, V6 = AF_INET6 };

class Netlink {
 public:
  static Result<Netlink> open();

  // `queue`: packets that may wait on their way out.
  Status bring_up(int interface, uint32_t mtu, uint32_t queue);
  // No address of its own, so no router solicitation and no multicast report leaves the interface.
  Status without_link_local(int interface);
  // Packets that come in there are looked up in `table`.
  Status rule(IpFamily family, std::string_view interface, uint32_t table);
  // Everything is for this host.
  Status route_to_host(IpFamily family, int loopback, uint32_t table);
  // Everything leaves there.
  Status route_out(IpFamily family, int interface);

 private:
  explicit Netlink(UniqueFd socket) : socket_(std::move(socket)) {}
  Status ask(nlmsghdr& request, std::string_view what);

  UniqueFd socket_;
};

}  // namespace postern::dataplane
