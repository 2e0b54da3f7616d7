// SPDX-License-Identifier: Apache-2.0
// Short ways to write policies and flows in the tests of classify. A mistake in a test's text aborts it.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "classify/app_ids.h"
#include "classify/policy_snapshot.h"

namespace postern::classify {

namespace app {
inline constexpr AppId kSlp{96}, kIpmi15{97}, kIpmi20{98}, kAsf{99}, kCimXml{100}, kRfc913{101}, kSsh{102};
}

inline constexpr AppId kAnyApplication{64}, kBmcManagement{65}, kClearTextMgmt{66}, kUnboundApplication{67},
    kPortOnly{68};
inline constexpr Zone kTrust{1}, kInternal{2}, kManagement{3};

inline Prefix prefix(std::string_view text) {
  const auto parsed = Prefix::parse(text);
  if (!parsed) std::abort();
  return *parsed;
}

inline IpAddress address(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  if (!parsed) std::abort();
  return *parsed;
}

inline Application named(AppId id, std::string name) {
  Application application;
  application.id = id;
  application.name = std::move(name);
  return application;
}

inline Application composite(AppId id, std::string name, std::vector<Member> members) {
  Application application = named(id, std::move(name));
  application.composite = true;
  application.members = std::move(members);
  return application;
}

struct TestName {
  AppId id;
  const char* name;
};
inline constexpr TestName kTestNames[] = {
    {app::kTls, "tls"}, {app::kHttp, "http"},          {app::kDns, "dns"},
    {app::kSlp, "slp"}, {app::kIpmi15, "ipmi_1_5"},    {app::kIpmi20, "ipmi_2_0"},
    {app::kAsf, "asf"}, {app::kCimXml, "cim_xml"},     {app::kRfc913, "rfc913"},
    {app::kSsh, "ssh"}, {app::kIcmpEcho, "icmp_echo"}, {app::kIcmpOther, "icmp_other"}};

// Like the management protocols of the shipped catalogue.
inline std::vector<Signature> test_signatures() {
  std::vector<Signature> all;
  const auto add = [&all](AppId id, Layer layer, Sender sender, const char* decoder, Confidence confidence,
                          std::vector<PortRange> ports = {}) {
    Signature signature;
    signature.application = id;
    signature.layer = layer;
    signature.sender = sender;
    signature.decoder = decoder;
    signature.confidence = confidence;
    signature.ports = std::move(ports);
    all.push_back(std::move(signature));
  };
  using enum Confidence;
  add(app::kTls, Layer::Tcp, Sender::Either, "tls", High);
  add(app::kHttp, Layer::Tcp, Sender::Either, "http", Medium);
  for (const Layer layer : {Layer::Tcp, Layer::Udp}) {
    add(app::kDns, layer, Sender::Client, "dns_query", Medium);
    add(app::kDns, layer, Sender::Server, "dns_response", Medium);
    add(app::kSlp, layer, Sender::Either, "slp", High);
  }
  add(app::kDns, Layer::Udp, Sender::Either, "dns_message", Low, {{5353, 5353}});
  add(app::kIpmi15, Layer::Udp, Sender::Either, "ipmi_1_5", High);
  add(app::kIpmi20, Layer::Udp, Sender::Either, "ipmi_2_0", High);
  add(app::kAsf, Layer::Udp, Sender::Either, "asf", High);
  add(app::kCimXml, Layer::Tcp, Sender::Either, "cim_xml", High);
  add(app::kRfc913, Layer::Tcp, Sender::Client, "rfc913_command", Medium);
  add(app::kRfc913, Layer::Tcp, Sender::Server, "rfc913_greeting", Medium);
  add(app::kSsh, Layer::Tcp, Sender::Either, "ssh", High);
  add(app::kIcmpEcho, Layer::Icmp, Sender::Either, "icmp_echo", High);
  add(app::kIcmpOther, Layer::Icmp, Sender::Either, "icmp_other", Medium);
  return all;
}

// The identified applications with their usual ports, and composites like those of the shipped catalogue.
inline std::vector<Application> test_catalogue() {
  std::vector<Application> all = {named(kApplicationPending, ""),
                                  named(kApplicationUnidentified, "unidentified")};
  const auto usual = [&all](AppId id, std::vector<Member> members) {
    for (const TestName& test : kTestNames)
      if (test.id == id) all.push_back(named(id, test.name));
    all.back().members = std::move(members);
  };
  usual(app::kTls, {{{}, kTcp, {{443, 443}, {8443, 8443}}}});
  usual(app::kHttp, {{{}, kTcp, {{80, 80}}}});
  usual(app::kDns, {{{}, kUdp, {{53, 53}}}, {{}, kTcp, {{53, 53}}}});
  usual(app::kSlp, {{{}, kUdp, {{427, 427}}}, {{}, kTcp, {{427, 427}}}});
  all.back().multicast = {address("239.255.255.253"), address("224.0.1.22")};
  usual(app::kIpmi15, {{{}, kUdp, {{623, 623}}}});
  usual(app::kIpmi20, {{{}, kUdp, {{623, 623}}}});
  usual(app::kAsf, {{{}, kUdp, {{623, 623}}}});
  usual(app::kIcmpEcho, {{{}, kIcmp, {}}, {{}, kIcmpV6, {}}});
  usual(app::kCimXml, {{{}, kTcp, {{5988, 5988}}}});
  usual(app::kRfc913, {{{}, kTcp, {{115, 115}}}});
  usual(app::kSsh, {{{}, kTcp, {{22, 22}}}});
  usual(app::kIcmpOther, {});

  all.push_back(named(kAnyApplication, "any_application"));
  all.back().wildcard = true;
  all.push_back(composite(
      kBmcManagement, "bmc_management",
      {{app::kTls, kTcp, {{443, 443}, {5989, 5989}}, true}, {app::kIpmi20, kUdp, {{623, 623}}, true}}));
  all.back().servers = {prefix("10.4.0.0/24"), prefix("fd04::/64")};
  all.push_back(composite(kClearTextMgmt, "clear_text_mgmt",
                          {{{}, kTcp, {{5988, 5988}}},
                           {{}, kTcp, {{115, 115}}},
                           {{}, kUdp, {{623, 623}}},
                           {app::kCimXml, kTcp, {}},
                           {app::kRfc913, kTcp, {}},
                           {app::kIpmi15, kUdp, {}},
                           {app::kIpmi20, kUdp, {}},
                           {app::kAsf, kUdp, {}}}));
  all.push_back(composite(kUnboundApplication, "unbound", {{app::kTls, kTcp, {}, true}}));
  all.push_back(composite(kPortOnly, "port_only", {{{}, kTcp, {{9000, 9010}}}}));
  return all;
}

inline Policy empty_policy() {
  Policy policy;
  policy.applications = test_catalogue();
  policy.signatures = test_signatures();
  policy.workers = 4;
  return policy;
}

// Appends a rule between trust and management with the defaults of a site rule.
inline Rule& add_rule(Policy& policy, Action action, AppId application) {
  Rule rule;
  rule.index = static_cast<uint32_t>(policy.rules.size());
  rule.id = RuleId{rule.index + 1};
  rule.pack = "site";
  rule.name = "rule" + std::to_string(rule.index);
  rule.action = action;
  rule.source_zones = {kTrust};
  rule.destination_zones = {kManagement};
  rule.application = application;
  policy.rules.push_back(std::move(rule));
  return policy.rules.back();
}

inline std::unique_ptr<const PolicySnapshot> compiled(Policy policy) {
  auto result = PolicySnapshot::compile(std::move(policy));
  if (!result) {
    std::fputs(("test policy: " + result.error().text() + "\n").c_str(), stderr);
    std::abort();
  }
  return std::move(*result);
}

inline FlowFacts flow(std::string_view source, std::string_view destination, uint8_t protocol, uint16_t port,
                      AppId application = kApplicationPending) {
  FlowFacts facts;
  facts.source = address(source);
  facts.destination = address(destination);
  facts.source_port = 40000;
  facts.destination_port = port;
  facts.protocol = protocol;
  facts.source_zone = kTrust;
  facts.destination_zone = kManagement;
  facts.application = application;
  return facts;
}

}  // namespace postern::classify
