// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "classify/cim_xml_message.h"
#include "classify/decoders/decoders.h"
#include "classify/dns_message.h"
#include "classify/http_request.h"
#include "classify/ipmi_message.h"
#include "classify/port_range.h"
#include "classify/rfc913_message.h"
#include "classify/slp_message.h"
#include "classify/tls_client_hello.h"

namespace postern::classify::decoders {
namespace {

bool to_server(const Evidence& evidence) noexcept { return evidence.direction == Direction::ToServer; }

Fit tls(const Evidence& evidence) noexcept {
  if (!to_server(evidence)) return starts_tls_answer(evidence.payload);
  const Fit start = starts_tls_client_hello(evidence.payload);
  if (start != Fit::Yes) return start;
  return parse_tls_client_hello(evidence.payload).fit == Fit::No ? Fit::No : Fit::Yes;
}

Fit http(const Evidence& evidence) noexcept {
  return to_server(evidence) ? is_http_request(evidence.payload) : is_http_response(evidence.payload);
}

Fit cim_xml(const Evidence& evidence) noexcept {
  return to_server(evidence) ? is_cim_xml_request(evidence.payload) : is_cim_xml_response(evidence.payload);
}

// RFC 4253 section 4.2: "SSH-" protocol version "-" software.
Fit ssh(const Evidence& evidence) noexcept {
  static constexpr std::string_view kVersions[] = {"SSH-2.0-", "SSH-1.99-", "SSH-1.5-", "SSH-1.3-"};
  const std::string_view text = as_text(evidence.payload);
  Fit best = Fit::No;
  for (const std::string_view version : kVersions) {
    const size_t common = std::min(text.size(), version.size());
    if (text.substr(0, common) != version.substr(0, common)) continue;
    best = std::max(best, common == version.size() ? Fit::Yes : Fit::More);
  }
  return best;
}

Fit rfc913_command(const Evidence& evidence) noexcept { return is_rfc913_command(evidence.payload); }
Fit rfc913_greeting(const Evidence& evidence) noexcept { return is_rfc913_greeting(evidence.payload); }

Fit slp(const Evidence& evidence) noexcept {
  return evidence.protocol == kTcp ? is_slp_stream(evidence.payload) : is_slp_datagram(evidence.payload);
}

Fit dns(const Evidence& evidence, DnsRole role) noexcept {
  return evidence.protocol == kTcp ? is_dns_stream(evidence.payload, role)
                                   : is_dns_datagram(evidence.payload, role);
}
Fit dns_query(const Evidence& evidence) noexcept { return dns(evidence, DnsRole::Query); }
Fit dns_response(const Evidence& evidence) noexcept { return dns(evidence, DnsRole::Response); }
Fit dns_message(const Evidence& evidence) noexcept { return dns(evidence, DnsRole::Either); }

// Get Channel Authentication Capabilities opens sessions of either version: the next datagram decides.
Fit rmcp(const Evidence& evidence, RmcpKind wanted) noexcept {
  const RmcpKind found = classify_rmcp(evidence.payload);
  if (found == RmcpKind::IpmiDiscovery) return wanted == RmcpKind::Asf ? Fit::No : Fit::More;
  return found == wanted ? Fit::Yes : Fit::No;
}
Fit ipmi_1_5(const Evidence& evidence) noexcept { return rmcp(evidence, RmcpKind::Ipmi15); }
Fit ipmi_2_0(const Evidence& evidence) noexcept { return rmcp(evidence, RmcpKind::Ipmi20); }
Fit asf(const Evidence& evidence) noexcept { return rmcp(evidence, RmcpKind::Asf); }

// Type, code, checksum, identifier and sequence number; the rest is the sender's.
Fit icmp_echo(const Evidence& evidence) noexcept {
  constexpr uint8_t kReply4 = 0, kRequest4 = 8, kRequest6 = 128, kReply6 = 129;
  const Bytes message = evidence.payload;
  if (message.size() < 8 || message[1] != 0) return Fit::No;
  const uint8_t type = message[0];
  const bool echo = evidence.protocol == kIcmp ? type == kRequest4 || type == kReply4
                                               : type == kRequest6 || type == kReply6;
  return echo ? Fit::Yes : Fit::No;
}
Fit icmp_other(const Evidence& evidence) noexcept {
  return icmp_echo(evidence) == Fit::Yes ? Fit::No : Fit::Yes;
}

constexpr NamedDecoder kDecoders[] = {
    {"tls", tls},
    {"http", http},
    {"cim_xml", cim_xml},
    {"ssh", ssh},
    {"rfc913_command", rfc913_command},
    {"rfc913_greeting", rfc913_greeting},
    {"slp", slp},
    {"dns_query", dns_query},
    {"dns_response", dns_response},
    {"dns_message", dns_message},
    {"ipmi_1_5", ipmi_1_5},
    {"ipmi_2_0", ipmi_2_0},
    {"asf", asf},
    {"icmp_echo", icmp_echo},
    {"icmp_other", icmp_other},
};

}  // namespace

std::span<const NamedDecoder> management() noexcept { return kDecoders; }

}  // namespace postern::classify::decoders
