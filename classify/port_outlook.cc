// SPDX-License-Identifier: Apache-2.0
#include "classify/port_outlook.h"

#include <algorithm>
#include <bitset>

namespace postern::classify {
namespace {

using Ports = std::bitset<65536>;

void add(Ports& ports, const PortRange& range) {
  for (size_t port = range.first; port <= range.last; ++port) ports.set(port);
}

void add_common(Ports& ports, const PortSet& of_rule, const PortRange& of_application) {
  if (of_rule.any()) return add(ports, of_application);
  for (const PortRange& range : of_rule.ranges())
    if (const PortRange both{std::max(range.first, of_application.first),
                             std::min(range.last, of_application.last)};
        both.first <= both.last)
      add(ports, both);
}

std::vector<PortRange> ranges_of(const Ports& ports) {
  std::vector<PortRange> ranges;
  for (size_t port = 0; port < ports.size(); ++port) {
    if (!ports[port]) continue;
    const auto number = static_cast<uint16_t>(port);
    if (!ranges.empty() && ranges.back().last + size_t{1} == port)
      ranges.back().last = number;
    else
      ranges.push_back({number, number});
  }
  return ranges;
}

std::vector<PortRange> ports_with_a_say(uint8_t protocol, const std::vector<uint32_t>& numbers,
                                        const std::vector<RuleConditions>& rules,
                                        const ApplicationTable& applications) {
  Ports ports;
  for (const uint32_t number : numbers) {
    if (ports.all()) break;
    const RuleConditions& rule = rules[number];
    if (rule.protocol != kAnyProtocol && rule.protocol != protocol) continue;
    for (const PortRange& range :
         applications.first_packet_ports(rule.application, rule.service, protocol, rule.action))
      add_common(ports, rule.ports, range);
  }
  return ranges_of(ports);
}

}  // namespace

PortOutlook::PortOutlook(const std::vector<uint32_t>& numbers, const std::vector<RuleConditions>& rules,
                         const ApplicationTable& applications)
    : tcp_(ports_with_a_say(kTcp, numbers, rules, applications)),
      udp_(ports_with_a_say(kUdp, numbers, rules, applications)) {}

}  // namespace postern::classify
