// SPDX-License-Identifier: Apache-2.0
#include "dataplane/private_network.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "dataplane/netlink.h"

namespace postern::dataplane {
namespace {

constexpr const char* kInterface = "peers";
constexpr uint32_t kTable = 100;
constexpr uint32_t kQueue = 2000;  // packets of up to 64 KB that wait for us

Error refused(const std::string& what) {
  return Error{"private network: " + what + ": " + std::strerror(errno)};
}

// /proc/sys/net shows the namespace of the thread that opens it.
Status write_setting(const std::string& name, const char* value) {
  const std::string path = "/proc/sys/net/" + name;
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const auto length = static_cast<ssize_t>(std::strlen(value));
  if (!file || ::write(file.get(), value, static_cast<size_t>(length)) != length) return refused(path);
  return Ok{};
}

Status write_settings() {
  const struct {
    const char* name;
    const char* value;
  } kSettings[] = {
      // Both peers' addresses are this host's own when they come in, which these two would call forged.
      {"ipv4/conf/all/rp_filter", "0"},
      {"ipv4/conf/peers/rp_filter", "0"},
      {"ipv4/conf/peers/accept_local", "1"},
      {"ipv4/ip_forward", "0"},
      {"ipv4/conf/peers/send_redirects", "0"},
      {"ipv6/conf/peers/accept_ra", "0"},
      // A peer that comes back from the same port finds the last connection's socket in TIME-WAIT.
      {"ipv4/tcp_tw_reuse", "1"},
      {"ipv4/tcp_fin_timeout", "15"},
      // Paths that swallow long packets are found without ICMP (RFC 4821).
      {"ipv4/tcp_mtu_probing", "1"},
  };
  for (const auto& setting : kSettings)
    if (const Status status = write_setting(setting.name, setting.value); !status) return status;
  return Ok{};
}

Result<UniqueFd> open_interface() {
  UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!tun) return refused("/dev/net/tun");
  ifreq request{};
  std::strncpy(request.ifr_name, kInterface, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(tun.get(), TUNSETIFF, &request) < 0) return refused("TUNSETIFF");
  const unsigned offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  if (::ioctl(tun.get(), TUNSETOFFLOAD, offloads) < 0) return refused("TUNSETOFFLOAD");
  return tun;
}

Status route(Netlink& netlink, int loopback, int interface) {
  for (const IpFamily family : {IpFamily::V4, IpFamily::V6}) {
    if (const Status s = netlink.rule(family, kInterface, kTable); !s) return s;
    if (const Status s = netlink.route_to_host(family, loopback, kTable); !s) return s;
    if (const Status s = netlink.route_out(family, interface); !s) return s;
  }
  return Ok{};
}

}  // namespace

Result<UniqueFd> enter_private_network(uint16_t mtu) {
  if (::unshare(CLONE_NEWNET) < 0) return refused("unshare");
  Result<UniqueFd> tun = open_interface();
  if (!tun) return tun;
  Result<Netlink> netlink = Netlink::open();
  if (!netlink) return netlink.error();
  const int interface = static_cast<int>(::if_nametoindex(kInterface));
  const int loopback = static_cast<int>(::if_nametoindex("lo"));
  if (const Status s = netlink->without_link_local(interface); !s) return s.error();
  if (const Status s = netlink->bring_up(loopback, 65536, 1000); !s) return s.error();
  if (const Status s = netlink->bring_up(interface, mtu, kQueue); !s) return s.error();
  if (const Status s = write_settings(); !s) return s.error();
  if (const Status s = route(*netlink, loopback, interface); !s) return s.error();
  return tun;
}

}  // namespace postern::dataplane
