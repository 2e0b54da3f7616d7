// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "classify/app_ids.h"
#include "classify/application_engine.h"
#include "control/catalogue_loader.h"
#include "tests/control/operator_files.h"

namespace postern::control {
namespace {

using classify::Application;
using classify::Member;
using testing::Contains;
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

TEST(Catalogue, TheShippedOneIsEveryFileOfTheRepository) {
  size_t entries = 0;
  for (const auto& file : std::filesystem::directory_iterator(source_file("deploy/catalogue"))) {
    const LoadedCatalogue loaded = load_catalogue(file.path());
    EXPECT_THAT(texts_of(loaded.findings.errors()), ElementsAre());
    entries += loaded.entries.size();
  }
  EXPECT_EQ(entries, shipped_catalogue().entries.size());
}

TEST(Catalogue, TheShippedOneCompiles) {
  Names names;
  const Catalogue shipped = shipped_catalogue().entries;
  classify::PatternCache cache;
  const auto engine = classify::ApplicationEngine::compile(signatures_of(shipped, names),
                                                           applications_of(shipped, {}, names), cache);
  EXPECT_TRUE(engine) << engine.error().text();
}

// quic comes with the decoders of datagrams.
TEST(Catalogue, WhatCodeKnowsByNameIsIdentified) {
  const Catalogue shipped = shipped_catalogue().entries;
  for (const auto& [id, name] : classify::app::kFixed) {
    if (id == classify::app::kQuic && !shipped.contains("quic")) continue;
    ASSERT_TRUE(shipped.contains(std::string(name))) << name;
    EXPECT_EQ(shipped.at(std::string(name)).kind, ApplicationKind::Identified) << name;
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
  EXPECT_EQ(ipmi.application, names.application("ipmi_2_0"));
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
  EXPECT_TRUE(has(names.application("cim_xml"), classify::kTcp, 0));
  EXPECT_TRUE(has(names.application("ipmi_1_5"), classify::kUdp, 0));
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
  EXPECT_THAT(
      merged_errors_with(4, "    kind: identified"),
      ElementsAre("c.yaml:3: application \"backup\" is identified and nothing recognises it, expected "
                  "a list of signatures, or kind composite"));
  EXPECT_THAT(merged_errors_with(3, "  - app_id: http"),
              Contains("c.yaml:3: application \"http\" is one that the program knows by name, expected kind "
                       "identified"));
  EXPECT_THAT(merged_errors_with(3, "  - app_id: unidentified"),
              ElementsAre(HasSubstr("is what logs call the unknown")));
  EXPECT_THAT(
      merged_errors_with(8, "      - {ports: [1], protocol: tcp}\n    depends_on: [nothing]"),
      ElementsAre(
          "c.yaml:3: application \"backup\" depends on \"nothing\", expected an app_id of the catalogue"));
}

const std::string kIdentified =
    R"(catalogue: 1
applications:
  - app_id: parent
    kind: identified
    category: infrastructure
    risk: 3
    members:
      - {protocol: tcp, ports: [7700]}
    signatures:
      - {layer: tcp, sender: client, pattern: '^INVENTORY/[12] ', nocase: true, min_bytes: 12, confidence: high, ports: [7700]}
      - {layer: udp, sender: either, decoder: slp, confidence: low, ports: ["7700-7710"], bound_hosts: true}
  - app_id: child
    kind: identified
    parent: parent
    category: infrastructure
    risk: 3
    signatures:
      - {layer: http, sender: client, pattern: 'x', confidence: medium}
)";

std::vector<std::string> signature_errors_with(const std::string& replacement) {
  return texts_of(parse_catalogue(with_line(kIdentified, 10, replacement), "c.yaml").findings.errors());
}
std::vector<std::string> parent_errors_with(size_t line, const std::string& replacement) {
  LoadedCatalogue own = parse_catalogue(with_line(kIdentified, line, replacement), "c.yaml");
  EXPECT_TRUE(own.findings.clean());
  return texts_of(check_catalogue(merged(shipped_catalogue().entries, std::move(own.entries))).errors());
}

TEST(Signatures, AreReadWithAllTheirKeys) {
  const LoadedCatalogue own = parse_catalogue(kIdentified, "c.yaml");
  ASSERT_THAT(texts_of(own.findings.errors()), ElementsAre());
  const auto& signatures = own.entries.at("parent").signatures;
  ASSERT_EQ(signatures.size(), 2u);
  EXPECT_EQ(signatures[0].layer, classify::Layer::Tcp);
  EXPECT_EQ(signatures[0].sender, classify::Sender::Client);
  EXPECT_EQ(signatures[0].pattern, "^INVENTORY/[12] ");
  EXPECT_TRUE(signatures[0].nocase);
  EXPECT_EQ(signatures[0].min_bytes, 12);
  EXPECT_EQ(signatures[0].confidence, classify::Confidence::High);
  EXPECT_FALSE(signatures[0].bound_hosts);
  EXPECT_EQ(signatures[0].file, "c.yaml");
  EXPECT_EQ(signatures[0].line, 10u);
  EXPECT_EQ(signatures[1].layer, classify::Layer::Udp);
  EXPECT_EQ(signatures[1].sender, classify::Sender::Either);
  EXPECT_EQ(signatures[1].decoder, "slp");
  EXPECT_EQ(signatures[1].confidence, classify::Confidence::Low);
  EXPECT_THAT(signatures[1].ports, ElementsAre(classify::PortRange{7700, 7710}));
  EXPECT_TRUE(signatures[1].bound_hosts);
}

TEST(Signatures, MistakesHaveTheirLineAndSayWhatWasExpected) {
  const std::string start = "      - {layer: tcp, sender: client, confidence: high";
  EXPECT_THAT(
      signature_errors_with(start + "}"),
      ElementsAre("c.yaml:10: signature of parent: neither pattern nor decoder, expected one at least"));
  EXPECT_THAT(signature_errors_with(start + ", decoder: sss}"),
              ElementsAre(testing::StartsWith("c.yaml:10: decoder: found \"sss\", expected tls, ")));
  EXPECT_THAT(signature_errors_with("      - {layer: tcp, sender: client, pattern: x, confidence: low}"),
              ElementsAre("c.yaml:10: signature of parent: confidence low without ports, expected the ports "
                          "where it is believed"));
  EXPECT_THAT(signature_errors_with("      - {layer: icmp, sender: client, pattern: x, confidence: high}"),
              ElementsAre("c.yaml:10: signature of parent: a pattern on layer icmp, expected a decoder"));
  EXPECT_THAT(signature_errors_with("      - {layer: udq, sender: client, pattern: x, confidence: high}"),
              ElementsAre("c.yaml:10: layer: found \"udq\", expected tcp, udp, icmp, http or tls"));
  EXPECT_THAT(signature_errors_with("      - {layer: tcp, sender: both, pattern: x, confidence: high}"),
              ElementsAre("c.yaml:10: sender: found \"both\", expected client, server or either"));
  EXPECT_THAT(signature_errors_with("      - {layer: tcp, pattern: x}"),
              ElementsAre(HasSubstr("c.yaml:10: signature of parent: no key \"sender\"")));
  EXPECT_THAT(
      signature_errors_with(start + ", pattern: x, min_bytes: 2049}"),
      ElementsAre(HasSubstr("c.yaml:10: min_bytes: found \"2049\", expected a whole number from 1 to 2048")));
  EXPECT_THAT(signature_errors_with(start + ", pattern: x, offset: 3}"),
              ElementsAre(HasSubstr("c.yaml:10: signature of parent: unknown key \"offset\"")));
}

TEST(Signatures, BelongToIdentifiedEntriesOnly) {
  EXPECT_THAT(errors_with(7, "    signatures: []\n    members:"),
              ElementsAre(HasSubstr("c.yaml:7: application: unknown key \"signatures\"")));
}

TEST(Signatures, OfASiteComeBeforeTheShippedOnesInTheOrderOfTheFile) {
  Names names;
  LoadedCatalogue own = parse_catalogue(kIdentified, "c.yaml");
  const auto all = signatures_of(merged(shipped_catalogue().entries, std::move(own.entries)), names);
  ASSERT_GT(all.size(), 3u);
  EXPECT_EQ(all[0].application, names.application("parent"));
  EXPECT_EQ(all[1].application, names.application("parent"));
  EXPECT_EQ(all[2].application, names.application("child"));
  EXPECT_EQ(all[3].file, "shipped management.yaml");
}

TEST(Parents, GiveTheirMembersToAnEntryWithoutAny) {
  Names names;
  const LoadedCatalogue own = parse_catalogue(kIdentified, "c.yaml");
  const auto all = applications_of(own.entries, {}, names);
  const Application& child = find(all, "child");
  EXPECT_EQ(child.parent, names.application("parent"));
  ASSERT_EQ(child.members.size(), 1u);
  EXPECT_EQ(child.members[0].application, child.id);
  EXPECT_THAT(child.members[0].ports, ElementsAre(classify::PortRange{7700, 7700}));
}

TEST(Parents, AreIdentifiedEntriesWithoutACircle) {
  EXPECT_THAT(
      parent_errors_with(14, "    parent: nobody"),
      ElementsAre("c.yaml:12: application \"child\": found parent \"nobody\", expected another identified "
                  "application"));
  EXPECT_THAT(parent_errors_with(14, "    parent: ssl"), ElementsAre(HasSubstr("found parent \"ssl\"")));
  EXPECT_THAT(parent_errors_with(6, "    risk: 3\n    parent: child"),
              ElementsAre(HasSubstr("\"child\" is its own parent through others"),
                          HasSubstr("\"parent\" is its own parent through others")));
  EXPECT_THAT(parent_errors_with(14, "    parent: child"),
              ElementsAre(HasSubstr("\"child\" is its own parent through others")));
}

TEST(Parents, MayLeaveTheirSignaturesToTheirChildren) {
  const std::string text =
      "catalogue: 1\napplications:\n"
      "  - {app_id: family, kind: identified, category: c, risk: 1, members: [{protocol: tcp}]}\n"
      "  - app_id: child\n    kind: identified\n    parent: family\n    category: c\n    risk: 1\n"
      "    signatures: [{layer: tcp, sender: client, pattern: x, confidence: high}]\n";
  LoadedCatalogue own = parse_catalogue(text, "c.yaml");
  EXPECT_THAT(texts_of(own.findings.errors()), ElementsAre());
  EXPECT_THAT(texts_of(check_catalogue(merged(shipped_catalogue().entries, std::move(own.entries))).errors()),
              ElementsAre());
}

TEST(Catalogue, HoldsFourThousandEntriesAtMost) {
  Catalogue many = shipped_catalogue().entries;
  for (size_t i = many.size(); i <= 4000; ++i) {
    CatalogueEntry entry = many.at("any_application");
    entry.app_id = "app" + std::to_string(i);
    many.emplace(entry.app_id, entry);
  }
  ASSERT_EQ(many.size(), 4001u);
  EXPECT_THAT(texts_of(check_catalogue(many).errors()),
              ElementsAre("the catalogue has 4001 applications, expected at most 4000"));
  many.erase("app4000");
  EXPECT_THAT(texts_of(check_catalogue(many).errors()), ElementsAre());
}

}  // namespace
}  // namespace postern::control
