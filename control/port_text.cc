// SPDX-License-Identifier: Apache-2.0
#include "control/port_text.h"

#include <algorithm>
#include <iterator>

#include "control/document.h"
#include "control/map_reader.h"

namespace postern::control {
namespace {

using dataplane::PortSpec;
using Kind = PortSpec::Kind;

struct KindName {
  std::string_view name;
  Kind kind;
};
constexpr KindName kKinds[] = {{"pci", Kind::Pci},  {"af_xdp", Kind::AfXdp}, {"af_packet", Kind::AfPacket},
                               {"tap", Kind::Tap},  {"ring", Kind::Ring},    {"memif", Kind::Memif},
                               {"pcap", Kind::Pcap}};

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

bool is_file(std::string_view text) { return !text.empty() && text.find(',') == std::string_view::npos; }

bool is_memif_id(std::string_view text) {
  return !text.empty() && text.size() <= 4 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_device(Kind kind, std::string_view text) {
  switch (kind) {
    case Kind::Pci:
      return is_pci_address(text);
    case Kind::AfXdp:
    case Kind::AfPacket:
    case Kind::Tap:
    case Kind::Ring:
      return is_interface(text);
    case Kind::Memif:
      return is_file(text) && text.size() <= 100;  // of a Unix socket's 107
    case Kind::Pcap:
      return is_file(text);
  }
  return false;
}

}  // namespace

std::optional<PortSpec> parse_port(const std::string& text, const std::string& beside_file) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const KindName& k) {
    return k.name == std::string_view(text).substr(0, colon);
  });
  if (kind == std::end(kKinds)) return std::nullopt;
  PortSpec port;
  port.text = text;
  port.kind = kind->kind;
  port.device = text.substr(colon + 1);
  const bool has_file = port.kind == Kind::Pcap || port.kind == Kind::Memif;
  const size_t comma = port.device.find(',');
  if (has_file && comma != std::string::npos) {
    port.output = port.device.substr(comma + 1);
    port.device.resize(comma);
  }
  if (!is_device(port.kind, port.device)) return std::nullopt;
  if (port.kind == Kind::Memif && !is_memif_id(port.output)) return std::nullopt;
  if (has_file) port.device = beside(beside_file, port.device);
  if (port.kind != Kind::Pcap || comma == std::string::npos) return port;
  if (!is_device(port.kind, port.output)) return std::nullopt;
  port.output = beside(beside_file, port.output);
  return port;
}

}  // namespace postern::control
