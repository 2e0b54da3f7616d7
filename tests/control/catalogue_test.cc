// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "classify/app_ids.h"
#include "control/catalogue_loader.h"
#include "tests/control/operator_files.h"

namespace postern::control {
namespace {

using classify::Application;
using classify::Member;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kCatalogue =
    R"(catalogue: 1
applications:
  - app_id: backup
    kind: composite
    category: infrastructure
    risk: 3
    members:
      - {protocol: tcp, ports: [9000, "9100-9200"]}
)";

std::vector<std::string> errors_with(size_t line, const std::string& replacement) {
  return texts_of(parse_catalogue(with_line(kCatalogue, line, replacement), "c.yaml").findings.errors());
}

std::vector<std::string> merged_errors_with(size_t line, const std::string& replacement) {
  LoadedCatalogue own = parse_catalogue(with_line(kCatalogue, line, replacement), "c.yaml");
  EXPECT_TRUE(own.findings.clean());
  return texts_of(check_catalogue(merged(shipped_catalogue().entries, std::move(own.entries))).errors());
}

const Application& find(const std::vector<Application>& all, std::string_view name) {
  return *std::find_if(all.begin(), all.end(), [&](const Application& a) { return a.name == name; });
}

TEST(Catalogue, TheShippedOneHasNoMistakes) {
  const LoadedCatalogue shipped = shipped_catalogue();
  EXPECT_THAT(texts_of(shipped.findings.errors()), ElementsAre());
  EXPECT_THAT(texts_of(check_catalogue(shipped.entries).errors()), ElementsAre());
}

TEST(Catalogue, TheShippedOneIsTheFileOfTheRepository) {
  const LoadedCatalogue file = load_catalogue(source_file("deploy/catalogue/applications.yaml"));
  EXPECT_TRUE(file.findings.clean());
  EXPECT_EQ(file.entries.size(), shipped_catalogue().entries.size());
}

TEST(Catalogue, EveryDecoderHasAnEntry) {
  const Catalogue shipped = shipped_catalogue().entries;
  for (uint16_t id = classify::app::kTls.value; id <= classify::app::kIcmpOther.value; ++id) {
    const std::string name(classify::identified_name(AppId{id}));
    ASSERT_TRUE(shipped.contains(name)) << id << " " << name;
    EXPECT_EQ(shipped.at(name).kind, ApplicationKind::Identified) << name;
  }
}

TEST(Catalogue, EveryNameOfTheKitHasAnEntry) {
  const Catalogue shipped = shipped_catalogue().entries;
  for (const char* name :
       {"infra_mgmt_web", "bmc_management", "icmp_probe", "slp", "dns", "ssl", "firmware_update",
        "clear_text_mgmt", "web_browsing", "saas_generic", "any_application"})
    EXPECT_TRUE(shipped.contains(name)) << name;
}

TEST(Catalogue, ApplicationsAscendByIdAfterPendingAndUnidentified) {
  Names names;
  const auto all = applications_of(shipped_catalogue().entries, {}, names);
  EXPECT_EQ(all[0].id, kApplicationPending);
  EXPECT_EQ(all[1].id, kApplicationUnidentified);
  EXPECT_TRUE(
      std::is_sorted(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; }));
  EXPECT_EQ(find(all, "tls").id, classify::app::kTls);
  EXPECT_TRUE(find(all, "any_application").wildcard);
}

TEST(Catalogue, AnOptInMemberIsOffUnlessTheSiteAsksForIt) {
  Names names;
  const auto off = applications_of(shipped_catalogue().entries, {}, names);
  EXPECT_EQ(find(off, "bmc_management").members.size(), 3u);
  const auto on =
      applications_of(shipped_catalogue().entries, {{"bmc_management", {{}, {"ipmi_2_0"}}}}, names);
  ASSERT_EQ(find(on, "bmc_management").members.size(), 4u);
  const Member& ipmi = find(on, "bmc_management").members.back();
  EXPECT_EQ(ipmi.application, classify::app::kIpmi20);
  EXPECT_EQ(ipmi.protocol, classify::kUdp);
  EXPECT_TRUE(ipmi.bound_hosts);
}

TEST(Catalogue, BmcManagementIsTlsToBoundHosts) {
  Names names;
  const auto all = applications_of(shipped_catalogue().entries, {}, names);
  for (const Member& member : find(all, "bmc_management").members) {
    EXPECT_EQ(member.application, classify::app::kTls);
    EXPECT_TRUE(member.bound_hosts);
  }
}

TEST(Catalogue, ClearTextManagementIsKnownByPortAndByProtocolOnAnyPort) {
  Names names;
  const auto all = applications_of(shipped_catalogue().entries, {}, names);
  const auto& members = find(all, "clear_text_mgmt").members;
  const auto has = [&](std::optional<AppId> application, uint8_t protocol, size_t ports) {
    return std::any_of(members.begin(), members.end(), [&](const Member& m) {
      return m.application == application && m.protocol == protocol && m.ports.size() == ports;
    });
  };
  EXPECT_TRUE(has(std::nullopt, classify::kTcp, 1));
  EXPECT_TRUE(has(std::nullopt, classify::kUdp, 1));
  EXPECT_TRUE(has(classify::app::kCimXml, classify::kTcp, 0));
  EXPECT_TRUE(has(classify::app::kIpmi15, classify::kUdp, 0));
}

TEST(Catalogue, ASitesEntryReplacesOrAdds) {
  LoadedCatalogue own = parse_catalogue(with_line(kCatalogue, 3, "  - app_id: ssl"), "c.yaml");
  const Catalogue shipped = shipped_catalogue().entries;
  EXPECT_EQ(merged(shipped, own.entries).size(), shipped.size());
  EXPECT_EQ(merged(shipped, own.entries).at("ssl").risk, 3);
  own = parse_catalogue(kCatalogue, "c.yaml");
  EXPECT_EQ(merged(shipped, own.entries).size(), shipped.size() + 1);
}

TEST(Catalogue, PortsAndRangesAreRead) {
  const LoadedCatalogue own = parse_catalogue(kCatalogue, "c.yaml");
  const auto& ports = own.entries.at("backup").members[0].ports;
  ASSERT_EQ(ports.size(), 2u);
  EXPECT_EQ(ports[0], (classify::PortRange{9000, 9000}));
  EXPECT_EQ(ports[1], (classify::PortRange{9100, 9200}));
}

TEST(Catalogue, MistakesHaveTheirLine) {
  EXPECT_THAT(errors_with(1, ""),
              ElementsAre(HasSubstr("c.yaml:2: no key \"catalogue\", expected the version")));
  EXPECT_THAT(errors_with(1, "catalogue: 2"),
              ElementsAre("c.yaml:1: catalogue: found \"2\", expected a whole number from 1 to 1"));
  EXPECT_THAT(errors_with(3, "  - app_id: Backup"),
              ElementsAre("c.yaml:3: app_id: found \"Backup\", expected a lower-case name (a-z, 0-9, _)"));
  EXPECT_THAT(errors_with(4, "    kind: group"),
              ElementsAre("c.yaml:4: kind: found \"group\", expected identified, composite or wildcard"));
  EXPECT_THAT(errors_with(6, "    risk: 9"),
              ElementsAre("c.yaml:6: risk: found \"9\", expected a whole number from 1 to 5"));
  EXPECT_THAT(errors_with(7, "    colour: red\n    members:"),
              ElementsAre(HasSubstr("c.yaml:7: application: unknown key \"colour\"")));
  EXPECT_THAT(errors_with(8, "      - {protocol: tcp, ports: [0]}"),
              ElementsAre(HasSubstr("c.yaml:8: ports: found \"0\", expected a port from 1 to 65535")));
  EXPECT_THAT(errors_with(8, "      - {protocol: tcp, ports: []}"),
              ElementsAre("c.yaml:8: ports: found an empty list, expected a list of ports, or no such key"));
  EXPECT_THAT(errors_with(8, "      - {protocol: icmp, ports: [8]}"),
              ElementsAre(HasSubstr("c.yaml:8: ports: found with a protocol that has none")));
}

TEST(Catalogue, AnApplicationTwiceInAFileIsAnError) {
  const std::string twice = kCatalogue + "  - {app_id: backup, kind: wildcard, category: c, risk: 1}\n";
  EXPECT_THAT(
      texts_of(parse_catalogue(twice, "c.yaml").findings.errors()),
      ElementsAre("c.yaml:9: application \"backup\" is already on line 3, expected each app_id once"));
}

TEST(Catalogue, NamesBetweenEntriesAreChecked) {
  EXPECT_THAT(
      merged_errors_with(8, "      - {application: ssl}"),
      ElementsAre(
          "c.yaml:8: member of backup: found application \"ssl\", expected an identified application such "
          "as tls or dns"));
  EXPECT_THAT(merged_errors_with(4, "    kind: identified"),
              ElementsAre(HasSubstr("no decoder of this build knows it")));
  EXPECT_THAT(merged_errors_with(3, "  - app_id: ssh"),
              ElementsAre("c.yaml:3: application \"ssh\" is what a decoder says, expected kind identified"));
  EXPECT_THAT(merged_errors_with(3, "  - app_id: unidentified"),
              ElementsAre(HasSubstr("is what logs call the unknown")));
  EXPECT_THAT(
      merged_errors_with(8, "      - {ports: [1], protocol: tcp}\n    depends_on: [nothing]"),
      ElementsAre(
          "c.yaml:3: application \"backup\" depends on \"nothing\", expected an app_id of the catalogue"));
}

}  // namespace
}  // namespace postern::control
