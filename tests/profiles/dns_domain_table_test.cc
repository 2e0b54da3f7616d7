// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "dns_messages.h"
#include "profiles/dns/domain_table.h"
#include "profiles/dns/prefix_rules.h"

namespace postern::profiles::dns {
namespace {

using Added = DomainTableBuilder::Added;
const RuleRef kFirst = RuleRef::of(1, 0), kOther = RuleRef::of(1, 1), kSecond = RuleRef::of(2, 0);

RuleRef found(const DomainTable& table, std::string_view text) { return table.find(name(text)).rule; }

TEST(DomainTable, AnEmptyOneFindsNothing) {
  EXPECT_FALSE(found(DomainTableBuilder(1).build(), "example.com"));
  EXPECT_FALSE(found(DomainTableBuilder(1).build(), "."));
}

TEST(DomainTable, ReachSaysWhichNamesAreMeant) {
  DomainTableBuilder builder(1);
  builder.add(name("exact.com"), Reach::Exact, kFirst);
  builder.add(name("below.com"), Reach::Below, kFirst);
  builder.add(name("both.com"), Reach::Both, kFirst);
  const DomainTable table = builder.build();
  EXPECT_TRUE(found(table, "exact.com"));
  EXPECT_FALSE(found(table, "a.exact.com"));
  EXPECT_FALSE(found(table, "below.com"));
  EXPECT_TRUE(found(table, "a.b.below.com"));
  EXPECT_TRUE(found(table, "both.com"));
  EXPECT_TRUE(found(table, "a.both.com"));
  EXPECT_FALSE(found(table, "notboth.com"));
  EXPECT_FALSE(found(table, "com"));
}

TEST(DomainTable, InOneListTheLongestNameCounts) {
  DomainTableBuilder builder(1);
  builder.add(name("com"), Reach::Both, kFirst);
  builder.add(name("a.com"), Reach::Both, kOther);
  const DomainTable table = builder.build();
  EXPECT_EQ(found(table, "x.a.com"), kOther);
  EXPECT_EQ(table.find(name("x.a.com")).skipped, 1);
  EXPECT_EQ(found(table, "x.b.com"), kFirst);
}

TEST(DomainTable, AnEarlierListCountsBeforeALongerName) {
  DomainTableBuilder builder(1);
  builder.add(name("a.example.com"), Reach::Exact, kSecond);
  builder.add(name("example.com"), Reach::Below, kFirst);
  EXPECT_EQ(found(builder.build(), "a.example.com"), kFirst);
}

TEST(DomainTable, OfTwoListsWithANameTheEarlierOneStays) {
  DomainTableBuilder builder(1);
  EXPECT_EQ(builder.add(name("a.com"), Reach::Both, kSecond), Added::New);
  EXPECT_EQ(builder.add(name("a.com"), Reach::Exact, kFirst), Added::New);
  EXPECT_EQ(builder.add(name("a.com"), Reach::Both, kSecond), Added::Known);
  const DomainTable table = builder.build();
  EXPECT_EQ(found(table, "a.com"), kFirst);
  EXPECT_EQ(found(table, "x.a.com"), kSecond);
  EXPECT_EQ(table.names(), 1u);
}

TEST(DomainTable, AListThatContradictsItselfIsTold) {
  DomainTableBuilder builder(1);
  builder.add(name("a.com"), Reach::Exact, kFirst);
  EXPECT_EQ(builder.add(name("a.com"), Reach::Exact, kFirst), Added::Known);
  EXPECT_EQ(builder.add(name("A.com"), Reach::Exact, kOther), Added::Conflict);
  EXPECT_EQ(builder.add(name("a.com"), Reach::Below, kOther), Added::New);
}

TEST(DomainTable, TheRootMayBeListed) {
  DomainTableBuilder builder(1);
  builder.add(name("."), Reach::Below, kFirst);
  const DomainTable table = builder.build();
  EXPECT_EQ(found(table, "anything.at.all"), kFirst);
  EXPECT_FALSE(found(table, "."));
}

TEST(DomainTable, NamesOf127LabelsAreFound) {
  std::string text = "a";
  for (int i = 1; i < 127; ++i) text += ".a";
  DomainTableBuilder builder(1);
  builder.add(name(text), Reach::Exact, kFirst);
  EXPECT_EQ(found(builder.build(), text), kFirst);
}

// The naive table: a map of texts, asked for every parent.
class NaiveTable {
 public:
  void add(const Name& name, Reach reach, RuleRef rule) {
    if (reach != Reach::Below) keep(exact_[name.text()], rule);
    if (reach != Reach::Exact) keep(below_[name.text()], rule);
  }
  RuleRef find(const Name& name) const {
    RuleRef best = of(exact_, name);
    for (size_t i = 1; i <= name.labels(); ++i) {
      const RuleRef rule = of(below_, name.parent(i));
      if (rule && (!best || rule.list() < best.list())) best = rule;
    }
    return best;
  }

 private:
  using Map = std::map<std::string, RuleRef>;
  static void keep(RuleRef& known, RuleRef rule) {
    if (!known || rule.list() < known.list()) known = rule;
  }
  static RuleRef of(const Map& map, const Name& name) {
    const auto found = map.find(name.text());
    return found == map.end() ? RuleRef{} : found->second;
  }
  Map exact_, below_;
};

TEST(DomainTable, AnswersAsANaiveTableDoes) {
  std::mt19937 random(5);
  const auto any_name = [&] {
    Name made;
    for (size_t labels = 1 + random() % 4; labels > 0; --labels) {
      const std::string label(1 + random() % 2, static_cast<char>('a' + random() % 6));
      made.append(as_bytes(label));
    }
    return made;
  };
  for (int round = 0; round < 20; ++round) {
    DomainTableBuilder builder(random());
    NaiveTable naive;
    for (int i = 0; i < 3000; ++i) {
      const Name one = any_name();
      const auto reach = static_cast<Reach>(random() % 3);
      const RuleRef rule = RuleRef::of(static_cast<uint8_t>(1 + random() % 3), 0);
      builder.add(one, reach, rule);
      naive.add(one, reach, rule);
    }
    const DomainTable table = builder.build();
    for (int i = 0; i < 3000; ++i) {
      const Name one = any_name();
      ASSERT_EQ(table.find(one).rule, naive.find(one)) << one.text();
    }
  }
}

TEST(DomainTable, ManyNamesTakeFewBytes) {
  DomainTableBuilder builder(7);
  for (int i = 0; i < 200000; ++i)
    builder.add(name("host" + std::to_string(i) + ".example.com"), Reach::Both, kFirst);
  const DomainTable table = builder.build();
  EXPECT_EQ(table.names(), 200000u);
  EXPECT_LT(table.memory(), 200000u * 60);  // 5 million in 300 MB
  EXPECT_TRUE(found(table, "a.host199999.example.com"));
  EXPECT_FALSE(found(table, "host200000.example.com"));
}

RuleRef at(const PrefixRules& rules, const char* address) { return rules.find(*IpAddress::parse(address)); }

TEST(PrefixRules, TheLongestPrefixOfTheEarliestListCounts) {
  const PrefixRules rules({{*Prefix::parse("10.0.0.0/8"), kFirst},
                           {*Prefix::parse("10.1.0.0/16"), kOther},
                           {*Prefix::parse("10.1.2.3"), kSecond},
                           {*Prefix::parse("fd00::/8"), kSecond},
                           {*Prefix::parse("fd00::/8"), kFirst},
                           {*Prefix::parse("0.0.0.0/0"), kSecond}});
  EXPECT_EQ(at(rules, "10.9.9.9"), kFirst);
  EXPECT_EQ(at(rules, "10.1.9.9"), kOther);
  EXPECT_EQ(at(rules, "10.1.2.3"), kOther);
  EXPECT_EQ(at(rules, "fd12::1"), kFirst);
  EXPECT_EQ(at(rules, "9.9.9.9"), kSecond);
  EXPECT_FALSE(at(rules, "fe80::1"));
  EXPECT_EQ(rules.size(), 5u);
}

TEST(PrefixRules, AnswerAsALinearScanDoes) {
  std::mt19937 random(9);
  std::vector<PrefixRules::Entry> entries;
  const auto any_address = [&] {
    return "10." + std::to_string(random() % 4) + "." + std::to_string(random() % 4) + "." +
           std::to_string(random() % 256);
  };
  for (int i = 0; i < 400; ++i) {
    const auto whole = Prefix::parse(any_address()).value();
    Prefix cut = whole;
    cut.length = static_cast<uint8_t>(104 + random() % 25);
    for (unsigned bit = cut.length; bit < 128; ++bit)
      cut.address.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80 >> bit % 8));
    entries.push_back({cut, RuleRef::of(static_cast<uint8_t>(1 + random() % 3), 0)});
  }
  const PrefixRules rules(entries);
  for (int i = 0; i < 5000; ++i) {
    const IpAddress address = *IpAddress::parse(any_address());
    RuleRef best;
    for (const PrefixRules::Entry& entry : entries)
      if (entry.prefix.contains(address) && (!best || entry.rule.list() < best.list())) best = entry.rule;
    ASSERT_EQ(rules.find(address), best) << address.text();
  }
}

}  // namespace
}  // namespace postern::profiles::dns
