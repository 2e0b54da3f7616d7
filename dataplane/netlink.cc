// SPDX-License-Identifier: Apache-2.0
#include "dataplane/netlink.h"

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace postern::dataplane {
namespace {

// One request with its attributes; all of ours are short.
template <typename Body>
class Request {
 public:
  Request(uint16_t type, uint16_t flags) {
    header().nlmsg_len = NLMSG_LENGTH(sizeof(Body));
    header().nlmsg_type = type;
    header().nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  }
  nlmsghdr& header() { return *reinterpret_cast<nlmsghdr*>(room_.data()); }
  Body& body() { return *static_cast<Body*>(NLMSG_DATA(room_.data())); }

  void add(uint16_t type, const void* value, size_t size) {
    rtattr& attribute = open(type);
    assert(header().nlmsg_len + RTA_LENGTH(size) <= room_.size());
    std::memcpy(RTA_DATA(&attribute), value, size);
    attribute.rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
    close_at(attribute);
  }
  void add(uint16_t type, uint32_t value) { add(type, &value, sizeof value); }

  // Attributes added until `close` are inside this one.
  rtattr& open(uint16_t type) {
    auto& attribute = *reinterpret_cast<rtattr*>(room_.data() + NLMSG_ALIGN(header().nlmsg_len));
    attribute.rta_type = type;
    attribute.rta_len = RTA_LENGTH(0);
    return attribute;
  }
  void enter(rtattr& attribute) { close_at(attribute); }
  void close(rtattr& attribute) {
    attribute.rta_len =
        static_cast<uint16_t>(room_.data() + header().nlmsg_len - reinterpret_cast<uint8_t*>(&attribute));
  }

 private:
  void close_at(const rtattr& attribute) {
    header().nlmsg_len = NLMSG_ALIGN(header().nlmsg_len) + RTA_ALIGN(attribute.rta_len);
  }

  alignas(NLMSG_ALIGNTO) std::array<uint8_t, 256> room_{};
};

Request<rtmsg> new_route(IpFamily family, uint8_t type, uint8_t scope) {
  Request<rtmsg> request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  request.body().rtm_family = static_cast<uint8_t>(family);
  request.body().rtm_protocol = RTPROT_STATIC;
  request.body().rtm_type = type;
  request.body().rtm_scope = scope;
  request.body().rtm_table = RT_TABLE_UNSPEC;
  return request;
}

}  // namespace

Result<Netlink> Netlink::open() {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return Error{std::string("no netlink socket: ") + std::strerror(errno)};
  return Netlink(std::move(socket));
}

Status Netlink::ask(nlmsghdr& request, std::string_view what) {
  const auto failed = [&](int error) {
    return Error{std::string(what) + ": " + std::strerror(error) +
                 ", expected a kernel with policy routing, and CAP_NET_ADMIN"};
  };
  if (::send(socket_.get(), &request, request.nlmsg_len, 0) < 0) return failed(errno);
  alignas(NLMSG_ALIGNTO) std::array<uint8_t, 4096> room;
  const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), 0);
  if (got < 0) return failed(errno);
  const auto& answer = *reinterpret_cast<const nlmsghdr*>(room.data());
  if (static_cast<size_t>(got) < NLMSG_LENGTH(sizeof(nlmsgerr)) || answer.nlmsg_type != NLMSG_ERROR)
    return failed(EPROTO);
  const int error = static_cast<const nlmsgerr*>(NLMSG_DATA(&answer))->error;
  if (error != 0) return failed(-error);
  return Ok{};
}

Status Netlink::bring_up(int interface, uint32_t mtu, uint32_t queue) {
  Request<ifinfomsg> request(RTM_NEWLINK, 0);
  request.body().ifi_index = interface;
  request.body().ifi_flags = request.body().ifi_change = IFF_UP;
  request.add(IFLA_MTU, mtu);
  request.add(IFLA_TXQLEN, queue);
  return ask(request.header(), "private network: interface up");
}

Status Netlink::without_link_local(int interface) {
  Request<ifinfomsg> request(RTM_NEWLINK, 0);
  request.body().ifi_index = interface;
  rtattr& families = request.open(IFLA_AF_SPEC);
  request.enter(families);
  rtattr& v6 = request.open(AF_INET6);
  request.enter(v6);
  const uint8_t none = 1;  // IN6_ADDR_GEN_MODE_NONE
  request.add(IFLA_INET6_ADDR_GEN_MODE, &none, sizeof none);
  request.close(v6);
  request.close(families);
  return ask(request.header(), "private network: no IPv6 link-local address");
}

Status Netlink::rule(IpFamily family, std::string_view interface, uint32_t table) {
  Request<fib_rule_hdr> request(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
  request.body().family = static_cast<uint8_t>(family);
  request.body().action = FR_ACT_TO_TBL;
  const std::string name(interface);
  request.add(FRA_IIFNAME, name.c_str(), name.size() + 1);
  request.add(FRA_TABLE, table);
  request.add(FRA_PRIORITY, table);
  return ask(request.header(), "private network: rule");
}

Status Netlink::route_to_host(IpFamily family, int loopback, uint32_t table) {
  Request<rtmsg> request = new_route(family, RTN_LOCAL, RT_SCOPE_HOST);
  request.add(RTA_TABLE, table);
  request.add(RTA_OIF, static_cast<uint32_t>(loopback));
  return ask(request.header(), "private network: route to the host");
}

Status Netlink::route_out(IpFamily family, int interface) {
  Request<rtmsg> request = new_route(family, RTN_UNICAST, RT_SCOPE_UNIVERSE);
  request.add(RTA_TABLE, RT_TABLE_MAIN);
  request.add(RTA_OIF, static_cast<uint32_t>(interface));
  return ask(request.header(), "private network: default route");
}

}  // namespace postern::dataplane
