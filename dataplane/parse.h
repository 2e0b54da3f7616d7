// SPDX-License-Identifier: Apache-2.0
// The first step of the walk: reads every packet down to its transport header, puts fragments together,
// decides layer 2 control traffic by the wire's policy, and drops by name what no host would accept. One
// worker.
#pragma once

#include <vector>

#include "classify/policy.h"
#include "dataplane/burst.h"
#include "dataplane/fragments.h"
#include "dataplane/wire.h"

namespace postern::dataplane {

struct ParseRules {  // of one wire
  L2Policy l2;
  VlanMap vlan_map;
};

class Parser {
 public:
  Parser(const std::vector<ParseRules>& wires, FragmentTable& fragments)
      : wires_(wires), fragments_(fragments) {}

  // Afterwards every slot is Open with key, kind and segment, or judged, or Taken. How many are Open.
  unsigned run(Burst& burst, const classify::Exceptions& exceptions) noexcept;

 private:
  void parse(Slot& slot, Timestamp now) noexcept;
  bool parse_plain(Slot& slot, Bytes packet) noexcept;
  void parse_layer2(Slot& slot, const L2Policy& l2, uint16_t ethertype) noexcept;
  void parse_ip(Slot& slot, Bytes packet, bool v4, Timestamp now) noexcept;
  void parse_tcp(Slot& slot) noexcept;
  void parse_udp(Slot& slot, bool v4) noexcept;
  void parse_icmp(Slot& slot, bool v4) noexcept;
  bool key_from_icmp_error(Slot& slot, bool v4) noexcept;
  bool checksum_ok(const Slot& slot) const noexcept;

  const std::vector<ParseRules>& wires_;
  FragmentTable& fragments_;
};

}  // namespace postern::dataplane
