// SPDX-License-Identifier: Apache-2.0
// The compiled tables answer as the naive reading of the same rules does, for many random policies and flows.
#include "classify/rule_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "naive_rules.h"
#include "policy_builder.h"

namespace postern::classify {
namespace {

// Random rules and flows out of few networks, so that they meet often.
class Randomness {
 public:
  // Long lists of broad rules would end every search at once, so they get narrower ones.
  Randomness(uint32_t seed, size_t rules)
      : engine_(seed), broad_one_in_(static_cast<uint32_t>(3 + rules / 10)) {}

  uint32_t below(uint32_t limit) { return std::uniform_int_distribution<uint32_t>(0, limit - 1)(engine_); }
  bool one_in(uint32_t n) { return below(n) == 0; }

  IpAddress v4() {
    const uint8_t b[4] = {10, pick_byte(), pick_byte(), static_cast<uint8_t>(below(256))};
    return IpAddress::from_v4(b);
  }
  IpAddress v6() {
    IpAddress a;
    a.bytes[0] = 0xfd;
    for (const size_t i : {3u, 5u, 7u, 9u}) a.bytes[i] = pick_byte();
    a.bytes[15] = static_cast<uint8_t>(below(256));
    return a;
  }
  IpAddress any_address() { return one_in(3) ? v6() : v4(); }

  Prefix network() {
    if (one_in(13 * broad_one_in_)) return Prefix{};  // ::/0, which holds the mapped addresses too
    const bool six = one_in(3);
    Prefix p{six ? v6() : v4(), 0};
    static constexpr uint8_t kBroad[] = {0, 5, 8, 12}, kNarrow[] = {16, 19, 22, 24, 24, 28, 31, 32, 32};
    const uint8_t length = one_in(broad_one_in_) ? kBroad[below(4)] : kNarrow[below(9)];
    p.length = six ? static_cast<uint8_t>(length * 4) : static_cast<uint8_t>(length + 96);
    for (unsigned bit = p.length; bit < 128; ++bit)
      p.address.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80u >> bit % 8));
    return p;
  }
  IpAddress inside(const Prefix& p) {
    IpAddress a = p.address;
    for (unsigned bit = p.length; bit < 128; ++bit)
      if (one_in(2)) a.bytes[bit / 8] |= static_cast<uint8_t>(0x80u >> bit % 8);
    return a;
  }
  template <typename T>
  const T& of(const std::vector<T>& list) {
    return list[below(static_cast<uint32_t>(list.size()))];
  }
  std::vector<Prefix> networks() {
    std::vector<Prefix> all;
    for (uint32_t i = one_in(broad_one_in_) ? 0 : 1 + (one_in(5) ? below(6) : 0); i > 0; --i)
      all.push_back(network());
    return all;
  }

  PortRange ports() {
    if (one_in(6)) {
      const auto first = static_cast<uint16_t>(below(60000));
      return {first, static_cast<uint16_t>(first + below(65536u - first))};
    }
    const uint16_t first = port();
    return {first, static_cast<uint16_t>(first + (one_in(3) ? below(12) : 0))};
  }
  uint16_t port() {
    static constexpr uint16_t kUsual[] = {22, 53, 80, 115, 427, 443, 623, 5988, 8443, 9005, 65520};
    return one_in(3) ? static_cast<uint16_t>(1000 + below(64)) : kUsual[below(std::size(kUsual))];
  }
  uint8_t protocol() {
    static constexpr uint8_t kProtocols[] = {kTcp, kTcp, kUdp, kIcmp, kIcmpV6, kSctp, 50};
    return kProtocols[below(std::size(kProtocols))];
  }

 private:
  uint8_t pick_byte() { return static_cast<uint8_t>(below(6) * 37); }
  std::mt19937 engine_;
  uint32_t broad_one_in_;
};

const std::vector<AppId> kRuleApplications = {
    app::kTls,       app::kHttp,      app::kDns,      app::kIpmi20,   app::kCimXml,        app::kIcmpEcho,
    app::kIcmpOther, kAnyApplication, kBmcManagement, kClearTextMgmt, kUnboundApplication, kPortOnly};

enum class Mix { Plain, Conditional };

Policy random_policy(Randomness& random, size_t rules, Mix mix) {
  Policy policy = empty_policy();
  for (uint32_t i = 0; i < 40; ++i) {
    Subject subject{SubjectId{i + 1}, "user" + std::to_string(i), random.v4(), {}, random.one_in(2)};
    for (uint32_t g = random.below(3); g > 0; --g)
      subject.groups.push_back("group" + std::to_string(random.below(5)));
    const auto same = [&](const Subject& s) { return s.address == subject.address; };
    if (std::none_of(policy.subjects.begin(), policy.subjects.end(), same))
      policy.subjects.push_back(subject);
  }
  while (policy.rules.size() < rules) {
    const bool plain = mix == Mix::Plain || random.one_in(2);
    const AppId application =
        plain ? kAnyApplication
              : kRuleApplications[random.below(static_cast<uint32_t>(kRuleApplications.size()))];
    Rule& rule = add_rule(policy, random.one_in(2) ? Action::Allow : Action::Drop, application);
    rule.service = random.one_in(3) ? Service::Any : Service::ApplicationDefault;
    if (random.one_in(4)) rule.source_zones.push_back(kInternal);
    rule.sources = random.networks();
    rule.destinations = random.networks();
    if (random.one_in(plain ? 1 : 3)) rule.protocol = random.protocol();
    if ((rule.protocol == kTcp || rule.protocol == kUdp) && random.one_in(plain ? 1 : 4))
      for (uint32_t p = random.below(3); p > 0; --p) rule.ports.push_back(random.ports());
    if (!plain && random.one_in(4)) {
      rule.identity.compliant = random.one_in(2);
      for (uint32_t g = random.below(3); g > 0; --g)
        rule.identity.groups.push_back("group" + std::to_string(random.below(7)));
    }
  }
  return policy;
}

FlowFacts random_flow(Randomness& random, const Policy& policy) {
  FlowFacts facts;
  facts.source = random.any_address();
  facts.destination = random.any_address();
  if (random.one_in(3))
    facts.source = policy.subjects[random.below(static_cast<uint32_t>(policy.subjects.size()))].address;
  if (random.one_in(4)) facts.destination = address("10.4.0.7");
  facts.protocol = random.protocol();
  facts.destination_port = random.port();
  facts.source_zone = random.one_in(3) ? kInternal : kTrust;
  facts.destination_zone = random.one_in(20) ? kNoZone : kManagement;
  static constexpr AppId kSaid[] = {kApplicationPending,
                                    kApplicationPending,
                                    kApplicationPending,
                                    kApplicationUnidentified,
                                    app::kTls,
                                    app::kHttp,
                                    app::kDns,
                                    app::kIpmi20,
                                    app::kCimXml,
                                    app::kIcmpEcho,
                                    app::kSsh};
  facts.application = kSaid[random.below(std::size(kSaid))];
  return facts;
}

// A flow that fits a rule of the policy, or nearly: the rule's own edges are where tables go wrong.
FlowFacts aimed_flow(Randomness& random, const Policy& policy) {
  FlowFacts facts = random_flow(random, policy);
  const Rule& rule = random.of(policy.rules);
  facts.source_zone = kTrust;
  facts.destination_zone = kManagement;
  if (!rule.sources.empty()) facts.source = random.inside(random.of(rule.sources));
  if (!rule.destinations.empty()) facts.destination = random.inside(random.of(rule.destinations));
  for (const Application& application : policy.applications) {
    if (application.id != rule.application || application.members.empty()) continue;
    const Member& member = random.of(application.members);
    facts.protocol = member.protocol;
    if (!member.ports.empty()) facts.destination_port = random.of(member.ports).first;
    facts.application = random.one_in(2) ? kApplicationPending : member.application.value_or(application.id);
  }
  if (rule.protocol != kAnyProtocol) facts.protocol = rule.protocol;
  if (!rule.ports.empty()) {
    const PortRange& range = random.of(rule.ports);
    const uint16_t edges[] = {range.first, range.last, static_cast<uint16_t>(range.first - 1),
                              static_cast<uint16_t>(range.last + 1)};
    facts.destination_port = edges[random.below(4)];
  }
  return facts;
}

std::string text(const FlowFacts& f) {
  return f.source.text() + " -> " + f.destination.text() + " protocol " + std::to_string(f.protocol) +
         " port " + std::to_string(f.destination_port) + " application " +
         std::to_string(f.application.value);
}

// The comparison means something only if many rules decide and some answers stay open.
struct Report {
  size_t rules_used = 0, open = 0, hopeless = 0;
};

Report expect_naive_answers(size_t rules, Mix mix, size_t flows, uint32_t seed) {
  Report report;
  SCOPED_TRACE("seed " + std::to_string(seed));
  Randomness random(seed, rules);
  const auto snapshot = compiled(random_policy(random, rules, mix));
  const Policy& policy = snapshot->policy();
  std::set<const Rule*> used;
  size_t open = 0;
  for (size_t i = 0; i < flows; ++i) {
    const FlowFacts facts = i % 2 ? aimed_flow(random, policy) : random_flow(random, policy);
    const Decision expected = naive::decide(policy, facts), found = snapshot->decide(facts);
    EXPECT_EQ(expected.rule ? expected.rule->name : "default", found.rule ? found.rule->name : "default")
        << text(facts);
    EXPECT_EQ(expected.final, found.final) << text(facts);
    EXPECT_EQ(expected.could_allow, found.could_allow) << text(facts);
    if (facts.application == kApplicationPending &&
        snapshot->hopeless(facts.source_zone, facts.destination_zone, facts.protocol,
                           facts.destination_port)) {
      EXPECT_TRUE(expected.rule == nullptr && !expected.could_allow) << text(facts);
      ++report.hopeless;
    }
    used.insert(expected.rule);
    open += !expected.final;
  }
  report.rules_used += used.size();
  report.open += open;
  return report;
}

constexpr uint32_t kSeed = 20261101;

TEST(RuleTable, ShortListsAnswerAsTheNaiveReadingDoes) {
  size_t open = 0, hopeless = 0;
  for (uint32_t round = 0; round < 60; ++round) {
    const Report report =
        expect_naive_answers(1 + round % RuleTable::kLongestList, Mix::Conditional, 300, kSeed + round);
    open += report.open;
    hopeless += report.hopeless;
  }
  EXPECT_GT(open, 500u);
  EXPECT_GT(hopeless, 500u);
}

TEST(RuleTable, ShortListsOfPlainRulesAnswerAsTheNaiveReadingDoes) {
  size_t used = 0;
  for (uint32_t round = 0; round < 60; ++round)
    used += expect_naive_answers(1 + round % RuleTable::kLongestList, Mix::Plain, 300, kSeed + 50 + round)
                .rules_used;
  EXPECT_GT(used, 200u);
}

TEST(RuleTable, MediumTablesOfPlainRulesAnswerAsTheNaiveReadingDoes) {
  size_t used = 0;
  for (uint32_t round = 0; round < 12; ++round)
    used += expect_naive_answers(17 + round * 25, Mix::Plain, 1500, kSeed + 150 + round).rules_used;
  EXPECT_GT(used, 300u);
}

TEST(RuleTable, MediumTablesAnswerAsTheNaiveReadingDoes) {
  size_t open = 0;
  for (uint32_t round = 0; round < 12; ++round)
    open += expect_naive_answers(17 + round * 25, Mix::Conditional, 1500, kSeed + 100 + round).open;
  EXPECT_GT(open, 500u);
}

TEST(RuleTable, ThousandsOfPlainRulesAnswerAsTheNaiveReadingDoes) {
  EXPECT_GT(expect_naive_answers(4000, Mix::Plain, 4000, kSeed + 200).rules_used, 300u);
}

TEST(RuleTable, ThousandsOfConditionalRulesAnswerAsTheNaiveReadingDoes) {
  const Report report = expect_naive_answers(4000, Mix::Conditional, 8000, kSeed + 300);
  EXPECT_GT(report.rules_used, 300u);
  EXPECT_GT(report.open, 300u);
}

TEST(RuleTable, RulesWithListsTooLongToMultiplyOutStillMatchExactly) {
  Randomness random(kSeed + 400, 40);
  Policy policy = random_policy(random, 40, Mix::Plain);
  for (uint32_t i = 0; i < 8; ++i) {
    Rule& rule = policy.rules[i * 5];
    rule.protocol = kTcp;
    rule.sources.clear();
    rule.destinations.clear();
    for (uint32_t n = 0; n < 60; ++n) {
      rule.sources.push_back(random.network());
      rule.destinations.push_back(random.network());
    }
    rule.sources.erase(rule.sources.begin(), rule.sources.begin() + 20);
    rule.ports = {{80, 80}, {1000, 1010}, {1020, 1030}};
  }
  const auto snapshot = compiled(std::move(policy));
  for (size_t i = 0; i < 5000; ++i) {
    const FlowFacts facts = aimed_flow(random, snapshot->policy());
    const Decision expected = naive::decide(snapshot->policy(), facts), found = snapshot->decide(facts);
    ASSERT_EQ(expected.rule, found.rule) << text(facts);
  }
}

TEST(RuleTable, ManyRulesThatDifferOnlyInWidePortRangesAnswerAsTheNaiveReadingDoes) {
  Policy policy = empty_policy();
  for (uint16_t i = 0; i < 1500; ++i) {
    Rule& rule = add_rule(policy, i % 2 ? Action::Allow : Action::Drop, kAnyApplication);
    rule.protocol = kTcp;
    rule.ports = {{static_cast<uint16_t>(30000 - i * 10), static_cast<uint16_t>(60000 - i * 10)}};
  }
  const auto snapshot = compiled(std::move(policy));
  for (uint32_t port = 0; port < 65536; port += 37) {
    const FlowFacts facts = flow("10.0.0.1", "10.3.0.1", kTcp, static_cast<uint16_t>(port));
    ASSERT_EQ(naive::decide(snapshot->policy(), facts).rule, snapshot->decide(facts).rule) << port;
  }
}

TEST(RuleTable, RulesThatCollideInEveryTupleAreStillTriedInOrder) {
  Policy policy = empty_policy();
  for (uint32_t i = 0; i < 500; ++i) {
    Rule& rule = add_rule(policy, Action::Allow, kAnyApplication);
    rule.destinations = {prefix("10.3.0.10")};
    rule.protocol = kTcp;
    rule.ports = {{443, 443}};
    rule.identity.groups = {"group" + std::to_string(499 - i)};
  }
  Subject subject{SubjectId{1}, "alice", address("10.1.0.5"), {"group7", "group480"}, false};
  policy.subjects.push_back(subject);
  const auto snapshot = compiled(std::move(policy));
  const Decision decision = snapshot->decide(flow("10.1.0.5", "10.3.0.10", kTcp, 443));
  ASSERT_NE(decision.rule, nullptr);
  EXPECT_EQ(decision.rule->name, "rule19");
  EXPECT_EQ(snapshot->decide(flow("10.1.0.6", "10.3.0.10", kTcp, 443)).rule, nullptr);
}

TEST(RuleTable, ManyScatteredRulesNeedFewTablesWithShortBuckets) {
  Randomness random(kSeed + 500, 3000);
  Policy policy = empty_policy();
  for (uint32_t i = 0; i < 3000; ++i) {
    Rule& rule = add_rule(policy, Action::Allow, kAnyApplication);
    const uint8_t b[4] = {static_cast<uint8_t>(random.below(256)), static_cast<uint8_t>(random.below(256)),
                          static_cast<uint8_t>(random.below(256)), 0};
    rule.destinations = {Prefix{IpAddress::from_v4(b), 120}};
    rule.protocol = kTcp;
    rule.ports = {{443, 443}};
  }
  const auto snapshot = compiled(std::move(policy));
  EXPECT_EQ(snapshot->rule_table_shape(kTrust, kManagement).substr(0, 12), "v4 1 tables,");
}

}  // namespace
}  // namespace postern::classify
