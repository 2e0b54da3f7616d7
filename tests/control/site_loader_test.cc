// SPDX-License-Identifier: Apache-2.0
#include "control/site_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "classify/app_ids.h"
#include "tests/control/operator_files.h"
#include "tests/control/site_texts.h"

namespace postern::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SiteLoader : public testing::Test {
 protected:
  SiteLoader() { files_.write("pack.yaml", kSitePack); }

  Loaded load(const std::string& text) { return load_site(files_.write("site.yaml", text), names_); }
  std::vector<std::string> errors_in(const std::string& text) { return texts_of(load(text).errors); }
  std::vector<std::string> errors_with(size_t line, const std::string& replacement) {
    return errors_in(with_line(kSite, line, replacement));
  }
  Site good(const std::string& text = kSite) {
    Loaded loaded = load(text);
    EXPECT_THAT(texts_of(loaded.errors), IsEmpty());
    return loaded.site ? std::move(*loaded.site) : Site{};
  }

  OperatorFiles files_;
  Names names_;
};

TEST_F(SiteLoader, ReadsTheMachine) {
  const Site site = good();
  EXPECT_EQ(site.name, "rack12");
  EXPECT_EQ(site.workers, 2u);
  EXPECT_THAT(site.cores, ElementsAre(2u, 3u));
  EXPECT_EQ(site.flows, 4096u);
  EXPECT_EQ(site.idle, Idle::Sleep);
}

TEST_F(SiteLoader, ReadsWires) {
  const Site site = good();
  ASSERT_EQ(site.wires.size(), 1u);
  const Wire& wire = site.wires[0];
  EXPECT_EQ(wire.name, "front");
  EXPECT_EQ(wire.sides[0], "it");
  EXPECT_EQ(wire.sides[1], "management");
  EXPECT_EQ(wire.ports[0].kind, PortSpec::Kind::AfXdp);
  EXPECT_EQ(wire.ports[0].device, "fw-it0");
  EXPECT_EQ(wire.ports[1].text, "af_packet:fw-mg0");
  EXPECT_EQ(wire.vlan_map.at(10), 110);
  EXPECT_EQ(wire.l2.lldp, L2Action::Drop);
  EXPECT_EQ(wire.l2.arp, L2Action::Pass);
  EXPECT_EQ(wire.l2.pause, L2Action::Drop);
  EXPECT_EQ(names_.side_name(WireId{0}, Side::Second), "management");
}

TEST_F(SiteLoader, ReadsEveryKindOfPort) {
  const Site site = good(with_line(with_line(kSite, 10, "      it: pci:0000:03:00.0"), 11,
                                   "      management: \"pcap:in.pcap,out.pcap\""));
  EXPECT_EQ(site.wires[0].ports[0].kind, PortSpec::Kind::Pci);
  EXPECT_EQ(site.wires[0].ports[0].device, "0000:03:00.0");
  EXPECT_EQ(site.wires[0].ports[1].device, files_.path("in.pcap"));
  EXPECT_EQ(site.wires[0].ports[1].output, files_.path("out.pcap"));
  const Site other =
      good(with_line(with_line(kSite, 10, "      it: tap:t0"), 11, "      management: ring:r0"));
  EXPECT_EQ(other.wires[0].ports[0].kind, PortSpec::Kind::Tap);
  EXPECT_EQ(other.wires[0].ports[1].kind, PortSpec::Kind::Ring);
  const Site virtual_devices = good(with_line(with_line(kSite, 10, "      it: vdev:net_null0"), 11,
                                              "      management: \"vdev:net_null1,size=60\""));
  EXPECT_EQ(virtual_devices.wires[0].ports[0].kind, PortSpec::Kind::Vdev);
  EXPECT_EQ(virtual_devices.wires[0].ports[1].device, "net_null1,size=60");
}

TEST_F(SiteLoader, TheFolderOfCompiledPatternsIsBesideTheSiteFile) {
  EXPECT_EQ(good(kSite).pattern_cache, "");
  EXPECT_EQ(good(with_line(kSite, 6, "mtu: 1500\npattern_cache: state/patterns")).pattern_cache,
            files_.path("state/patterns"));
}

TEST_F(SiteLoader, OnlyPhysicalPortsSpinUnlessTold) {
  const std::string physical =
      with_line(with_line(kSite, 10, "      it: pci:0000:03:00.0"), 11, "      management: pci:0000:03:00.1");
  EXPECT_EQ(good(physical).idle, Idle::Spin);
  EXPECT_EQ(good(with_line(physical, 6, "mtu: 1500\nidle: sleep")).idle, Idle::Sleep);
}

TEST_F(SiteLoader, ReadsZones) {
  const Site site = good();
  ASSERT_EQ(site.policy.zones.size(), 3u);
  EXPECT_EQ(site.policy.zones[0].prefixes.size(), 2u);
  EXPECT_EQ(site.policy.zones[1].vlan, 10);
  EXPECT_EQ(site.policy.zones[2].side, Side::Second);
  EXPECT_EQ(names_.zone_name(site.policy.zones[2].zone), "management");
}

TEST_F(SiteLoader, RulesStandInTheOrderBeforePacksAfter) {
  const Site site = good();
  std::vector<std::string> order;
  for (const classify::Rule& rule : site.policy.rules) order.push_back(rule.pack + "/" + rule.name);
  EXPECT_THAT(order, ElementsAre("site/allow_ntp", "sample/infra_mgmt_web", "sample/clear_text_mgmt",
                                 "site/drop_rest"));
  EXPECT_EQ(names_.rule_name(site.policy.rules[1].id).name, "infra_mgmt_web");
}

TEST_F(SiteLoader, ReadsASiteRule) {
  const classify::Rule rule = good().policy.rules.at(0);
  EXPECT_EQ(rule.action, Action::Allow);
  EXPECT_EQ(rule.sources[0].text(), "10.3.0.0/24");
  EXPECT_EQ(rule.destinations[0].text(), "10.2.0.53/32");
  EXPECT_EQ(rule.protocol, classify::kUdp);
  EXPECT_THAT(rule.ports, ElementsAre(classify::PortRange{123, 123}, classify::PortRange{5000, 5010}));
  EXPECT_EQ(rule.service, classify::Service::Any);
  EXPECT_TRUE(rule.logging.start);
  EXPECT_TRUE(rule.logging.end);
  EXPECT_EQ(names_.forwarding_name(rule.logging.forwarding), "siem_default");
}

TEST_F(SiteLoader, BindsAPackRule) {
  const Site site = good();
  const classify::Rule& web = site.policy.rules.at(1);
  EXPECT_EQ(web.source_zones.size(), 2u);
  EXPECT_THAT(web.identity.groups, ElementsAre("oob_admins"));
  EXPECT_TRUE(web.identity.compliant);
  EXPECT_EQ(web.decryption, classify::DecryptionMode::SslInboundInspection);
  EXPECT_EQ(web.profiles, classify::kIps);
  EXPECT_EQ(web.service, classify::Service::ApplicationDefault);
  EXPECT_TRUE(web.logging.start);
  EXPECT_EQ(names_.application_name(web.application), "infra_mgmt_web");
}

TEST_F(SiteLoader, ADropRuleOfAPackHoldsOnAnyPort) {
  EXPECT_EQ(good().policy.rules.at(2).service, classify::Service::Any);
}

TEST_F(SiteLoader, ReadsSubjects) {
  const Site site = good();
  ASSERT_EQ(site.policy.subjects.size(), 2u);
  EXPECT_EQ(site.policy.subjects[0].name, "alice");
  EXPECT_TRUE(site.policy.subjects[1].compliant);
  EXPECT_EQ(site.policy.subjects[1].address.text(), "10.1.0.9");
}

TEST_F(SiteLoader, BindsServersAndOptIns) {
  const Site site = good();
  for (const classify::Application& application : site.policy.applications) {
    if (application.name == "infra_mgmt_web") {
      EXPECT_EQ(application.servers[0].text(), "10.3.0.10/32");
    }
    if (application.name == "bmc_management") {
      EXPECT_EQ(application.members.size(), 4u);
    }
  }
}

TEST_F(SiteLoader, RelativePathsAreSeenFromTheSiteFile) {
  const Site site = good();
  EXPECT_THAT(site.pack_files, ElementsAre(files_.path("pack.yaml")));
  EXPECT_EQ(site.log_directory, files_.path("logs"));
  EXPECT_EQ(site.forwardings[0].file, files_.path("logs/siem_default.json"));
  EXPECT_EQ(site.forwardings[1].file, "/srv/high.json");
  EXPECT_EQ(site.control_socket, files_.path("run/control.sock"));
}

TEST_F(SiteLoader, ReadsExceptionsBudgetAndTimeouts) {
  const Site site = good();
  EXPECT_EQ(site.policy.exceptions.midstream, classify::ExceptionAction::Pass);
  EXPECT_EQ(site.policy.exceptions.malformed, classify::ExceptionAction::Drop);
  EXPECT_EQ(site.policy.pending.bytes, 4096u);
  EXPECT_EQ(site.policy.timeouts.udp, 90u);
  EXPECT_EQ(site.policy.timeouts.icmp, 10u);
  EXPECT_EQ(names_.forwarding_name(site.policy.default_logging.forwarding), "siem_default");
}

TEST_F(SiteLoader, ASmallSiteFileIsEnough) {
  const Site site = good(
      "site: s\nwires:\n  - {wire: w, sides: {a: tap:a, b: tap:b}}\nzones:\n  - {zone: z, wire: w, side: "
      "a}\n");
  EXPECT_EQ(site.workers, 1u);
  EXPECT_EQ(site.flows, 262144u);
  EXPECT_EQ(site.log_directory, "/var/log/postern");
  EXPECT_EQ(site.control_socket, "/run/postern/control.sock");
  EXPECT_TRUE(site.policy.rules.empty());
}

TEST_F(SiteLoader, ASecondLoadGivesTheSameIds) {
  const Site first = good(), second = good();
  EXPECT_EQ(first.policy.rules[1].id, second.policy.rules[1].id);
  EXPECT_EQ(first.policy.zones[0].zone, second.policy.zones[0].zone);
  EXPECT_EQ(first.policy.rules[1].application, second.policy.rules[1].application);
}

TEST_F(SiteLoader, WiresCannotChangeWhileTheDaemonRuns) {
  good();
  const std::string two = with_line(kSite, 7, "wires:\n  - {wire: new, sides: {a: tap:a, b: tap:b}}");
  EXPECT_THAT(errors_in(two), ElementsAre(HasSubstr("wire new is not where it was"),
                                          HasSubstr("wire front is not where it was")));
}

struct Mistake {
  const char* name;
  size_t line;  // of kSite to replace
  const char* replacement;
  const char* error;  // the one error, or its beginning when it ends in "..."
};

class SiteMistake : public SiteLoader, public testing::WithParamInterface<Mistake> {};

TEST_P(SiteMistake, IsToldWithItsLine) {
  const auto errors = errors_with(GetParam().line, GetParam().replacement);
  ASSERT_EQ(errors.size(), 1u) << testing::PrintToString(errors);
  const std::string expected = GetParam().error;
  if (expected.ends_with("..."))
    EXPECT_THAT(errors[0], testing::StartsWith(expected.substr(0, expected.size() - 3)));
  else
    EXPECT_EQ(errors[0], expected);
}

const Mistake kMistakes[] = {
    {"NoSiteName", 1, "packs: []\ncatalogues: []\nworkers: 2",
     "site.yaml:4: key \"packs\" is already on line 1; expected each key once"},
    {"MissingSiteName", 1, "", "site.yaml:2: site: no key \"site\", expected a name of letters, ..."},
    {"BadSiteName", 1, "site: a b", "site.yaml:1: site: found \"a b\", expected a name of letters, ..."},
    {"UnknownKey", 3, "workers: 2\nwirez: []", "site.yaml:4: site: unknown key \"wirez\", expected ..."},
    {"PackTwice", 2, "packs: [pack.yaml, ./pack.yaml]", "site.yaml:2: packs: found ..."},
    {"PackMissing", 2, "packs: [pack.yaml, none.yaml]",
     "none.yaml: cannot be opened: No such file or directory"},
    {"PackNoText", 2, "packs: [pack.yaml, [a]]", "site.yaml:2: packs: found a list, expected a pack file"},
    {"CatalogueMissing", 3, "workers: 2\ncatalogues: [c.yaml]",
     "c.yaml: cannot be opened: No such file or directory"},
    {"NoWorkers", 3, "workers: 0\n",
     "site.yaml:3: workers: found \"0\", expected a whole number from 1 to 64"},
    {"OctalNumber", 5, "flows: 04096",
     "site.yaml:5: flows: found \"04096\", expected a whole number from 16 to 67108864"},
    {"QuotedNumber", 5, "flows: \"4096\"",
     "site.yaml:5: flows: found \"4096\", expected a whole number from 16 to 67108864"},
    {"CoreCount", 4, "cores: [2]", "site.yaml:4: cores: found 1, expected 2, one for each of the workers"},
    {"CoreTwice", 4, "cores: [2, 3, 3]",
     "site.yaml:4: cores: found \"3\", expected core numbers from 0 to 1023, each once"},
    {"Mtu", 6, "mtu: 9001", "site.yaml:6: mtu: found \"9001\", expected a whole number from 576 to 9000"},
    {"Idle", 6, "mtu: 1500\nidle: nap", "site.yaml:7: idle: found \"nap\", expected sleep or spin"},
    {"OnFailureOpen", 13, "    on_failure: open",
     "site.yaml:13: on_failure: found open, which takes an adapter with a hardware bypass; expected closed"},
    {"OnFailure", 13, "    on_failure: ajar",
     "site.yaml:13: on_failure: found \"ajar\", expected closed or open"},
    {"L2Key", 14, "    l2: {cdp: drop}", "site.yaml:14: l2: unknown key \"cdp\", expected arp, nd, ..."},
    {"L2Value", 14, "    l2: {arp: maybe}", "site.yaml:14: arp: found \"maybe\", expected pass or drop"},
    {"VlanRange", 12, "    vlan_map: {10: 4095}",
     "site.yaml:12: vlan_map: found \"10\": \"4095\", expected a mapping of VLAN ids ..."},
    {"VlanOneToOne", 12, "    vlan_map:\n      10: 110\n      11: 110",
     "site.yaml:14: vlan_map: found VLAN 110 of the second side twice (also on line 13), expected one to "
     "one"},
    {"PortKind", 10, "      it: eth:fw-it0",
     "site.yaml:10: it: found \"eth:fw-it0\", expected pci:0000:03:00.0, ..."},
    {"PciAddress", 10, "      it: pci:03:00.0",
     "site.yaml:10: it: found \"pci:03:00.0\", expected pci:0000:03:00.0, ..."},
    {"InterfaceLength", 10, "      it: af_xdp:sixteen_letters_", "site.yaml:10: it: found ..."},
    {"DeviceArguments", 10, "      it: \"af_xdp:eth0,start_queue=1\"", "site.yaml:10: it: found ..."},
    {"VdevTwice", 10, "      it: \"vdev:fw-mg0,size=60\"",
     "site.yaml:11: management: found \"af_packet:fw-mg0\", whose port is already used on line 10, expected "
     "each port once"},
    {"PortTwice", 11, "      management: af_packet:fw-it0",
     "site.yaml:11: management: found \"af_packet:fw-it0\", whose port is already used on line 10, expected "
     "each port once"},
    {"ThirdSide", 11, "      management: af_packet:fw-mg0\n      third: tap:t",
     "site.yaml:10: sides: found 3 sides, expected exactly two sides, each a name and a port"},
    {"WireNameTwice", 15, "  - {wire: front, sides: {a: tap:a, b: tap:b}}\nzones:",
     "site.yaml:15: wire: found \"front\", which is also on line 8, expected unique names"},
    {"ZoneWire", 18, "  - {zone: management, wire: back, side: management}",
     "site.yaml:18: wire: found \"back\", expected the name of a wire above"},
    {"ZoneSide", 17,
     "  - {zone: internal, wire: front, side: left, vlan: 10}\n  - {zone: internal, wire: front, side: it, "
     "vlan: 11}",
     "site.yaml:17: side: found \"left\", expected it or management, the sides of wire front"},
    {"ZoneVlan", 17, "  - {zone: internal, wire: front, side: it, vlan: 0, prefixes: [10.2.0.0/24]}",
     "site.yaml:17: vlan: found \"0\", expected a whole number from 1 to 4094"},
    {"ZoneOverlap", 17, "  - {zone: internal, wire: front, side: it, prefixes: [10.1.0.0/24]}",
     "site.yaml:17: zone internal: 10.1.0.0/24 is zone trust on line 16, expected one zone per wire, side, "
     "VLAN and prefix"},
    {"HostBits", 16, "  - {zone: trust, wire: front, side: it, prefixes: [10.1.0.1/24]}",
     "site.yaml:16: prefixes: found \"10.1.0.1/24\", expected an address or a prefix ..."},
    {"V6TakesInV4", 16, "  - {zone: trust, wire: front, side: it, prefixes: [\"::/0\"]}",
     "site.yaml:16: prefixes: found \"::/0\", which takes in IPv4 too; ..."},
    {"EmptyPrefixes", 16, "  - {zone: trust, wire: front, side: it, prefixes: []}",
     "site.yaml:16: prefixes: found an empty list, expected a list of prefixes or addresses, or no such key"},
    {"UnknownApplication", 20, "  infra_mgmt: {servers: [10.3.0.10]}",
     "site.yaml:20: applications: found \"infra_mgmt\", expected an app_id of the catalogue"},
    {"ServersOfUnbound", 20, "  dns: {servers: [10.3.0.10]}",
     "site.yaml:20: servers: dns is not bound to hosts in the catalogue, expected no servers for it"},
    {"OptIn", 21, "  bmc_management: {servers: [10.4.0.0/24], opt_in: [ipmi_1_5]}",
     "site.yaml:21: opt_in: found \"ipmi_1_5\", expected a member of bmc_management that the catalogue marks "
     "opt_in"},
    {"EmptyGroup", 23, "  groups: {deployment_defined: []}",
     "site.yaml:23: deployment_defined: found an empty list, expected a list of directory groups, or no such "
     "key"},
    {"UserAddress", 24, "  users:   [{user: alice, address: 10.1.0.0/24}]",
     "site.yaml:24: address: found \"10.1.0.0/24\", expected an IPv4 or IPv6 address"},
    {"AddressTwice", 25, "  devices: [{device: vcenter, address: 10.1.0.5}]",
     "site.yaml:25: address: found 10.1.0.5, which is also on line 24, expected one user or device per "
     "address"},
    {"UserAndDevice", 25, "  devices: [{device: alice, address: 10.1.0.9}]",
     "site.yaml:25: device: found \"alice\", which is also a user, expected another name"},
    {"Posture", 24, "  users:   [{user: alice, address: 10.1.0.5, posture: good}]",
     "site.yaml:24: posture: found \"good\", expected compliant or non_compliant"},
    {"RuleName", 28, "    - rule: drop_rest",
     "site.yaml:39: rule: found \"drop_rest\" twice, expected unique names"},
    {"RuleAction", 29, "      action: reject",
     "site.yaml:29: action: found \"reject\", expected allow or drop"},
    {"RuleNoAction", 40, "", "site.yaml:39: rule drop_rest: no key \"action\", expected allow or drop"},
    {"RuleZone", 30, "      zones: {source: [dmz], destination: [internal]}",
     "site.yaml:30: source: found \"dmz\", expected a zone of the site's zones"},
    {"RuleNoZones", 30, "",
     "site.yaml:28: rule allow_ntp: no key \"zones\", expected the lists source and destination"},
    {"RuleNoDestination", 30, "      zones: {source: [trust]}",
     "site.yaml:30: zones: no key \"destination\", expected a list of zones"},
    {"RuleEmptySource", 31, "      source: []", "site.yaml:31: source: found an empty list, ..."},
    {"RuleSourceOfNothing", 31,
     "      source:", "site.yaml:31: source: found nothing, expected a list of prefixes or addresses"},
    {"RuleProtocol", 33, "      protocol: quic",
     "site.yaml:33: protocol: found \"quic\", expected tcp, udp, ..."},
    {"RulePortsWithoutProtocol", 33, "", "site.yaml:34: ports: found with a protocol that has none, ..."},
    {"RulePort", 34, "      ports: [65536]",
     "site.yaml:34: ports: found \"65536\", expected a port from 1 to 65535 or a range such as "
     "\"5000-5010\""},
    {"RulePortRange", 34, "      ports: [\"20-10\"]", "site.yaml:34: ports: found \"20-10\", ..."},
    {"RuleApplication", 35, "      application: gopher",
     "site.yaml:35: application: found \"gopher\", expected an app_id of the catalogue"},
    {"RuleService", 36, "      service: default",
     "site.yaml:36: service: found \"default\", expected application_default or any"},
    {"RuleForwarding", 37, "      logging: {forwarding: siem_low}",
     "site.yaml:37: forwarding: found \"siem_low\", expected a key of logging.forwarding"},
    {"RuleKey", 37, "      identity: {groups: [a]}",
     "site.yaml:37: rule: unknown key \"identity\", expected ..."},
    {"DefaultRule", 47, "  default_rule: siem_low",
     "site.yaml:47: default_rule: found \"siem_low\", expected a key of logging.forwarding"},
    {"LogFileOutside", 46, "    siem_high_priority: {file: ../high.json}",
     "site.yaml:46: file: found \"../high.json\", expected a file below the log directory ..."},
    {"ForwardingUnknownToSite", 46, "    siem_low: {file: low.json}",
     "pack.yaml:18: rule infra_mgmt_web (index 0): forwarding \"siem_high_priority\" is not known to the "
     "site, expected a key of logging.forwarding: siem_default, siem_low"},
    {"StatsSeconds", 48, "  stats_seconds: -1",
     "site.yaml:48: stats_seconds: found \"-1\", expected a whole number from 0 to 86400"},
    {"ExceptionCause", 50, "  overload: pass",
     "site.yaml:50: exceptions: unknown key \"overload\", expected malformed, ..."},
    {"ExceptionAction", 50, "  midstream: reject",
     "site.yaml:50: midstream: found \"reject\", expected drop, pass or bypass"},
    {"Pending", 51, "pending: {packets: 0}",
     "site.yaml:51: packets: found \"0\", expected a whole number from 1 to 10000"},
    {"Timeouts", 52, "timeouts: {udp: 0}",
     "site.yaml:52: udp: found \"0\", expected a whole number from 1 to 604800"},
    {"ControlKey", 53, "control: {port: 1}",
     "site.yaml:53: control: unknown key \"port\", expected socket or group"},
    {"SectionKind", 53, "control: [a]", "site.yaml:53: control: found a list, expected a mapping"},
    {"GroupUnbound", 23, "  groups: {other: [oob_admins]}",
     "pack.yaml:15: rule infra_mgmt_web (index 0): group \"deployment_defined\" is not bound by the site, "
     "expected a key of identity.groups: other"},
};

INSTANTIATE_TEST_SUITE_P(Every, SiteMistake, testing::ValuesIn(kMistakes),
                         [](const auto& mistake) { return mistake.param.name; });

TEST_F(SiteLoader, MistakesOfAllFilesAreToldInOneRun) {
  files_.write("pack.yaml",
               with_line(kSitePack, 13, "    zones: {source: [dmz], destination: [management]}"));
  EXPECT_THAT(
      errors_with(6, "mtu: 1"),
      ElementsAre(
          HasSubstr("site.yaml:6: mtu"),
          "pack.yaml:13: rule infra_mgmt_web (index 0): zone \"dmz\" is not bound by the site, expected "
          "one of its zones: internal, management, trust"));
}

TEST_F(SiteLoader, AnApplicationOutsideTheCatalogueIsAnError) {
  files_.write(
      "pack.yaml",
      with_line(kSitePack, 23, "    application: {app_id: gopher, category: infrastructure, risk: 4}"));
  EXPECT_THAT(errors_in(kSite),
              ElementsAre(HasSubstr("pack.yaml:23: rule gopher (index 1): application \"gopher\" is not in "
                                    "the catalogue, expected one of: ")));
}

TEST_F(SiteLoader, ASitesCatalogueAddsAnApplication) {
  files_.write(
      "pack.yaml",
      with_line(kSitePack, 23, "    application: {app_id: gopher, category: infrastructure, risk: 4}"));
  files_.write(
      "own.yaml",
      "catalogue: 1\napplications:\n  - {app_id: gopher, kind: composite, category: c, risk: 5, members: "
      "[{protocol: tcp, ports: [23]}]}\n");
  EXPECT_THAT(errors_with(3, "workers: 2\ncatalogues: [own.yaml]"), IsEmpty());
}

TEST_F(SiteLoader, AnEmptyFileSaysWhatIsExpected) {
  EXPECT_THAT(errors_in("# nothing\n")[0],
              "site.yaml:1: found nothing, expected a site file with the keys site, wires and zones");
}

TEST_F(SiteLoader, SixtyFourWiresAreReadAndSixtyFiveAreNot) {
  const auto wires = [](int count) {
    std::string text = "site: s\nwires:\n";
    for (int i = 0; i < count; ++i) {
      const std::string n = std::to_string(i);
      text += "  - {wire: w" + n + ", sides: {a: tap:a" + n + ", b: tap:b" + n + "}}\n";
    }
    return text + "zones:\n  - {zone: z, wire: w0, side: a}\n";
  };
  EXPECT_THAT(errors_in(wires(64)), IsEmpty());
  EXPECT_THAT(errors_in(wires(65)), ElementsAre("site.yaml:67: wires: found 65, expected at most 64"));
}

TEST_F(SiteLoader, TenThousandRulesAreRead) {
  std::string text = kSite.substr(0, kSite.find("  after:\n")) + "  after:\n";
  for (int i = 0; i < 10'000; ++i)
    text += "    - {rule: r" + std::to_string(i) +
            ", action: allow, zones: {source: [trust], destination: [management]}, "
            "source: [10.1.0." +
            std::to_string(i % 250) + "], protocol: tcp, ports: [" + std::to_string(1 + i) + "]}\n";
  text += kSite.substr(kSite.find("logging:\n  directory"));
  EXPECT_EQ(good(text).policy.rules.size(), 10'003u);
}

}  // namespace
}  // namespace postern::control
