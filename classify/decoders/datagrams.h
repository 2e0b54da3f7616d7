// SPDX-License-Identifier: Apache-2.0
// The decoders behind datagrams(), one group per file. Names are those of decoders.h; `_tcp` is the
// protocol's framing over a stream, and only those ever say More. Any thread.
#pragma once

#include "classify/evidence.h"

namespace postern::classify::decoders {

// datagrams_snmp.cc
Fit snmp_v1(const Evidence&) noexcept;
Fit snmp_v2c(const Evidence&) noexcept;
Fit snmp_v3(const Evidence&) noexcept;

// datagrams_network.cc
Fit ntp(const Evidence&) noexcept;
Fit ntp_control(const Evidence&) noexcept;  // modes 6 and 7
Fit dhcp(const Evidence&) noexcept;
Fit dhcpv6(const Evidence&) noexcept;
Fit tftp(const Evidence&) noexcept;  // the request
Fit tftp_transfer(
    const Evidence&) noexcept;  // what follows on ephemeral ports; only for flows expected there
Fit netbios_ns(const Evidence&) noexcept;

// datagrams_discovery.cc; mdns and llmnr are DNS to the eye
Fit ssdp(const Evidence&) noexcept;
Fit redfish_discovery(const Evidence&) noexcept;
Fit mdns(const Evidence&) noexcept;
Fit llmnr(const Evidence&) noexcept;
Fit ws_discovery(const Evidence&) noexcept;
Fit coap(const Evidence&) noexcept;
Fit bacnet(const Evidence&) noexcept;

// datagrams_access.cc
Fit radius(const Evidence&) noexcept;       // with the attributes its code demands
Fit radius_bare(const Evidence&) noexcept;  // an answer, perhaps without any attribute
Fit kerberos(const Evidence&) noexcept;
Fit kerberos_tcp(const Evidence&) noexcept;
Fit syslog(const Evidence&) noexcept;       // priority and the header of RFC 5424 or RFC 3164
Fit syslog_bare(const Evidence&) noexcept;  // priority and text
Fit syslog_tcp(const Evidence&) noexcept;

// datagrams_quic.cc
Fit quic(const Evidence&) noexcept;

// datagrams_vpn.cc
Fit ike(const Evidence&) noexcept;
Fit ike_nat_traversal(const Evidence&) noexcept;
Fit esp_in_udp(const Evidence&) noexcept;
Fit wireguard(const Evidence&) noexcept;       // the handshake
Fit wireguard_data(const Evidence&) noexcept;  // a session that began earlier
Fit openvpn(const Evidence&) noexcept;
Fit openvpn_tcp(const Evidence&) noexcept;

// datagrams_media.cc
Fit stun(const Evidence&) noexcept;
Fit stun_tcp(const Evidence&) noexcept;
Fit sip(const Evidence&) noexcept;
Fit sip_tcp(const Evidence&) noexcept;
Fit bittorrent_tcp(const Evidence&) noexcept;
Fit bittorrent_udp(const Evidence&) noexcept;  // DHT, tracker, uTP around a handshake

// datagrams_icmp.cc; every message of four bytes or more is exactly one of these
Fit icmp_echo(const Evidence&) noexcept;
Fit icmp_unreachable(const Evidence&) noexcept;
Fit icmp_time_exceeded(const Evidence&) noexcept;
Fit icmp_redirect(const Evidence&) noexcept;
Fit icmp_timestamp(const Evidence&) noexcept;
Fit icmp_router_discovery(const Evidence&) noexcept;
Fit icmpv6_neighbor_discovery(const Evidence&) noexcept;
Fit icmpv6_mld(const Evidence&) noexcept;
Fit icmp_other(const Evidence&) noexcept;

}  // namespace postern::classify::decoders
