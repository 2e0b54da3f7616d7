// SPDX-License-Identifier: Apache-2.0
// What the data path must know of a wire: its two ports, VLAN retagging and the fate of layer 2 control
// traffic. Values; built once at start by `control`, read by every worker.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"

namespace postern::dataplane {

enum class L2Action : uint8_t { Pass, Drop };
struct L2Policy {
  L2Action arp = L2Action::Pass, nd = L2Action::Pass, lldp = L2Action::Pass, lacp = L2Action::Pass,
           stp = L2Action::Pass, eapol = L2Action::Pass, pause = L2Action::Drop,
           other_multicast = L2Action::Drop, unknown_ethertype = L2Action::Drop;
  bool operator==(const L2Policy&) const = default;
};

struct PortSpec {
  enum class Kind : uint8_t { Pci, AfXdp, AfPacket, Tap, Ring, Pcap, Vdev } kind{};
  std::string
      device;  // PCI address, interface, TAP name, ring name, capture to read or EAL's words of a vdev
  std::string output;  // pcap only: capture to write, may be empty
  std::string text;    // as written
};

struct Wire {
  WireId id;
  std::string name;
  std::array<std::string, 2> sides;
  std::array<PortSpec, 2> ports;
  std::map<uint16_t, uint16_t> vlan_map;  // first side's VLAN -> second side's; one to one
  L2Policy l2;
};

// What a worker does when no packet comes.
enum class Idle : uint8_t { Sleep, Spin };

// VLAN ids of one side as the other side writes them.
class VlanMap {
 public:
  static constexpr uint16_t kUnmapped = 0xffff;
  explicit VlanMap(const std::map<uint16_t, uint16_t>& first_to_second);
  bool empty() const noexcept { return forward_[0].empty(); }
  // Outer VLAN to write on the way out of the side opposite to `from`; kUnmapped when `vlan` is only known
  // there.
  uint16_t translate(Side from, uint16_t vlan) const noexcept {
    const auto& table = forward_[static_cast<size_t>(from)];
    return table.empty() ? vlan : table[vlan];
  }

 private:
  std::array<std::vector<uint16_t>, 2> forward_;  // by entering side; empty: identity
};

}  // namespace postern::dataplane
