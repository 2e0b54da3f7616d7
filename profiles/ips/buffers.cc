// SPDX-License-Identifier: Apache-2.0
#include "profiles/ips/buffers.h"

#include <algorithm>
#include <array>

namespace postern::profiles::ips {
namespace {

using enum BufferKind;
using enum BufferName::Form;
constexpr Senders C = Senders::Client, S = Senders::Server, B = Senders::Both;

// The first row of a kind has the name that is shown.
constexpr BufferName kBuffers[] = {
    {"pkt_data", Packet, B, ""},
    {"segment", Segment, B, ""},
    {"stream", Stream, B, ""},
    {"http.request_body", HttpRequestBody, C, "http"},
    {"http_client_body", HttpRequestBody, C, "http", Modifier},
    {"file.data", FileData, B, ""},
    {"file_data", FileData, B, ""},
    {"http.response_body", FileData, S, "http"},
    {"http_server_body", FileData, S, "http", Modifier},
    {"http.uri", HttpUri, C, "http"},
    {"http_uri", HttpUri, C, "http", Modifier},
    {"http.uri.raw", HttpUriRaw, C, "http"},
    {"http_raw_uri", HttpUriRaw, C, "http", Modifier},
    {"http.method", HttpMethod, C, "http"},
    {"http_method", HttpMethod, C, "http", Modifier},
    {"http.header", HttpHeader, B, "http"},
    {"http_header", HttpHeader, B, "http", Modifier},
    {"http.header.raw", HttpHeaderRaw, B, "http"},
    {"http_raw_header", HttpHeaderRaw, B, "http", Modifier},
    {"http.header_names", HttpHeaderNames, B, "http"},
    {"http_header_names", HttpHeaderNames, B, "http"},
    {"http.request_header", HttpRequestHeader, C, "http"},
    {"http.response_header", HttpResponseHeader, S, "http"},
    {"http.host", HttpHost, C, "http"},
    {"http_host", HttpHost, C, "http", Modifier},
    {"http.host.raw", HttpHostRaw, C, "http"},
    {"http_raw_host", HttpHostRaw, C, "http", Modifier},
    {"http.user_agent", HttpUserAgent, C, "http"},
    {"http_user_agent", HttpUserAgent, C, "http", Modifier},
    {"http.referer", HttpReferer, C, "http"},
    {"http_referer", HttpReferer, C, "http"},
    {"http.cookie", HttpCookie, B, "http"},
    {"http_cookie", HttpCookie, B, "http", Modifier},
    {"http.accept", HttpAccept, C, "http"},
    {"http_accept", HttpAccept, C, "http"},
    {"http.accept_enc", HttpAcceptEncoding, C, "http"},
    {"http_accept_enc", HttpAcceptEncoding, C, "http"},
    {"http.accept_lang", HttpAcceptLanguage, C, "http"},
    {"http_accept_lang", HttpAcceptLanguage, C, "http"},
    {"http.connection", HttpConnection, B, "http"},
    {"http_connection", HttpConnection, B, "http"},
    {"http.content_len", HttpContentLength, B, "http"},
    {"http_content_len", HttpContentLength, B, "http"},
    {"http.content_type", HttpContentType, B, "http"},
    {"http_content_type", HttpContentType, B, "http"},
    {"http.location", HttpLocation, S, "http"},
    {"http.server", HttpServer, S, "http"},
    {"http.protocol", HttpProtocol, B, "http"},
    {"http_protocol", HttpProtocol, B, "http"},
    {"http.request_line", HttpRequestLine, C, "http"},
    {"http_request_line", HttpRequestLine, C, "http"},
    {"http.response_line", HttpResponseLine, S, "http"},
    {"http_response_line", HttpResponseLine, S, "http"},
    {"http.start", HttpStart, B, "http"},
    {"http_start", HttpStart, B, "http"},
    {"http.stat_code", HttpStatCode, S, "http"},
    {"http_stat_code", HttpStatCode, S, "http", Modifier},
    {"http.stat_msg", HttpStatMsg, S, "http"},
    {"http_stat_msg", HttpStatMsg, S, "http", Modifier},
    {"file.name", FileName, B, ""},
    {"tls.sni", TlsSni, C, "tls"},
    {"tls_sni", TlsSni, C, "tls"},
    {"tls.alpn", TlsAlpn, B, "tls"},
    {"tls.cert_subject", TlsCertSubject, B, "tls"},
    {"tls_cert_subject", TlsCertSubject, B, "tls"},
    {"tls.cert_issuer", TlsCertIssuer, B, "tls"},
    {"tls_cert_issuer", TlsCertIssuer, B, "tls"},
    {"tls.cert_serial", TlsCertSerial, B, "tls"},
    {"tls_cert_serial", TlsCertSerial, B, "tls"},
    {"tls.cert_fingerprint", TlsCertFingerprint, B, "tls"},
    {"tls_cert_fingerprint", TlsCertFingerprint, B, "tls"},
    {"tls.certs", TlsCerts, B, "tls"},
    {"tls.version_text", TlsVersion, B, "tls"},
    {"ja3.hash", Ja3Hash, C, "tls"},
    {"ja3_hash", Ja3Hash, C, "tls"},
    {"ja3.string", Ja3String, C, "tls"},
    {"ja3_string", Ja3String, C, "tls"},
    {"ja3s.hash", Ja3sHash, S, "tls"},
    {"ja3s.string", Ja3sString, S, "tls"},
    {"ja4.hash", Ja4, C, "tls"},
    {"ja4", Ja4, C, "tls"},
    {"dns.query", DnsQuery, B, "dns"},
    {"dns_query", DnsQuery, B, "dns"},
    {"dns.queries.rrname", DnsQuery, B, "dns"},
    {"dns.query.name", DnsQuery, B, "dns"},
    {"dns.answer.name", DnsAnswerName, B, "dns"},
    {"dns.answers.rrname", DnsAnswerName, B, "dns"},
    {"ssh.proto", SshProto, B, "ssh"},
    {"ssh_proto", SshProto, B, "ssh"},
    {"ssh.software", SshSoftware, B, "ssh"},
    {"ssh_software", SshSoftware, B, "ssh"},
    {"ssh.hassh", SshHassh, C, "ssh"},
    {"ssh.hassh.string", SshHasshString, C, "ssh"},
    {"ssh.hassh.server", SshHasshServer, S, "ssh"},
    {"ssh.hassh.server.string", SshHasshServerString, S, "ssh"},
    {"snmp.community", SnmpCommunity, B, "snmp"},
    {"snmp.usm", SnmpUsm, B, "snmp"},
    {"smtp.helo", SmtpHelo, C, "smtp"},
    {"smtp.mail_from", SmtpMailFrom, C, "smtp"},
    {"smtp.rcpt_to", SmtpRcptTo, C, "smtp"},
    {"ftp.command", FtpCommand, C, "ftp"},
    {"ftp.command_data", FtpCommandData, C, "ftp"},
    {"ftp.reply", FtpReply, S, "ftp"},
    {"smb.named_pipe", SmbNamedPipe, B, "smb"},
    {"smb.share", SmbShare, B, "smb"},
    {"smb.ntlmssp_user", SmbNtlmUser, C, "smb"},
    {"smb.ntlmssp_domain", SmbNtlmDomain, C, "smb"},
    {"dce_stub_data", DceStubData, B, ""},
    {"dcerpc.stub_data", DceStubData, B, ""},
    {"krb5.cname", Krb5Cname, B, "krb5"},
    {"krb5_cname", Krb5Cname, B, "krb5"},
    {"krb5.sname", Krb5Sname, B, "krb5"},
    {"krb5_sname", Krb5Sname, B, "krb5"},
    {"sip.method", SipMethod, C, "sip"},
    {"sip.uri", SipUri, C, "sip"},
    {"sip.request_line", SipRequestLine, C, "sip"},
    {"sip.stat_code", SipStatCode, S, "sip"},
    {"sip.stat_msg", SipStatMsg, S, "sip"},
    {"sip.protocol", SipProtocol, B, "sip"},
    {"sip.response_line", SipResponseLine, S, "sip"},
    {"quic.sni", QuicSni, C, "quic"},
    {"quic.ua", QuicUserAgent, C, "quic"},
    {"quic.version", QuicVersion, B, "quic"},
    {"rfb.name", RfbName, S, "rfb"},
    {"mqtt.connect.clientid", MqttClientId, C, "mqtt"},
    {"mqtt.publish.topic", MqttTopic, B, "mqtt"},
    {"mqtt.publish.message", MqttMessage, B, "mqtt"},
    {"ike.init_spi", IkeSpiInitiator, B, "ike"},
    {"ike.resp_spi", IkeSpiResponder, B, "ike"},
    {"icmpv4.hdr", IcmpV4Header, B, ""},
    {"icmpv6.hdr", IcmpV6Header, B, ""},
    {"ipv4.hdr", Ipv4Header, B, ""},
    {"ipv6.hdr", Ipv6Header, B, ""},
    {"tcp.hdr", TcpHeader, B, ""},
    {"udp.hdr", UdpHeader, B, ""},
};

constexpr bool every_kind_has_a_name() {
  for (size_t kind = 0; kind < kBufferKinds; ++kind)
    if (std::none_of(std::begin(kBuffers), std::end(kBuffers),
                     [&](const BufferName& row) { return row.kind == static_cast<BufferKind>(kind); }))
      return false;
  return true;
}
static_assert(every_kind_has_a_name());

const BufferName& first_of(BufferKind kind) {
  return *std::find_if(std::begin(kBuffers), std::end(kBuffers),
                       [&](const BufferName& row) { return row.kind == kind; });
}

}  // namespace

std::span<const BufferName> buffers() { return kBuffers; }

const BufferName* find_buffer(std::string_view name) {
  // What a rule without a buffer looks at are no words of the language.
  if (name == "stream" || name == "segment") return nullptr;
  const BufferName* row = std::find_if(std::begin(kBuffers), std::end(kBuffers),
                                       [&](const BufferName& each) { return each.name == name; });
  return row == std::end(kBuffers) ? nullptr : row;
}

std::string_view buffer_name(BufferKind kind) { return first_of(kind).name; }
Senders buffer_senders(BufferKind kind) { return first_of(kind).senders; }

}  // namespace postern::profiles::ips
