// SPDX-License-Identifier: Apache-2.0
// Protocols as a rule's header names them: what carries it, and which application. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace postern::profiles::ips {

// What carries a packet; a rule names one, several or (ip) all.
enum class Transport : uint8_t { Tcp = 1, Udp = 2, Icmp = 4, IcmpV6 = 8, Sctp = 16, Other = 32 };
inline constexpr uint8_t kEveryTransport = 63;

enum class App : uint8_t {
  Any,
  Http,
  Http2,
  Tls,
  Dns,
  Ssh,
  Smtp,
  Ftp,
  FtpData,
  Tftp,
  Snmp,
  Smb,
  Dcerpc,
  Krb5,
  Nfs,
  Ntp,
  Dhcp,
  Rdp,
  Rfb,
  Sip,
  Mqtt,
  Modbus,
  Dnp3,
  Enip,
  Ike,
  Imap,
  Pop3,
  Telnet,
  Quic,
  Websocket,
  Ldap,
  Pgsql,
  Bittorrent,
  Unknown
};

enum class PayloadOf : uint8_t { Either, Packet, Stream };  // tcp-pkt and tcp-stream choose one

struct ProtocolName {
  std::string_view name;
  uint8_t transports;
  App app;
  PayloadOf payload = PayloadOf::Either;
};

const ProtocolName* find_protocol(std::string_view name);  // nullptr: no such protocol; case does not matter
bool carries(App named, App actual) noexcept;              // http is http/1 and http/2; Any is everything

}  // namespace postern::profiles::ips
