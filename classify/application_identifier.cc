// SPDX-License-Identifier: Apache-2.0
#include "classify/application_identifier.h"

#include <algorithm>
#include <array>

#include "classify/dns_message.h"
#include "classify/fit.h"
#include "classify/http_request.h"
#include "classify/ipmi_message.h"
#include "classify/rfc913_message.h"
#include "classify/slp_message.h"
#include "classify/tls_client_hello.h"

namespace postern::classify {
namespace {

constexpr uint16_t kMulticastDnsPort = 5353;

enum Transport : uint8_t { kOverTcp = 1, kOverUdp = 2, kOverIcmp = 4 };
struct Identified {
  AppId id;
  std::string_view name;
  uint8_t transports;
};
constexpr std::array<Identified, 12> kIdentified = {{
    {app::kTls, "tls", kOverTcp},
    {app::kHttp, "http", kOverTcp},
    {app::kDns, "dns", kOverTcp | kOverUdp},
    {app::kSlp, "slp", kOverTcp | kOverUdp},
    {app::kIpmi15, "ipmi_1_5", kOverUdp},
    {app::kIpmi20, "ipmi_2_0", kOverUdp},
    {app::kAsf, "asf", kOverUdp},
    {app::kIcmpEcho, "icmp_echo", kOverIcmp},
    {app::kCimXml, "cim_xml", kOverTcp},
    {app::kRfc913, "rfc913", kOverTcp},
    {app::kSsh, "ssh", kOverTcp},
    {app::kIcmpOther, "icmp_other", kOverIcmp},
}};

const Identified* find_identified(AppId id) noexcept {
  const auto* found =
      std::find_if(kIdentified.begin(), kIdentified.end(), [id](const auto& i) { return i.id == id; });
  return found == kIdentified.end() ? nullptr : found;
}

constexpr Identification kUnidentified{kApplicationUnidentified, false};
constexpr Identification kNeedsMore{kApplicationPending, true};

struct Opinion {
  AppId application;
  Fit fit = Fit::No;
};

// One certain decoder settles it; while one still hopes, so do we.
template <size_t N>
Identification agree(const std::array<Opinion, N>& opinions) noexcept {
  Identification result = kUnidentified;
  for (const Opinion& opinion : opinions) {
    if (opinion.fit == Fit::Yes) return {opinion.application, false};
    if (opinion.fit == Fit::More) result = kNeedsMore;
  }
  return result;
}

Fit is_tls(Bytes stream) noexcept {
  const Fit start = starts_tls_client_hello(stream);
  if (start != Fit::Yes) return start;
  return parse_tls_client_hello(stream).fit == Fit::No ? Fit::No : Fit::Yes;
}

Opinion http_opinion(HttpKind kind) noexcept {
  switch (kind) {
    case HttpKind::None:
      return {app::kHttp, Fit::No};
    case HttpKind::More:
      return {app::kHttp, Fit::More};
    case HttpKind::Http:
      return {app::kHttp, Fit::Yes};
    case HttpKind::CimXml:
      return {app::kCimXml, Fit::Yes};
  }
  return {};
}

// RFC 4253 section 4.2: "SSH-" protocol version "-" software.
Fit is_ssh(Bytes stream) noexcept {
  static constexpr std::string_view kVersions[] = {"SSH-2.0-", "SSH-1.99-", "SSH-1.5-", "SSH-1.3-"};
  const std::string_view text = as_text(stream);
  Fit best = Fit::No;
  for (const std::string_view version : kVersions) {
    const size_t common = std::min(text.size(), version.size());
    if (text.substr(0, common) != version.substr(0, common)) continue;
    best = std::max(best, common == version.size() ? Fit::Yes : Fit::More);
  }
  return best;
}

DnsRole dns_role(const Evidence& evidence) noexcept {
  if (evidence.server_port == kMulticastDnsPort) return DnsRole::Either;
  return evidence.direction == Direction::ToServer ? DnsRole::Query : DnsRole::Response;
}

Identification identify_tcp(const Evidence& evidence) noexcept {
  const Bytes stream = evidence.payload;
  if (stream.empty()) return kNeedsMore;
  const bool to_server = evidence.direction == Direction::ToServer;
  return agree<6>({{
      {app::kTls, to_server ? is_tls(stream) : starts_tls_answer(stream)},
      http_opinion(to_server ? classify_http_request(stream) : classify_http_response(stream)),
      {app::kSsh, is_ssh(stream)},
      {app::kRfc913, to_server ? is_rfc913_command(stream) : is_rfc913_greeting(stream)},
      {app::kSlp, is_slp_stream(stream)},
      {app::kDns, is_dns_stream(stream, dns_role(evidence))},
  }});
}

Identification identify_udp(const Evidence& evidence) noexcept {
  switch (classify_rmcp(evidence.payload)) {
    case RmcpKind::IpmiDiscovery:
      return kNeedsMore;
    case RmcpKind::Ipmi15:
      return {app::kIpmi15, false};
    case RmcpKind::Ipmi20:
      return {app::kIpmi20, false};
    case RmcpKind::Asf:
      return {app::kAsf, false};
    case RmcpKind::None:
      break;
  }
  return agree<2>({{
      {app::kSlp, is_slp_datagram(evidence.payload)},
      {app::kDns, is_dns_datagram(evidence.payload, dns_role(evidence))},
  }});
}

// Type, code, checksum, identifier and sequence number; the rest is the sender's.
Identification identify_icmp(const Evidence& evidence) noexcept {
  constexpr uint8_t kReply4 = 0, kRequest4 = 8, kRequest6 = 128, kReply6 = 129;
  const Bytes message = evidence.payload;
  if (message.size() < 8 || message[1] != 0) return {app::kIcmpOther, false};
  const uint8_t type = message[0];
  const bool echo = evidence.protocol == kIcmp ? type == kRequest4 || type == kReply4
                                               : type == kRequest6 || type == kReply6;
  return {echo ? app::kIcmpEcho : app::kIcmpOther, false};
}

}  // namespace

std::string_view identified_name(AppId id) noexcept {
  const Identified* found = find_identified(id);
  return found == nullptr ? std::string_view() : found->name;
}

bool can_run_over(AppId id, uint8_t protocol) noexcept {
  const Identified* found = find_identified(id);
  if (found == nullptr) return true;
  switch (protocol) {
    case kTcp:
      return found->transports & kOverTcp;
    case kUdp:
      return found->transports & kOverUdp;
    case kIcmp:
    case kIcmpV6:
      return found->transports & kOverIcmp;
    default:
      return false;
  }
}

Identification identify(const Evidence& evidence) noexcept {
  switch (evidence.protocol) {
    case kTcp:
      return identify_tcp(evidence);
    case kUdp:
      return identify_udp(evidence);
    case kIcmp:
    case kIcmpV6:
      return identify_icmp(evidence);
    default:
      return kUnidentified;
  }
}

}  // namespace postern::classify
