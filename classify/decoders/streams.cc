// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "classify/decoders/decoders.h"
#include "classify/decoders/stream_decoders.h"

namespace postern::classify::decoders {

std::span<const NamedDecoder> streams() noexcept {
  static constexpr auto kDecoders = std::to_array<NamedDecoder>({
      {"ftp", ftp},
      {"vmware_auth", vmware_auth},
      {"smtp", smtp},
      {"imap", imap},
      {"pop3", pop3},
      {"user_command", user_command},
      {"http_connect", http_connect},
      {"http_proxy", http_proxy},
      {"http2_clear", http2_clear},
      {"rtsp", rtsp},
      {"irc", irc},
      {"xmpp", xmpp},
      {"rsync", rsync},
      {"git", git},
      {"vnc", vnc},
      {"rdp", rdp},
      {"telnet", telnet},
      {"x11", x11},
      {"socks4", socks4},
      {"socks5", socks5},
      {"nbd", nbd},
      {"iscsi", iscsi},
      {"smb", smb},
      {"iusb", iusb},
      {"sunrpc", sunrpc},
      {"sunrpc_reply", sunrpc_reply},
      {"nfs", nfs},
      {"portmap", portmap},
      {"mountd", mountd},
      {"dce_rpc", dce_rpc},
      {"ajp", ajp},
      {"ldap", ldap},
      {"mqtt", mqtt},
      {"amqp", amqp},
      {"modbus", modbus},
      {"kafka", kafka},
  });
  return kDecoders;
}

}  // namespace postern::classify::decoders
