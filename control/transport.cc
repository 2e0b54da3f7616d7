// SPDX-License-Identifier: Apache-2.0
#include "control/transport.h"

namespace postern::control {
namespace {

constexpr uint8_t kGre = 47, kEsp = 50;
constexpr Choice<uint8_t> kProtocols[] = {{"tcp", classify::kTcp},
                                          {"udp", classify::kUdp},
                                          {"icmp", classify::kIcmp},
                                          {"icmpv6", classify::kIcmpV6},
                                          {"sctp", classify::kSctp},
                                          {"esp", kEsp},
                                          {"gre", kGre},
                                          {"any", classify::kAnyProtocol}};
constexpr Range kPortNumbers{1, 65535};

std::optional<classify::PortRange> port_range(const Node& node) {
  if (const auto port = as_integer(node, kPortNumbers))
    return classify::PortRange{static_cast<uint16_t>(*port), static_cast<uint16_t>(*port)};
  const auto text = as_text(node);
  const size_t dash = text ? text->find('-') : std::string::npos;
  if (dash == std::string::npos) return std::nullopt;
  const auto number = [&](const std::string& digits) {
    Node plain;
    plain.kind = Node::Kind::Plain;
    plain.text = digits;
    return as_integer(plain, kPortNumbers);
  };
  const auto first = number(text->substr(0, dash)), last = number(text->substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return classify::PortRange{static_cast<uint16_t>(*first), static_cast<uint16_t>(*last)};
}

}  // namespace

uint8_t read_protocol(MapReader& map, Findings& findings) {
  const Node* node = map.take("protocol");
  if (node == nullptr) return classify::kAnyProtocol;
  if (const auto number = as_integer(*node, {1, 255})) return static_cast<uint8_t>(*number);
  for (const Choice<uint8_t>& c : kProtocols)
    if (c.name == node->text && node->is_scalar()) return c.value;
  findings.error(node->line,
                 "protocol: found " + node->found() +
                     ", expected tcp, udp, icmp, icmpv6, sctp, esp, gre, any or a number from 1 to 255");
  return classify::kTcp;  // one mistake is told once: ports beside it are not a second one
}

std::vector<classify::PortRange> read_ports(MapReader& map, std::string_view key, uint8_t protocol,
                                            Findings& findings) {
  std::vector<classify::PortRange> out;
  for (const Node& item : map.list(key, "ports", EmptyList::Refused)) {
    if (const auto range = port_range(item))
      out.push_back(*range);
    else
      findings.error(item.line, std::string(key) + ": found " + item.found() +
                                    ", expected a port from 1 to 65535 or a range such as \"5000-5010\"");
  }
  const bool has_ports =
      protocol == classify::kTcp || protocol == classify::kUdp || protocol == classify::kSctp;
  if (map.has(key) && !has_ports)
    findings.error(map.line_of(key), std::string(key) +
                                         ": found with a protocol that has none, expected protocol tcp, "
                                         "udp or sctp beside it");
  return out;
}

}  // namespace postern::control
