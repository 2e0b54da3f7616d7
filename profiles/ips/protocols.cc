// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/protocols.h"

#include "base/ascii.h"

namespace postern::profiles::ips {
namespace {

constexpr uint8_t kTcp = 1, kUdp = 2, kBoth = kTcp | kUdp, kIcmp = 4 | 8;

constexpr ProtocolName kProtocols[] = {
    {"ip", kEveryTransport, App::Any},
    {"any", kEveryTransport, App::Any},
    {"ip4", kEveryTransport, App::Any},
    {"ip6", kEveryTransport, App::Any},
    {"ipv4", kEveryTransport, App::Any},
    {"ipv6", kEveryTransport, App::Any},
    {"tcp", kTcp, App::Any},
    {"tcp-pkt", kTcp, App::Any, PayloadOf::Packet},
    {"tcp-stream", kTcp, App::Any, PayloadOf::Stream},
    {"udp", kUdp, App::Any},
    {"icmp", kIcmp, App::Any},
    {"icmpv4", 4, App::Any},
    {"icmpv6", 8, App::Any},
    {"sctp", 16, App::Any},
    {"http", kTcp, App::Http},
    {"http1", kTcp, App::Http},
    {"http2", kTcp, App::Http2},
    {"tls", kBoth, App::Tls},
    {"ssl", kBoth, App::Tls},
    {"dns", kBoth, App::Dns},
    {"ssh", kTcp, App::Ssh},
    {"smtp", kTcp, App::Smtp},
    {"ftp", kTcp, App::Ftp},
    {"ftp-data", kTcp, App::FtpData},
    {"tftp", kUdp, App::Tftp},
    {"snmp", kBoth, App::Snmp},
    {"smb", kTcp, App::Smb},
    {"dcerpc", kBoth, App::Dcerpc},
    {"krb5", kBoth, App::Krb5},
    {"nfs", kBoth, App::Nfs},
    {"ntp", kUdp, App::Ntp},
    {"dhcp", kUdp, App::Dhcp},
    {"rdp", kTcp, App::Rdp},
    {"rfb", kTcp, App::Rfb},
    {"sip", kBoth, App::Sip},
    {"mqtt", kTcp, App::Mqtt},
    {"modbus", kTcp, App::Modbus},
    {"dnp3", kTcp, App::Dnp3},
    {"enip", kBoth, App::Enip},
    {"ike", kUdp, App::Ike},
    {"imap", kTcp, App::Imap},
    {"pop3", kTcp, App::Pop3},
    {"telnet", kTcp, App::Telnet},
    {"quic", kUdp, App::Quic},
    {"websocket", kTcp, App::Websocket},
    {"ldap", kBoth, App::Ldap},
    {"pgsql", kTcp, App::Pgsql},
    {"bittorrent-dht", kUdp, App::Bittorrent},
};

}  // namespace

const ProtocolName* find_protocol(std::string_view name) {
  for (const ProtocolName& row : kProtocols)
    if (equals_ignoring_case(row.name, name)) return &row;
  return nullptr;
}

bool carries(App named, App actual) noexcept {
  return named == App::Any || named == actual || (named == App::Http && actual == App::Http2);
}

}  // namespace postern::profiles::ips
