// SPDX-License-Identifier: Apache-2.0
// What streams.cc and databases.cc list, by the file that holds it. Each judges either direction, by
// Evidence::direction. Any thread.
#pragma once

#include "classify/evidence.h"

namespace postern::classify::decoders {

// mail_and_ftp.cc
Fit ftp(const Evidence& evidence) noexcept;
Fit vmware_auth(const Evidence& evidence) noexcept;
Fit smtp(const Evidence& evidence) noexcept;
Fit imap(const Evidence& evidence) noexcept;
Fit pop3(const Evidence& evidence) noexcept;
Fit user_command(const Evidence& evidence) noexcept;  // "USER name", with which FTP and POP3 both begin

// text_services.cc
Fit http_connect(const Evidence& evidence) noexcept;
Fit http_proxy(const Evidence& evidence) noexcept;
Fit http2_clear(const Evidence& evidence) noexcept;
Fit rtsp(const Evidence& evidence) noexcept;
Fit irc(const Evidence& evidence) noexcept;
Fit xmpp(const Evidence& evidence) noexcept;
Fit rsync(const Evidence& evidence) noexcept;
Fit git(const Evidence& evidence) noexcept;

// remote_access.cc
Fit vnc(const Evidence& evidence) noexcept;
Fit rdp(const Evidence& evidence) noexcept;
Fit telnet(const Evidence& evidence) noexcept;
Fit x11(const Evidence& evidence) noexcept;
Fit socks4(const Evidence& evidence) noexcept;
Fit socks5(const Evidence& evidence) noexcept;

// storage.cc
Fit nbd(const Evidence& evidence) noexcept;
Fit iscsi(const Evidence& evidence) noexcept;
Fit smb(const Evidence& evidence) noexcept;
Fit iusb(const Evidence& evidence) noexcept;

// remote_calls.cc
Fit sunrpc(const Evidence& evidence) noexcept;        // calls of programs that have no decoder of their own
Fit sunrpc_reply(const Evidence& evidence) noexcept;  // replies do not name their program
Fit nfs(const Evidence& evidence) noexcept;
Fit portmap(const Evidence& evidence) noexcept;
Fit mountd(const Evidence& evidence) noexcept;
Fit dce_rpc(const Evidence& evidence) noexcept;
Fit ajp(const Evidence& evidence) noexcept;

// messaging.cc
Fit ldap(const Evidence& evidence) noexcept;
Fit mqtt(const Evidence& evidence) noexcept;
Fit amqp(const Evidence& evidence) noexcept;
Fit modbus(const Evidence& evidence) noexcept;
Fit kafka(const Evidence& evidence) noexcept;

// sql_databases.cc
Fit postgres(const Evidence& evidence) noexcept;
Fit mysql(const Evidence& evidence) noexcept;
Fit tds(const Evidence& evidence) noexcept;
Fit oracle_tns(const Evidence& evidence) noexcept;

// key_value_databases.cc
Fit redis(const Evidence& evidence) noexcept;
Fit memcached(const Evidence& evidence) noexcept;
Fit mongodb(const Evidence& evidence) noexcept;
Fit cassandra(const Evidence& evidence) noexcept;

}  // namespace postern::classify::decoders
