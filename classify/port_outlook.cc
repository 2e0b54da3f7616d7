// SPDX-License-Identifier: Apache-2.0
#include "classify/port_outlook.h"

#include <algorithm>

namespace postern::classify {
namespace {

void add_common(std::vector<PortRange>& ports, const PortSet& of_rule, const PortRange& of_application) {
  if (of_rule.any()) return ports.push_back(of_application);
  for (const PortRange& range : of_rule.ranges())
    if (const PortRange both{std::max(range.first, of_application.first),
                             std::min(range.last, of_application.last)};
        both.first <= both.last)
      ports.push_back(both);
}

std::vector<PortRange> ports_with_a_say(uint8_t protocol, const std::vector<uint32_t>& numbers,
                                        const std::vector<RuleConditions>& rules,
                                        const ApplicationTable& applications) {
  std::vector<PortRange> ports;
  for (const uint32_t number : numbers) {
    const RuleConditions& rule = rules[number];
    if (rule.protocol != kAnyProtocol && rule.protocol != protocol) continue;
    for (const PortRange& range :
         applications.first_packet_ports(rule.application, rule.service, protocol, rule.action))
      add_common(ports, rule.ports, range);
    if (!ports.empty() && ports.back() == PortRange{}) return {PortRange{}};
  }
  // An empty set would stand for all ports.
  return ports.empty() ? ports : PortSet(std::move(ports)).ranges();
}

}  // namespace

PortOutlook::PortOutlook(const std::vector<uint32_t>& numbers, const std::vector<RuleConditions>& rules,
                         const ApplicationTable& applications)
    : tcp_(ports_with_a_say(kTcp, numbers, rules, applications)),
      udp_(ports_with_a_say(kUdp, numbers, rules, applications)) {}

}  // namespace postern::classify
