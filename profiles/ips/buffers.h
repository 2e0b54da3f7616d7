// SPDX-License-Identifier: Apache-2.0
// The named bytes that rules look at: what the Suricata language calls sticky buffers, the packet's payload
// and the stream. Data in tables, immutable. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/ids.h"

namespace postern::profiles::ips {

enum class BufferKind : uint8_t {
  Packet,   // payload of one datagram; in a rule: the payload of whatever carries it
  Segment,  // of one TCP segment in order; the engine makes it of a stream's pieces
  Stream,   // all bytes of a TCP direction, in order
  HttpRequestBody,
  FileData,  // decoded bodies and files; http.response_body is the same bytes
  HttpUri,
  HttpUriRaw,
  HttpMethod,
  HttpHeader,
  HttpHeaderRaw,
  HttpHeaderNames,
  HttpRequestHeader,
  HttpResponseHeader,
  HttpHost,
  HttpHostRaw,
  HttpUserAgent,
  HttpReferer,
  HttpCookie,
  HttpAccept,
  HttpAcceptEncoding,
  HttpAcceptLanguage,
  HttpConnection,
  HttpContentLength,
  HttpContentType,
  HttpLocation,
  HttpServer,
  HttpProtocol,
  HttpRequestLine,
  HttpResponseLine,
  HttpStart,
  HttpStatCode,
  HttpStatMsg,
  FileName,
  TlsSni,
  TlsAlpn,
  TlsCertSubject,
  TlsCertIssuer,
  TlsCertSerial,
  TlsCertFingerprint,
  TlsCerts,
  TlsVersion,
  Ja3Hash,
  Ja3String,
  Ja3sHash,
  Ja3sString,
  Ja4,
  DnsQuery,
  DnsAnswerName,
  SshProto,
  SshSoftware,
  SshHassh,
  SshHasshString,
  SshHasshServer,
  SshHasshServerString,
  SnmpCommunity,
  SnmpUsm,
  SmtpHelo,
  SmtpMailFrom,
  SmtpRcptTo,
  FtpCommand,
  FtpCommandData,
  FtpReply,
  SmbNamedPipe,
  SmbShare,
  SmbNtlmUser,
  SmbNtlmDomain,
  DceStubData,
  Krb5Cname,
  Krb5Sname,
  SipMethod,
  SipUri,
  SipRequestLine,
  SipStatCode,
  SipStatMsg,
  SipProtocol,
  SipResponseLine,
  QuicSni,
  QuicUserAgent,
  QuicVersion,
  RfbName,
  MqttClientId,
  MqttTopic,
  MqttMessage,
  IkeSpiInitiator,
  IkeSpiResponder,
  IcmpV4Header,
  IcmpV6Header,
  Ipv4Header,
  Ipv6Header,
  TcpHeader,
  UdpHeader,
};
inline constexpr size_t kBufferKinds = static_cast<size_t>(BufferKind::UdpHeader) + 1;

enum class Senders : uint8_t { Client = 1, Server = 2, Both = 3 };
constexpr bool sends(Senders senders, Direction direction) noexcept {
  return (static_cast<unsigned>(senders) >> static_cast<unsigned>(direction) & 1) != 0;
}

// Of these kinds bytes come in pieces, and a match may lie across pieces.
constexpr size_t kStreamedKinds = 3;
constexpr bool streamed(BufferKind kind) noexcept {
  return kind == BufferKind::Stream || kind == BufferKind::HttpRequestBody || kind == BufferKind::FileData;
}
constexpr size_t stream_slot(BufferKind kind) noexcept {
  return static_cast<size_t>(kind) - static_cast<size_t>(BufferKind::Stream);
}

// A word that makes a buffer current ("http.uri"), or, in rules of the old form, moves the content before it
// ("http_uri").
struct BufferName {
  std::string_view name;
  BufferKind kind;
  Senders senders;
  std::string_view app;  // the protocol it implies; empty: any
  enum class Form : uint8_t { Sticky, Modifier } form = Form::Sticky;
};

std::span<const BufferName> buffers();
const BufferName* find_buffer(std::string_view name);  // nullptr: no such buffer
std::string_view buffer_name(BufferKind kind);         // its first name
Senders buffer_senders(BufferKind kind);

}  // namespace postern::profiles::ips
