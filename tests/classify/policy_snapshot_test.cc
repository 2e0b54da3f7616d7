// SPDX-License-Identifier: Apache-2.0
#include "classify/policy_snapshot.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "policy_builder.h"

namespace postern::classify {
namespace {

std::string error_of(Policy policy) {
  const auto result = PolicySnapshot::compile(std::move(policy));
  return result ? "" : result.error().message;
}

Decision one_rule(Action action, AppId application, const FlowFacts& facts,
                  Service service = Service::ApplicationDefault) {
  Policy policy = empty_policy();
  add_rule(policy, action, application).service = service;
  // The rule lives in the snapshot, so only whether there is one may be looked at.
  return compiled(std::move(policy))->decide(facts);
}
enum class Answer { No, Maybe, Yes };
Answer allow_answer(AppId application, const FlowFacts& facts,
                    Service service = Service::ApplicationDefault) {
  const Decision decision = one_rule(Action::Allow, application, facts, service);
  if (!decision.final) return Answer::Maybe;
  return decision.rule ? Answer::Yes : Answer::No;
}

TEST(Hopeless, IsAPortOnWhichNoRuleMayAllow) {
  Policy policy = empty_policy();
  add_rule(policy, Action::Allow, kBmcManagement);
  add_rule(policy, Action::Drop, kClearTextMgmt);
  const auto snapshot = compiled(std::move(policy));
  const auto hopeless = [&](uint8_t protocol, uint16_t port) {
    return snapshot->hopeless(kTrust, kManagement, protocol, port);
  };
  EXPECT_FALSE(hopeless(kTcp, 443)) << "may be allowed";
  EXPECT_FALSE(hopeless(kUdp, 623)) << "may be allowed";
  EXPECT_FALSE(hopeless(kTcp, 5988)) << "dropped by a rule, not by the default";
  EXPECT_TRUE(hopeless(kTcp, 442));
  EXPECT_TRUE(hopeless(kTcp, 623)) << "only over UDP";
  EXPECT_TRUE(hopeless(kUdp, 5000)) << "what the other rule says then only drops, too";
  EXPECT_FALSE(hopeless(kIcmp, 0)) << "has no ports";
}

TEST(Hopeless, IsNoPortWhereTheApplicationMayBeOnAny) {
  Policy policy = empty_policy();
  add_rule(policy, Action::Allow, app::kTls).service = Service::Any;
  const auto snapshot = compiled(std::move(policy));
  EXPECT_FALSE(snapshot->hopeless(kTrust, kManagement, kTcp, 9));
  EXPECT_TRUE(snapshot->hopeless(kTrust, kManagement, kUdp, 9)) << "TLS does not run there";
}

TEST(Hopeless, IsEveryPortOfZonesThatNoRuleNames) {
  Policy policy = empty_policy();
  add_rule(policy, Action::Allow, kAnyApplication);
  const auto snapshot = compiled(std::move(policy));
  EXPECT_TRUE(snapshot->hopeless(kManagement, kTrust, kTcp, 443));
  EXPECT_FALSE(snapshot->hopeless(kTrust, kManagement, kTcp, 443));
}

TEST(Decide, WithoutRulesDrops) {
  const Decision decision = compiled(empty_policy())->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 443));
  EXPECT_EQ(decision.rule, nullptr);
  EXPECT_TRUE(decision.final);
  EXPECT_FALSE(decision.could_allow);
  EXPECT_EQ(decision.action(), Action::Drop);
}

TEST(Decide, TakesTheFirstRuleThatMatches) {
  Policy policy = empty_policy();
  add_rule(policy, Action::Drop, kAnyApplication).ports = {{22, 22}};
  policy.rules.back().protocol = kTcp;
  add_rule(policy, Action::Allow, kAnyApplication);
  add_rule(policy, Action::Drop, kAnyApplication);
  const auto snapshot = compiled(std::move(policy));
  EXPECT_EQ(snapshot->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 22)).rule->name, "rule0");
  const Decision decision = snapshot->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 23));
  EXPECT_EQ(decision.rule->name, "rule1");
  EXPECT_TRUE(decision.final);
  EXPECT_TRUE(decision.could_allow);
}

// The rule's first objection to a TLS flow of 10.1.0.5 to 10.3.0.1:443.
Objection objection(const std::function<void(Rule&)>& change, AppId wanted = kAnyApplication,
                    AppId is = app::kTls) {
  Policy policy = empty_policy();
  add_rule(policy, Action::Allow, wanted);
  change(policy.rules[0]);
  const auto snapshot = compiled(std::move(policy));
  FlowFacts facts = flow("10.1.0.5", "10.3.0.1", kTcp, 443);
  facts.application = is;
  const Rule& rule = snapshot->policy().rules[0];
  const Objection found = snapshot->objection_of(rule, facts);
  EXPECT_EQ(found == Objection::None, snapshot->opinion_of(rule, facts) == Match::Yes);
  return found;
}

TEST(Objection, NamesTheFirstConditionThatFails) {
  EXPECT_EQ(objection([](Rule&) {}), Objection::None);
  EXPECT_EQ(objection([](Rule& rule) { rule.source_zones = {kInternal}; }), Objection::SourceZone);
  EXPECT_EQ(objection([](Rule& rule) { rule.destination_zones = {kInternal}; }), Objection::DestinationZone);
  EXPECT_EQ(objection([](Rule& rule) { rule.protocol = kUdp; }), Objection::Protocol);
  EXPECT_EQ(objection([](Rule& rule) {
              rule.protocol = kTcp;
              rule.ports = {{22, 22}};
            }),
            Objection::Port);
  EXPECT_EQ(objection([](Rule& rule) { rule.destinations = {prefix("10.9.0.0/16")}; }),
            Objection::Destination);
  EXPECT_EQ(objection([](Rule& rule) { rule.sources = {prefix("10.9.0.0/16")}; }), Objection::Source);
  EXPECT_EQ(objection([](Rule& rule) { rule.identity.groups = {"admins"}; }), Objection::Identity);
}

TEST(Objection, TellsTheApplicationFromItsPlace) {
  const auto plain = [](Rule&) {};
  EXPECT_EQ(objection(plain, app::kSsh), Objection::Application);
  EXPECT_EQ(objection(plain, app::kSsh, app::kSsh), Objection::UsualPort);
  EXPECT_EQ(objection([](Rule& rule) { rule.service = Service::Any; }, app::kSsh, app::kSsh),
            Objection::None);
  EXPECT_EQ(objection(plain, app::kTls, kApplicationPending), Objection::Application) << "may still be";
  EXPECT_EQ(objection(plain, kBmcManagement), Objection::Host) << "10.3.0.1 is no BMC";
}

TEST(Decide, NeverMatchesWithoutZone) {
  Policy policy = empty_policy();
  add_rule(policy, Action::Allow, kAnyApplication);
  const auto snapshot = compiled(std::move(policy));
  FlowFacts facts = flow("10.1.0.5", "10.3.0.1", kTcp, 443);
  EXPECT_NE(snapshot->decide(facts).rule, nullptr);
  facts.source_zone = kNoZone;
  EXPECT_EQ(snapshot->decide(facts).rule, nullptr);
  facts.source_zone = kTrust;
  facts.destination_zone = kNoZone;
  EXPECT_EQ(snapshot->decide(facts).rule, nullptr);
  facts.destination_zone = Zone{200};
  EXPECT_EQ(snapshot->decide(facts).rule, nullptr);
}

TEST(Decide, AppliesARuleToEveryPairOfItsZonesAndNoOther) {
  Policy policy = empty_policy();
  Rule& rule = add_rule(policy, Action::Allow, kAnyApplication);
  rule.source_zones = {kTrust, kInternal, kTrust};
  rule.destination_zones = {kManagement};
  const auto snapshot = compiled(std::move(policy));
  FlowFacts facts = flow("10.1.0.5", "10.3.0.1", kTcp, 443);
  facts.source_zone = kInternal;
  EXPECT_NE(snapshot->decide(facts).rule, nullptr);
  facts.source_zone = kManagement;
  EXPECT_EQ(snapshot->decide(facts).rule, nullptr);
  facts.source_zone = kManagement;
  facts.destination_zone = kTrust;
  EXPECT_EQ(snapshot->decide(facts).rule, nullptr);
}

TEST(Decide, AnIdentifiedApplicationMustBeOnItsUsualPorts) {
  EXPECT_EQ(allow_answer(app::kTls, flow("10.1.0.5", "10.3.0.1", kTcp, 8443, app::kTls)), Answer::Yes);
  EXPECT_EQ(allow_answer(app::kTls, flow("10.1.0.5", "10.3.0.1", kTcp, 4433, app::kTls)), Answer::No);
  EXPECT_EQ(allow_answer(app::kTls, flow("10.1.0.5", "10.3.0.1", kTcp, 4433, app::kTls), Service::Any),
            Answer::Yes);
  EXPECT_EQ(allow_answer(app::kTls, flow("10.1.0.5", "10.3.0.1", kTcp, 443, app::kHttp)), Answer::No);
}

TEST(Decide, WaitsForAnApplicationThatCanStillCome) {
  EXPECT_EQ(allow_answer(app::kTls, flow("10.1.0.5", "10.3.0.1", kTcp, 443)), Answer::Maybe);
  EXPECT_EQ(allow_answer(app::kTls, flow("10.1.0.5", "10.3.0.1", kTcp, 4433)), Answer::No);
  EXPECT_EQ(allow_answer(app::kTls, flow("10.1.0.5", "10.3.0.1", kTcp, 4433), Service::Any), Answer::Maybe);
  EXPECT_EQ(allow_answer(app::kTls, flow("10.1.0.5", "10.3.0.1", kUdp, 443), Service::Any), Answer::No);
  EXPECT_EQ(allow_answer(app::kDns, flow("10.1.0.5", "10.3.0.1", kTcp, 53)), Answer::Maybe);
  EXPECT_EQ(allow_answer(app::kIcmpEcho, flow("10.1.0.5", "10.3.0.1", kIcmp, 0)), Answer::Maybe);
  EXPECT_EQ(allow_answer(app::kIcmpEcho, flow("10.1.0.5", "10.3.0.1", kTcp, 0), Service::Any), Answer::No);
}

TEST(Decide, AnUnidentifiedFlowMatchesOnlyRulesThatNeedNoApplication) {
  EXPECT_EQ(allow_answer(app::kTls, flow("10.1.0.5", "10.3.0.1", kTcp, 443, kApplicationUnidentified)),
            Answer::No);
  EXPECT_EQ(allow_answer(kAnyApplication, flow("10.1.0.5", "10.3.0.1", kTcp, 443, kApplicationUnidentified)),
            Answer::Yes);
  EXPECT_EQ(allow_answer(kPortOnly, flow("10.1.0.5", "10.3.0.1", kTcp, 9000, kApplicationUnidentified)),
            Answer::Yes);
}

TEST(Decide, ABoundApplicationMatchesOnlyItsServers) {
  EXPECT_EQ(allow_answer(kBmcManagement, flow("10.3.0.1", "10.4.0.7", kTcp, 443, app::kTls)), Answer::Yes);
  EXPECT_EQ(allow_answer(kBmcManagement, flow("10.3.0.1", "fd04::7", kTcp, 5989, app::kTls)), Answer::Yes);
  EXPECT_EQ(allow_answer(kBmcManagement, flow("10.3.0.1", "10.4.0.7", kTcp, 443)), Answer::Maybe);
  EXPECT_EQ(allow_answer(kBmcManagement, flow("10.3.0.1", "10.5.0.7", kTcp, 443, app::kTls)), Answer::No);
  EXPECT_EQ(allow_answer(kBmcManagement, flow("10.3.0.1", "10.5.0.7", kTcp, 443, app::kTls), Service::Any),
            Answer::No);
  EXPECT_EQ(allow_answer(kBmcManagement, flow("10.4.0.7", "10.3.0.1", kTcp, 443, app::kTls)), Answer::No);
}

TEST(Decide, ABoundApplicationWithoutServersMatchesNothing) {
  EXPECT_EQ(allow_answer(kUnboundApplication, flow("10.3.0.1", "10.4.0.7", kTcp, 443, app::kTls)),
            Answer::No);
}

TEST(Decide, ServiceAnyIgnoresPortsOnlyOfMembersThatNameAnApplication) {
  EXPECT_EQ(allow_answer(kBmcManagement, flow("10.3.0.1", "10.4.0.7", kTcp, 9443, app::kTls)), Answer::No);
  EXPECT_EQ(allow_answer(kBmcManagement, flow("10.3.0.1", "10.4.0.7", kTcp, 9443, app::kTls), Service::Any),
            Answer::Yes);
  EXPECT_EQ(allow_answer(kPortOnly, flow("10.3.0.1", "10.4.0.7", kTcp, 9011), Service::Any), Answer::No);
}

TEST(Decide, ClearTextManagementIsFoundByPortAndByBytes) {
  const auto answer = [](uint8_t protocol, uint16_t port, AppId application) {
    return allow_answer(kClearTextMgmt, flow("10.3.0.1", "10.4.0.7", protocol, port, application),
                        Service::Any);
  };
  EXPECT_EQ(answer(kTcp, 5988, kApplicationPending), Answer::Yes);
  EXPECT_EQ(answer(kTcp, 115, app::kSsh), Answer::Yes);
  EXPECT_EQ(answer(kUdp, 623, kApplicationUnidentified), Answer::Yes);
  EXPECT_EQ(answer(kTcp, 623, kApplicationUnidentified), Answer::No);
  EXPECT_EQ(answer(kTcp, 8080, kApplicationPending), Answer::Maybe);
  EXPECT_EQ(answer(kTcp, 8080, app::kCimXml), Answer::Yes);
  EXPECT_EQ(answer(kTcp, 8080, app::kHttp), Answer::No);
  EXPECT_EQ(answer(kUdp, 9999, app::kIpmi15), Answer::Yes);
  EXPECT_EQ(answer(kIcmp, 0, kApplicationPending), Answer::No);
}

TEST(Decide, SaysWhetherAWaitingRuleCouldAllow) {
  Policy policy = empty_policy();
  add_rule(policy, Action::Drop, app::kHttp).service = Service::Any;
  add_rule(policy, Action::Allow, app::kTls).service = Service::Any;
  add_rule(policy, Action::Drop, kAnyApplication);
  const auto snapshot = compiled(std::move(policy));
  const Decision pending = snapshot->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 443));
  EXPECT_EQ(pending.rule->name, "rule2");
  EXPECT_FALSE(pending.final);
  EXPECT_TRUE(pending.could_allow);
  const Decision tls = snapshot->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 443, app::kTls));
  EXPECT_EQ(tls.rule->name, "rule1");
  EXPECT_TRUE(tls.final);
}

TEST(Decide, WaitingDropsBeforeADropCouldNotAllow) {
  Policy policy = empty_policy();
  add_rule(policy, Action::Drop, app::kHttp).service = Service::Any;
  const auto snapshot = compiled(std::move(policy));
  const Decision decision = snapshot->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 443));
  EXPECT_EQ(decision.rule, nullptr);
  EXPECT_FALSE(decision.final);
  EXPECT_FALSE(decision.could_allow);
}

TEST(Decide, WaitingDropsBeforeAnAllowCouldAllow) {
  Policy policy = empty_policy();
  add_rule(policy, Action::Drop, app::kHttp).service = Service::Any;
  add_rule(policy, Action::Allow, kAnyApplication);
  const auto snapshot = compiled(std::move(policy));
  const Decision decision = snapshot->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 443));
  EXPECT_EQ(decision.rule->name, "rule1");
  EXPECT_FALSE(decision.final);
  EXPECT_TRUE(decision.could_allow);
}

TEST(Decide, RulesAfterACertainOneDoNotKeepItOpen) {
  Policy policy = empty_policy();
  add_rule(policy, Action::Drop, kAnyApplication);
  add_rule(policy, Action::Allow, app::kTls);
  const auto snapshot = compiled(std::move(policy));
  const Decision decision = snapshot->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 443));
  EXPECT_TRUE(decision.final);
  EXPECT_FALSE(decision.could_allow);
}

TEST(Decide, IdentityFallsThroughToTheNextRule) {
  Policy policy = empty_policy();
  policy.subjects = {{SubjectId{1}, "alice", address("10.1.0.5"), {"oob_admins", "staff"}, true},
                     {SubjectId{2}, "bob", address("10.1.0.6"), {"staff"}, true},
                     {SubjectId{3}, "carol", address("10.1.0.7"), {"oob_admins"}, false}};
  add_rule(policy, Action::Allow, kAnyApplication).identity = {{"nobody", "oob_admins"}, true};
  add_rule(policy, Action::Allow, kAnyApplication).identity = {{}, true};
  add_rule(policy, Action::Drop, kAnyApplication);
  const auto snapshot = compiled(std::move(policy));
  EXPECT_EQ(snapshot->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 443)).rule->name, "rule0");
  EXPECT_EQ(snapshot->decide(flow("10.1.0.6", "10.3.0.1", kTcp, 443)).rule->name, "rule1");
  EXPECT_EQ(snapshot->decide(flow("10.1.0.7", "10.3.0.1", kTcp, 443)).rule->name, "rule2");
  EXPECT_EQ(snapshot->decide(flow("10.1.0.8", "10.3.0.1", kTcp, 443)).rule->name, "rule2");
}

TEST(Decide, AGroupWithoutMembersMatchesNobody) {
  Policy policy = empty_policy();
  policy.subjects = {{SubjectId{1}, "alice", address("10.1.0.5"), {}, true}};
  add_rule(policy, Action::Allow, kAnyApplication).identity = {{"ghosts"}, false};
  EXPECT_EQ(compiled(std::move(policy))->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 443)).rule, nullptr);
}

TEST(SubjectAt, FindsManyAddressesAndNoOthers) {
  Policy policy = empty_policy();
  for (uint32_t i = 0; i < 3000; ++i) {
    const uint8_t bytes[4] = {10, 1, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)};
    policy.subjects.push_back(
        {SubjectId{i + 1}, "user" + std::to_string(i), IpAddress::from_v4(bytes), {}, false});
  }
  const auto snapshot = compiled(std::move(policy));
  EXPECT_EQ(snapshot->subject_at(address("10.1.11.183"))->name, "user2999");
  EXPECT_EQ(snapshot->subject_at(address("10.1.0.0"))->name, "user0");
  EXPECT_EQ(snapshot->subject_at(address("10.1.11.184")), nullptr);
  EXPECT_EQ(compiled(empty_policy())->subject_at(address("10.1.0.0")), nullptr);
}

TEST(MulticastGroups, BelongToThePortsOfTheirApplications) {
  Policy policy = empty_policy();
  policy.applications.push_back(composite(AppId{70}, "discovery", {{{}, kUdp, {{400, 500}, {5353, 5353}}}}));
  policy.applications.back().multicast = {address("224.0.0.251")};
  const auto snapshot = compiled(std::move(policy));
  EXPECT_EQ(
      snapshot->multicast_groups(kUdp, 427),
      (std::vector<IpAddress>{address("224.0.0.251"), address("224.0.1.22"), address("239.255.255.253")}));
  EXPECT_EQ(snapshot->multicast_groups(kUdp, 428), std::vector<IpAddress>{address("224.0.0.251")});
  EXPECT_EQ(snapshot->multicast_groups(kUdp, 5353), std::vector<IpAddress>{address("224.0.0.251")});
  EXPECT_EQ(snapshot->multicast_groups(kTcp, 427).size(), 2u);
  EXPECT_TRUE(snapshot->multicast_groups(kUdp, 501).empty());
  EXPECT_TRUE(snapshot->multicast_groups(kSctp, 427).empty());
}

TEST(Applications, AreFoundByIdAndName) {
  const auto snapshot = compiled(empty_policy());
  EXPECT_EQ(snapshot->application(kBmcManagement)->name, "bmc_management");
  EXPECT_EQ(snapshot->application("tls")->id, app::kTls);
  EXPECT_EQ(snapshot->application("nonsense"), nullptr);
  EXPECT_EQ(snapshot->application(AppId{65535}), nullptr);
}

TEST(Compile, RefusesMistakesNamingPackAndRule) {
  struct Mistake {
    void (*make)(Policy&);
    const char* message;
  };
  const Mistake mistakes[] = {
      {[](Policy& p) { p.rules[0].application = AppId{999}; }, "application 999 is not in the catalogue"},
      {[](Policy& p) { p.rules[0].application = kApplicationUnidentified; }, "names no application"},
      {[](Policy& p) { p.rules[0].source_zones.clear(); }, "no source zones"},
      {[](Policy& p) {
         p.rules[0].destination_zones = {kManagement, kNoZone};
       },
       "destination zone 0"},
      {[](Policy& p) {
         p.rules[0].ports = {{80, 80}};
       },
       "ports with protocol any"},
      {[](Policy& p) {
         p.rules[0].protocol = kIcmp;
         p.rules[0].ports = {{80, 80}};
       },
       "ports with protocol 1"},
      {[](Policy& p) {
         p.rules[0].protocol = kTcp;
         p.rules[0].ports = {{81, 80}};
       },
       "port range 81-80 is empty"},
  };
  for (const Mistake& mistake : mistakes) {
    Policy policy = empty_policy();
    add_rule(policy, Action::Allow, kAnyApplication).pack = "rack";
    mistake.make(policy);
    const std::string message = error_of(std::move(policy));
    EXPECT_EQ(message.find("pack 'rack' rule 'rule0': "), 0u) << message;
    EXPECT_NE(message.find(mistake.message), std::string::npos) << message;
  }
}

TEST(Compile, RefusesANameUsedTwiceInAPackButNotInTwoPacks) {
  Policy policy = empty_policy();
  add_rule(policy, Action::Allow, kAnyApplication).name = "web";
  add_rule(policy, Action::Drop, kAnyApplication).name = "web";
  policy.rules[1].index = policy.rules[0].index;
  EXPECT_EQ(error_of(policy),
            "pack 'site' rule 'web': the name and index are used twice; expected every rule of a pack to "
            "have its own");
  policy.rules[1].pack = "other";
  EXPECT_EQ(error_of(policy), "");
}

TEST(Compile, RefusesCataloguesItCannotKeepApart) {
  Policy twice = empty_policy();
  twice.applications.push_back(named(AppId{80}, "tls"));
  EXPECT_EQ(error_of(twice), "application 'tls' is in the catalogue twice; expected it once");
  Policy same_id = empty_policy();
  same_id.applications.push_back(named(app::kTls, "mine"));
  EXPECT_EQ(error_of(same_id), "application 'mine': its id is taken by another application");
  Policy member = empty_policy();
  member.applications.push_back(composite(AppId{80}, "mine", {{kBmcManagement, kTcp, {}}}));
  EXPECT_EQ(error_of(member).find("application 'mine': a member names application 65"), 0u);
  Policy ports = empty_policy();
  ports.applications.push_back(composite(AppId{80}, "mine", {{{}, kIcmp, {{1, 2}}}}));
  EXPECT_EQ(error_of(ports).find("application 'mine': a member has ports with protocol 1"), 0u);
}

// Redfish sessions below redfish below http, recognised by signatures of layer http.
Policy policy_of_family() {
  Policy policy = empty_policy();
  constexpr AppId kRedfish{110}, kSession{111}, kOverTls{112};
  policy.applications.push_back(named(kRedfish, "redfish"));
  policy.applications.push_back(named(kSession, "redfish_session"));
  policy.applications.push_back(named(kOverTls, "over_tls"));
  policy.applications[policy.applications.size() - 2].parent = kRedfish;
  Signature signature;
  signature.pattern = "x";
  signature.application = kSession;
  signature.layer = Layer::Http;
  policy.signatures.push_back(signature);
  signature.application = kOverTls;
  signature.layer = Layer::Tls;
  policy.signatures.push_back(signature);
  return policy;
}

TEST(Decide, AnEntryIsMetByThoseBelowIt) {
  Policy policy = policy_of_family();
  policy.applications.push_back(composite(AppId{113}, "bmc_web", {{AppId{110}, kTcp, {}}}));
  for (const AppId wanted : {AppId{110}, AppId{113}}) {
    Policy one = policy;
    add_rule(one, Action::Allow, wanted).service = Service::Any;
    const auto snapshot = compiled(std::move(one));
    const auto decision = [&](AppId found) {
      return snapshot->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 443, found));
    };
    EXPECT_EQ(decision(AppId{110}).action(), Action::Allow) << wanted.value;
    EXPECT_EQ(decision(AppId{111}).action(), Action::Allow) << wanted.value;
    EXPECT_EQ(decision(AppId{112}).action(), Action::Drop) << wanted.value;
    EXPECT_EQ(decision(app::kHttp).action(), Action::Drop) << wanted.value;
    EXPECT_TRUE(decision(kApplicationPending).could_allow) << wanted.value;
    EXPECT_FALSE(snapshot->decide(flow("10.1.0.5", "10.3.0.1", kUdp, 443)).could_allow) << wanted.value;
  }
}

TEST(Decide, AnEntryIsNotMetByTheOneAboveIt) {
  Policy policy = policy_of_family();
  add_rule(policy, Action::Allow, AppId{111}).service = Service::Any;
  EXPECT_EQ(compiled(std::move(policy))->decide(flow("10.1.0.5", "10.3.0.1", kTcp, 443, AppId{110})).action(),
            Action::Drop);
}

TEST(IdentifiedApplications, OfTheUpperLayersRunWhereThoseDo) {
  Policy policy = policy_of_family();
  const auto without_quic = compiled(policy);
  EXPECT_TRUE(without_quic->can_run_over(AppId{110}, kTcp));  // by the one below it
  EXPECT_FALSE(without_quic->can_run_over(AppId{110}, kUdp));
  EXPECT_TRUE(without_quic->can_run_over(AppId{112}, kTcp));
  EXPECT_FALSE(without_quic->can_run_over(AppId{112}, kUdp));
  policy.applications.push_back(named(app::kQuic, "quic"));
  Signature quic;
  quic.application = app::kQuic;
  quic.layer = Layer::Udp;
  quic.pattern = "q";
  policy.signatures.push_back(quic);
  const auto with_quic = compiled(policy);
  EXPECT_TRUE(with_quic->can_run_over(AppId{112}, kUdp));
  EXPECT_FALSE(with_quic->can_run_over(AppId{110}, kUdp));
}

TEST(Compile, RefusesParentsThatAreNoIdentifiedApplicationOrGoInCircles) {
  Policy policy = policy_of_family();
  policy.applications.back().parent = AppId{200};
  EXPECT_EQ(error_of(policy),
            "application 'over_tls': a parent of it is not an identified application of the catalogue");
  policy.applications.back().parent = kBmcManagement;
  EXPECT_NE(error_of(policy).find("a parent of it is not an identified"), std::string::npos);
  policy.applications.back().parent = AppId{112};
  EXPECT_EQ(error_of(policy), "application 'over_tls': is its own parent through others");
}

TEST(Compile, GivesEveryWorkerAScratchOfItsOwn) {
  Policy policy = policy_of_family();
  policy.workers = 3;
  const auto snapshot = compiled(std::move(policy));
  const std::set<const void*> scratches = {&snapshot->scratch(0), &snapshot->scratch(1),
                                           &snapshot->scratch(2)};
  EXPECT_EQ(scratches.size(), 3u);
  EXPECT_NE(snapshot->scratch(0).get(), snapshot->scratch(1).get());
}

TEST(Compile, RefusesTwoSubjectsAtOneAddress) {
  Policy policy = empty_policy();
  policy.subjects = {{SubjectId{1}, "alice", address("10.1.0.5"), {}, true},
                     {SubjectId{2}, "bob", address("10.1.0.5"), {}, true}};
  EXPECT_EQ(error_of(policy),
            "subject 'bob': address 10.1.0.5 already belongs to 'alice'; expected one subject per address");
}

TEST(Dump, ShowsZonesThenRulesPerZonePairThenApplications) {
  Policy policy = empty_policy();
  policy.zones = {{kManagement, WireId{0}, Side::Second, {}, {}, "management"},
                  {kTrust, WireId{0}, Side::First, {}, {prefix("10.1.0.0/24"), prefix("fd01::/64")}, "trust"},
                  {kInternal, WireId{0}, Side::First, 10, {}, ""}};
  Rule& web = add_rule(policy, Action::Allow, kBmcManagement);
  web.source_zones = {kTrust, kManagement};
  web.identity = {{"oob_admins"}, true};
  web.profiles = kIps | kAntivirus;
  web.exclusions = {"cert_pinned_app"};
  Rule& ntp = add_rule(policy, Action::Drop, kAnyApplication);
  ntp.name = "ntp";
  ntp.source_zones = {kInternal};
  ntp.protocol = kUdp;
  ntp.ports = {{123, 123}, {5000, 5010}};
  ntp.destinations = {prefix("10.2.0.53")};
  ntp.service = Service::Any;
  ntp.logging.start = true;
  const auto snapshot = compiled(std::move(policy));
  EXPECT_EQ(snapshot->dump(), R"(zones
  wire 0 side 0 vlan 10 zone 2
  wire 0 side 0 vlan any trust at 10.1.0.0/24,fd01::/64
  wire 0 side 1 vlan any management
rules management -> management
  0 site/rule0 allow bmc_management groups oob_admins compliant decryption none exclusions cert_pinned_app profiles ips,antivirus risk 1 log_end
rules trust -> management
  0 site/rule0 allow bmc_management groups oob_admins compliant decryption none exclusions cert_pinned_app profiles ips,antivirus risk 1 log_end
rules zone 2 -> management
  1 site/ntp drop any_application service any to 10.2.0.53/32 protocol udp ports 123,5000-5010 decryption none risk 1 log_start log_end
applications
  any_application anything
  bmc_management servers 10.4.0.0/24,fd04::/64
    tcp ports 443,5989 is tls on its servers
    udp ports 623 is ipmi_2_0 on its servers
)");
}

}  // namespace
}  // namespace postern::classify
