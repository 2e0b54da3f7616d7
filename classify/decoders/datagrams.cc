// SPDX-License-Identifier: Apache-2.0
#include "classify/decoders/datagrams.h"

#include "classify/decoders/decoders.h"

namespace postern::classify::decoders {

std::span<const NamedDecoder> datagrams() noexcept {
  static constexpr NamedDecoder kDatagrams[] = {
      {"bacnet", bacnet},
      {"bittorrent_tcp", bittorrent_tcp},
      {"bittorrent_udp", bittorrent_udp},
      {"coap", coap},
      {"dhcp", dhcp},
      {"dhcpv6", dhcpv6},
      {"esp_in_udp", esp_in_udp},
      {"icmp_echo", icmp_echo},
      {"icmp_other", icmp_other},
      {"icmp_redirect", icmp_redirect},
      {"icmp_router_discovery", icmp_router_discovery},
      {"icmp_time_exceeded", icmp_time_exceeded},
      {"icmp_timestamp", icmp_timestamp},
      {"icmp_unreachable", icmp_unreachable},
      {"icmpv6_mld", icmpv6_mld},
      {"icmpv6_neighbor_discovery", icmpv6_neighbor_discovery},
      {"ike", ike},
      {"ike_nat_traversal", ike_nat_traversal},
      {"kerberos", kerberos},
      {"kerberos_tcp", kerberos_tcp},
      {"llmnr", llmnr},
      {"mdns", mdns},
      {"netbios_ns", netbios_ns},
      {"ntp", ntp},
      {"ntp_control", ntp_control},
      {"openvpn", openvpn},
      {"openvpn_tcp", openvpn_tcp},
      {"quic", quic},
      {"radius", radius},
      {"radius_bare", radius_bare},
      {"redfish_discovery", redfish_discovery},
      {"sip", sip},
      {"sip_tcp", sip_tcp},
      {"snmp_v1", snmp_v1},
      {"snmp_v2c", snmp_v2c},
      {"snmp_v3", snmp_v3},
      {"ssdp", ssdp},
      {"stun", stun},
      {"stun_tcp", stun_tcp},
      {"syslog", syslog},
      {"syslog_bare", syslog_bare},
      {"syslog_tcp", syslog_tcp},
      {"tftp", tftp},
      {"tftp_transfer", tftp_transfer},
      {"wireguard", wireguard},
      {"wireguard_data", wireguard_data},
      {"ws_discovery", ws_discovery},
  };
  return kDatagrams;
}

}  // namespace postern::classify::decoders
