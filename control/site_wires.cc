// SPDX-License-Identifier: Apache-2.0
// The sections `wires` and `zones` of a site file.
#include <algorithm>
#include <map>
#include <tuple>

#include "control/document.h"
#include "control/port_text.h"
#include "control/site_sections.h"

namespace postern::control {
namespace {

constexpr size_t kMostWires = 64;
constexpr Range kVlans{1, 4094};
constexpr std::string_view kExpectedPort =
    "pci:0000:03:00.0, af_xdp:IF, af_packet:IF, tap:NAME, ring:NAME, pcap:IN[,OUT] or vdev:NAME[,ARGUMENTS]";

constexpr Choice<PortSpec::Kind> kPortKinds[] = {
    {"pci", PortSpec::Kind::Pci},  {"af_xdp", PortSpec::Kind::AfXdp}, {"af_packet", PortSpec::Kind::AfPacket},
    {"tap", PortSpec::Kind::Tap},  {"ring", PortSpec::Kind::Ring},    {"pcap", PortSpec::Kind::Pcap},
    {"vdev", PortSpec::Kind::Vdev}};
constexpr Choice<L2Action> kL2Actions[] = {{"pass", L2Action::Pass}, {"drop", L2Action::Drop}};
enum class OnFailure : uint8_t { Closed, Open };  // what a wire does when no daemon runs
constexpr Choice<OnFailure> kOnFailure[] = {{"closed", OnFailure::Closed}, {"open", OnFailure::Open}};

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

// 0000:03:00.0
bool is_pci_address(std::string_view t) {
  return t.size() == 12 && t[4] == ':' && t[7] == ':' && t[10] == '.' && is_hex(t.substr(0, 4)) &&
         is_hex(t.substr(5, 2)) && is_hex(t.substr(8, 2)) && t[11] >= '0' && t[11] <= '7';
}

bool is_interface(std::string_view text) { return text.size() <= 15 && is_name(text); }

bool is_device(PortSpec::Kind kind, std::string_view text) {
  switch (kind) {
    case PortSpec::Kind::Pci:
      return is_pci_address(text);
    case PortSpec::Kind::AfXdp:
    case PortSpec::Kind::AfPacket:
    case PortSpec::Kind::Tap:
    case PortSpec::Kind::Ring:
      return is_interface(text);
    case PortSpec::Kind::Pcap:
      return !text.empty() && text.find(',') == std::string_view::npos;
    case PortSpec::Kind::Vdev:
      return is_name(text.substr(0, text.find(','))) && text.find(' ') == std::string_view::npos;
  }
  return false;
}

}  // namespace

std::string_view expected_port() { return kExpectedPort; }

std::optional<PortSpec> parse_port(const std::string& text, const std::string& site_file) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  PortSpec port;
  port.text = text;
  port.device = text.substr(colon + 1);
  const auto kind = std::find_if(std::begin(kPortKinds), std::end(kPortKinds), [&](const auto& k) {
    return k.name == std::string_view(text).substr(0, colon);
  });
  if (kind == std::end(kPortKinds)) return std::nullopt;
  port.kind = kind->value;
  if (port.kind == PortSpec::Kind::Pcap) {
    if (const size_t comma = port.device.find(','); comma != std::string::npos) {
      port.output = port.device.substr(comma + 1);
      port.device.resize(comma);
      if (!is_device(port.kind, port.output)) return std::nullopt;
      port.output = beside(site_file, port.output);
    }
  }
  if (!is_device(port.kind, port.device)) return std::nullopt;
  if (port.kind == PortSpec::Kind::Pcap) port.device = beside(site_file, port.device);
  return port;
}

namespace {

class WiresReader {
 public:
  explicit WiresReader(Findings& findings) : findings_(findings) {}

  WiresSection read(MapReader& site) {
    WiresSection section;
    const auto nodes = site.list("wires", "wires", EmptyList::Refused);
    if (!site.has("wires")) findings_.error(site.line(), "no key \"wires\", expected a list of wires");
    if (nodes.size() > kMostWires)
      findings_.error(nodes[kMostWires].line, "wires: found " + std::to_string(nodes.size()) +
                                                  ", expected at most " + std::to_string(kMostWires));
    for (const Node& node : nodes.first(std::min(nodes.size(), kMostWires))) {
      MapReader map(&node, "wire", findings_);
      section.wires.push_back(read_wire(map, static_cast<uint8_t>(section.wires.size())));
      // Software that has died forwards nothing, and no adapter that bridges its ports by itself is driven
      // yet.
      if (map.choice<OnFailure>("on_failure", kOnFailure, OnFailure::Closed) == OnFailure::Open)
        findings_.error(
            map.line_of("on_failure"),
            "on_failure: found open, which takes an adapter with a hardware bypass; expected closed");
      map.finish();
    }
    return section;
  }

 private:
  Wire read_wire(MapReader& map, uint8_t index) {
    Wire wire;
    wire.id = WireId{index};
    wire.name = map.required_name("wire");
    if (!wire.name.empty() && !names_.emplace(wire.name, map.line()).second)
      findings_.error(map.line_of("wire"), "wire: found " + in_quotes(wire.name) +
                                               ", which is also on line " +
                                               std::to_string(names_[wire.name]) + ", expected unique names");
    read_sides(map, wire);
    wire.vlan_map = read_vlan_map(map);
    wire.l2 = read_l2(map);
    return wire;
  }

  void read_sides(MapReader& map, Wire& wire) {
    constexpr std::string_view kExpected = "exactly two sides, each a name and a port";
    const Node* sides = map.require("sides", kExpected);
    if (sides == nullptr) return;
    if (sides->kind != Node::Kind::Map || sides->entries.size() != 2) {
      findings_.error(sides->line,
                      "sides: found " +
                          (sides->kind == Node::Kind::Map ? std::to_string(sides->entries.size()) + " sides"
                                                          : sides->found()) +
                          ", expected " + std::string(kExpected));
      return;
    }
    for (size_t i = 0; i < 2; ++i) {
      const Node::Entry& side = sides->entries[i];
      if (!is_name(side.key))
        findings_.error(side.line, "sides: found " + in_quotes(side.key) +
                                       ", expected a name of letters, digits, `_`, "
                                       "`-` and `.`");
      wire.sides[i] = side.key;
      wire.ports[i] = read_port(side);
    }
  }

  PortSpec read_port(const Node::Entry& side) {
    const auto text = as_text(side.value);
    const auto port = text ? parse_port(*text, findings_.file()) : std::nullopt;
    if (!port) {
      findings_.error(side.value.line, side.key + ": found " + side.value.found() + ", expected " +
                                           std::string(kExpectedPort));
      return {};
    }
    // A capture may be read twice, a device or an output can not be used twice.
    const bool is_capture = port->kind == PortSpec::Kind::Pcap;
    const std::string claimed = is_capture ? port->output : port->device.substr(0, port->device.find(','));
    if (claimed.empty()) return *port;
    const auto [at, is_new] = ports_.emplace(claimed, side.value.line);
    if (!is_new)
      findings_.error(side.value.line, side.key + ": found " + in_quotes(*text) +
                                           ", whose port is already used on line " +
                                           std::to_string(at->second) + ", expected each port once");
    return *port;
  }

  std::map<uint16_t, uint16_t> read_vlan_map(MapReader& map) {
    std::map<uint16_t, uint16_t> vlans;
    const Node* node = map.take("vlan_map");
    if (node == nullptr) return vlans;
    constexpr std::string_view kExpected = "a mapping of VLAN ids (1 to 4094) to VLAN ids";
    if (node->kind != Node::Kind::Map) {
      findings_.error(node->line,
                      "vlan_map: found " + node->found() + ", expected " + std::string(kExpected));
      return vlans;
    }
    std::map<int64_t, uint32_t> targets;
    for (const Node::Entry& entry : node->entries) {
      Node key;
      key.kind = Node::Kind::Plain;
      key.text = entry.key;
      const auto first = as_integer(key, kVlans), second = as_integer(entry.value, kVlans);
      if (!first || !second) {
        findings_.error(entry.line, "vlan_map: found " + in_quotes(entry.key) + ": " + entry.value.found() +
                                        ", expected " + std::string(kExpected));
        continue;
      }
      const auto [at, is_new] = targets.emplace(*second, entry.line);
      if (!is_new)
        findings_.error(entry.line, "vlan_map: found VLAN " + std::to_string(*second) +
                                        " of the second side twice (also on line " +
                                        std::to_string(at->second) + "), expected one to one");
      vlans.emplace(static_cast<uint16_t>(*first), static_cast<uint16_t>(*second));
    }
    return vlans;
  }

  L2Policy read_l2(MapReader& wire) {
    L2Policy l2;
    MapReader map = wire.map("l2");
    const std::pair<std::string_view, L2Action L2Policy::*> fields[] = {
        {"arp", &L2Policy::arp},
        {"nd", &L2Policy::nd},
        {"lldp", &L2Policy::lldp},
        {"lacp", &L2Policy::lacp},
        {"stp", &L2Policy::stp},
        {"eapol", &L2Policy::eapol},
        {"pause", &L2Policy::pause},
        {"other_multicast", &L2Policy::other_multicast},
        {"unknown_ethertype", &L2Policy::unknown_ethertype}};
    for (const auto& [key, field] : fields) l2.*field = map.choice<L2Action>(key, kL2Actions, l2.*field);
    map.finish();
    return l2;
  }

  Findings& findings_;
  std::map<std::string, uint32_t> names_, ports_;  // to their line
};

class ZonesReader {
 public:
  ZonesReader(const std::vector<Wire>& wires, Names& names, Findings& findings)
      : wires_(wires), names_(names), findings_(findings) {}

  ZonesSection read(MapReader& site) {
    if (!site.has("zones"))
      findings_.error(site.line(), "no key \"zones\", expected a list of zone bindings");
    for (const Node& node : site.list("zones", "zone bindings", EmptyList::Refused)) {
      MapReader map(&node, "zone binding", findings_);
      read_binding(map);
      map.finish();
    }
    return std::move(section_);
  }

 private:
  void read_binding(MapReader& map) {
    const std::string name = read_zone_name(map);
    const Node* wire_name = map.require("wire", "the name of a wire");
    const Node* side_name = map.require("side", "a side of the wire");
    classify::ZoneBinding binding{};
    if (map.has("vlan"))
      binding.vlan = static_cast<uint16_t>(map.integer("vlan", kVlans, 1));
    else
      map.take("vlan");
    binding.prefixes = map.prefixes("prefixes");
    if (name.empty()) return;
    binding.zone = names_.zone(name);
    binding.name = name;
    if (binding.zone == kNoZone)
      findings_.error(map.line_of("zone"), "zone: found " + in_quotes(name) +
                                               ", expected at most 254 different zones "
                                               "as long as the daemon runs");
    // Known even when its place is wrong, so that rules which name it are not mistakes too.
    section_.names.emplace(name, binding.zone);
    if (wire_name == nullptr || side_name == nullptr) return;

    const auto wire = std::find_if(wires_.begin(), wires_.end(), [&](const Wire& w) {
      return wire_name->is_scalar() && w.name == wire_name->text;
    });
    if (wire == wires_.end()) {
      findings_.error(wire_name->line,
                      "wire: found " + wire_name->found() + ", expected the name of a wire above");
      return;
    }
    if (wire->sides[0].empty()) return;  // already told
    const auto side = std::find(wire->sides.begin(), wire->sides.end(), side_name->text);
    if (side == wire->sides.end() || !side_name->is_scalar()) {
      findings_.error(side_name->line, "side: found " + side_name->found() + ", expected " + wire->sides[0] +
                                           " or " + wire->sides[1] + ", the sides of wire " + wire->name);
      return;
    }
    binding.wire = wire->id;
    binding.side = side == wire->sides.begin() ? Side::First : Side::Second;
    check_overlap(binding, name, map.line());
    section_.bindings.push_back(std::move(binding));
  }

  std::string read_zone_name(MapReader& map) {
    constexpr std::string_view kExpected = "a lower-case name (a-z, 0-9, _)";
    const Node* node = map.require("zone", kExpected);
    if (node == nullptr) return {};
    if (node->is_scalar() && is_snake_name(node->text)) return node->text;
    findings_.error(node->line, "zone: found " + node->found() + ", expected " + std::string(kExpected));
    return {};
  }

  // The same addresses of the same side and VLAN cannot be two zones; longer prefixes may carve a part out.
  void check_overlap(const classify::ZoneBinding& binding, const std::string& name, uint32_t line) {
    std::vector<std::string> places;
    for (const Prefix& prefix : binding.prefixes) places.push_back(prefix.text());
    if (places.empty()) places.emplace_back("any address");
    for (const std::string& place : places) {
      const auto [at, is_new] =
          seen_.try_emplace({binding.wire.value, binding.side, binding.vlan, place}, name, line);
      if (is_new || at->second.first == name) continue;
      findings_.error(line, "zone " + name + ": " + place + " is zone " + at->second.first + " on line " +
                                std::to_string(at->second.second) +
                                ", expected one zone per wire, side, VLAN and prefix");
    }
  }

  const std::vector<Wire>& wires_;
  Names& names_;
  Findings& findings_;
  ZonesSection section_;
  std::map<std::tuple<uint8_t, Side, std::optional<uint16_t>, std::string>, std::pair<std::string, uint32_t>>
      seen_;
};

}  // namespace

WiresSection read_wires(MapReader& site, Findings& findings) { return WiresReader(findings).read(site); }

ZonesSection read_zones(MapReader& site, const std::vector<Wire>& wires, Names& names, Findings& findings) {
  return ZonesReader(wires, names, findings).read(site);
}

}  // namespace postern::control
