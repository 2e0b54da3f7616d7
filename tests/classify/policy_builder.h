// SPDX-License-Identifier: Apache-2.0
// Short ways to write policies and flows in the tests of classify. A mistake in a test's text aborts it.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "classify/application_identifier.h"
#include "classify/policy_snapshot.h"

namespace postern::classify {

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

// The identified applications with their usual ports, and composites like those of the shipped catalogue.
inline std::vector<Application> test_catalogue() {
  std::vector<Application> all = {named(kApplicationPending, ""),
                                  named(kApplicationUnidentified, "unidentified")};
  const auto usual = [&all](AppId id, std::vector<Member> members) {
    all.push_back(named(id, std::string(identified_name(id))));
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
