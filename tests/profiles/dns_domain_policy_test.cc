// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns_messages.h"
#include "profiles/dns/domain_policy.h"

namespace postern::profiles::dns {
namespace {

using namespace std::literals;

const IpAddress kClient = *IpAddress::parse("10.4.0.7");

Result<DomainPolicy> policy_of(const std::vector<ListSource>& sources) {
  DomainPolicyBuilder builder(42);
  for (const ListSource& source : sources)
    if (const Status added = builder.add(source); !added) return added.error();
  return builder.build();
}

ListSource list(std::string_view text, ListFormat format = ListFormat::Plain) {
  return {"bad", "bad.txt", text, format, Category::Malware, std::nullopt};
}
ListSource zone(std::string_view text) { return list(text, ListFormat::Rpz); }

// What the policy says about a question: the action, or "-".
std::string asked(const DomainPolicy& policy, std::string_view text, const IpAddress& client = kClient) {
  static constexpr const char* kWords[] = {"block", "pass",     "nxdomain", "nodata",
                                           "drop",  "tcp_only", "local"};
  const DomainPolicy::Verdict verdict = policy.judge_question(name(text), client);
  return verdict ? kWords[static_cast<size_t>(policy.rule(verdict.rule).action)] : "-";
}

std::string error_of(const ListSource& source) {
  const Result<DomainPolicy> policy = policy_of({source});
  return policy ? "" : policy.error().text();
}

TEST(PlainList, NamesStandForAllBelow) {
  const DomainPolicy policy =
      *policy_of({list("# a comment\nevil.com\r\n\n  *.only-below.net # why\n_x.B.org.\n")});
  EXPECT_EQ(asked(policy, "evil.com"), "block");
  EXPECT_EQ(asked(policy, "a.b.evil.com"), "block");
  EXPECT_EQ(asked(policy, "notevil.com"), "-");
  EXPECT_EQ(asked(policy, "only-below.net"), "-");
  EXPECT_EQ(asked(policy, "a.only-below.net"), "block");
  EXPECT_EQ(asked(policy, "_x.b.org"), "block");
  EXPECT_EQ(policy.names(), 3u);
}

TEST(PlainList, MistakesAreToldWithFileAndLine) {
  EXPECT_EQ(error_of(list("a.com\nhttp://b.com/\n")),
            "bad.txt:2: found \"http://b.com/\", expected a domain name (xn-- for one that is not ASCII)");
  EXPECT_EQ(error_of(list("a.com b.com\n")),
            "bad.txt:1: found \"b.com\" after a name, expected one name per line");
  EXPECT_THAT(error_of(list("a.com\n\nb\xc3\xbc.com")), testing::StartsWith("bad.txt:3: found \"b??.com\""));
  EXPECT_THAT(error_of(list("a..com")), testing::StartsWith("bad.txt:1:"));
}

TEST(HostsFile, NamesStandForThemselves) {
  const DomainPolicy policy =
      *policy_of({list("127.0.0.1 localhost\nfe80::1%lo0 localhost\n0.0.0.0 0.0.0.0\n"
                       "0.0.0.0 evil.com also.evil.com # why\n::1\tthird.com\n",
                       ListFormat::Hosts)});
  EXPECT_EQ(asked(policy, "evil.com"), "block");
  EXPECT_EQ(asked(policy, "also.evil.com"), "block");
  EXPECT_EQ(asked(policy, "other.evil.com"), "-");
  EXPECT_EQ(asked(policy, "third.com"), "block");
  EXPECT_EQ(asked(policy, "localhost"), "-");
}

TEST(HostsFile, MistakesAreToldWithFileAndLine) {
  EXPECT_EQ(error_of(list("evil.com\n", ListFormat::Hosts)),
            "bad.txt:1: found \"evil.com\", expected an address and names");
  EXPECT_EQ(error_of(list("0.0.0.0\n", ListFormat::Hosts)),
            "bad.txt:1: found nothing after \"0.0.0.0\", expected a name");
  EXPECT_EQ(error_of(list("0.0.0.0 a/b\n", ListFormat::Hosts)),
            "bad.txt:1: found \"a/b\", expected a host's name");
}

constexpr std::string_view kZone = R"($TTL 1h
@ IN SOA rpz.example. admin.rpz.example. ( 1 ; serial
      3600 600 86400 60 )
  IN NS localhost.
nx.com           CNAME .
*.nx.com     60  IN CNAME .
nodata.com       CNAME *.
good.nx.com      CNAME rpz-passthru.
old.nx.com       CNAME old.nx.com.
drop.com         CNAME rpz-drop.
tcp.com          CNAME rpz-tcp-only.
local.com        A 10.9.9.9
                 AAAA fd00::9
                 TXT "blocked; by \"policy\"" why
garden.com       CNAME walled.example.
*.garden.com     CNAME *.walled.example.
24.0.2.0.203.rpz-ip          CNAME .
128.1.zz.db8.2001.rpz-ip     CNAME rpz-drop.
32.5.0.0.10.rpz-client-ip    CNAME rpz-passthru.
ns.evil.net.rpz-nsdname      CNAME .
*.evil.org.rpz-nsdname       CNAME .
32.7.7.7.7.rpz-nsip          CNAME *.
)";

TEST(PolicyZone, QuestionsGetTheActionOfTheirName) {
  const Result<DomainPolicy> read = policy_of({zone(kZone)});
  ASSERT_TRUE(read) << read.error().text();
  const std::pair<const char*, const char*> expected[] = {
      {"nx.com", "nxdomain"},  {"a.nx.com", "nxdomain"}, {"nodata.com", "nodata"},  {"a.nodata.com", "-"},
      {"good.nx.com", "pass"}, {"old.nx.com", "pass"},   {"drop.com", "drop"},      {"tcp.com", "tcp_only"},
      {"local.com", "local"},  {"garden.com", "local"},  {"a.garden.com", "local"}, {"other.com", "-"}};
  for (const auto& [text, action] : expected) EXPECT_EQ(asked(*read, text), action) << text;
}

TEST(PolicyZone, ClientsOfAnAddressMayBeExempt) {
  EXPECT_EQ(asked(*policy_of({zone(kZone)}), "nx.com", *IpAddress::parse("10.0.0.5")), "pass");
}

TEST(PolicyZone, LocalRecordsAreKept) {
  const DomainPolicy policy = *policy_of({zone(kZone)});
  const auto records = [&](const char* text) {
    return policy.rule(policy.judge_question(name(text), kClient).rule).records;
  };
  const std::vector<LocalRecord> local = records("local.com");
  ASSERT_EQ(local.size(), 3u);
  EXPECT_EQ(local[0], (LocalRecord{kTypeA, 3600, std::string("\x0a\x09\x09\x09"), false}));
  EXPECT_EQ(local[1].type, kTypeAaaa);
  EXPECT_EQ(local[2].data,
            "\x14"
            "blocked; by \"policy\""
            "\x03"
            "why");
  EXPECT_EQ(records("garden.com")[0].data, wire_name("walled.example"));
  EXPECT_TRUE(records("a.garden.com")[0].below_name);
}

std::string answer_with(std::string_view asked_name, const std::string& records, Counts counts) {
  return header(0x8180, counts) + question(asked_name) + records;
}

// Which trigger of the zone an answer meets, or "-".
std::string met(const DomainPolicy& policy, const std::string& bytes) {
  const Message message = read_answer(bytes);
  EXPECT_EQ(message.fault, Fault::None);
  const DomainPolicy::Verdict verdict = policy.judge_answer(message, kClient);
  return verdict ? std::string(trigger_name(verdict.trigger)) : "-";
}

TEST(PolicyZone, AnswersAreJudgedByWhatTheyLeadTo) {
  const DomainPolicy policy = *policy_of({zone(kZone)});
  const auto address = [](std::string_view four) { return record(kToQuestion, kTypeA, std::string(four)); };
  EXPECT_EQ(met(policy, answer_with("a.test", address("\xcb\x00\x02\x07"sv), {1, 1})), "address");
  EXPECT_EQ(met(policy, answer_with("a.test", address("\xcb\x00\x03\x07"sv), {1, 1})), "-");
  const std::string v6("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
  EXPECT_EQ(met(policy, answer_with("a.test", record(kToQuestion, kTypeAaaa, v6), {1, 1})), "address");
  // A chain of two names; the second is listed.
  const std::string chain = record(kToQuestion, kTypeCname, wire_name("b.test")) +
                            record(wire_name("b.test"), kTypeCname, wire_name("x.nx.com"));
  EXPECT_EQ(met(policy, answer_with("a.test", chain, {1, 2})), "name");
  const std::string dname = record(wire_name("test"), kTypeDname, wire_name("nx.com"));
  EXPECT_EQ(met(policy, answer_with("a.test", dname, {1, 1})), "name");
  const auto served_by = [](const char* server) { return record(kToQuestion, kTypeNs, wire_name(server)); };
  EXPECT_EQ(met(policy, answer_with("a.test", served_by("ns.evil.net"), {1, 0, 1})), "server_name");
  EXPECT_EQ(met(policy, answer_with("a.test", served_by("ns1.evil.org"), {1, 0, 1})), "server_name");
  EXPECT_EQ(met(policy, answer_with("a.test", served_by("ns.good.org"), {1, 0, 1})), "-");
  EXPECT_EQ(met(policy, answer_with("a.test", address("\x07\x07\x07\x07"), {1, 0, 0, 1})), "server_address");
  // As an answer, the same address is none of a server.
  EXPECT_EQ(met(policy, answer_with("a.test", address("\x07\x07\x07\x07"), {1, 1})), "-");
}

TEST(PolicyZone, AnExceptionOfTheQuestionHoldsForItsAnswer) {
  const DomainPolicy policy = *policy_of({zone(kZone)});
  const std::string bytes =
      answer_with("good.nx.com", record(kToQuestion, kTypeA, std::string("\xcb\x00\x02\x07", 4)), {1, 1});
  const DomainPolicy::Verdict verdict = policy.judge_answer(read_answer(bytes), kClient);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(policy.rule(verdict.rule).action, ListAction::Pass);
}

TEST(PolicyZone, MayHaveANameOfItsOwn) {
  const DomainPolicy policy =
      *policy_of({zone("$ORIGIN rpz.example.\n@ SOA a. b. 1 2 3 4 5\nevil.com CNAME .\n"
                       "abs.com.rpz.example. CNAME .\n32.1.0.0.9.rpz-client-ip CNAME rpz-drop.\n")});
  EXPECT_EQ(asked(policy, "evil.com"), "nxdomain");
  EXPECT_EQ(asked(policy, "abs.com"), "nxdomain");
  EXPECT_EQ(asked(policy, "x.com", *IpAddress::parse("9.0.0.1")), "drop");
}

TEST(PolicyZone, TheOperatorMayReplaceItsActionsButNotItsExceptions) {
  ListSource source = zone(kZone);
  source.action = ListAction::Block;
  const DomainPolicy policy = *policy_of({source});
  EXPECT_EQ(asked(policy, "nx.com"), "block");
  EXPECT_EQ(asked(policy, "local.com"), "block");
  EXPECT_EQ(asked(policy, "good.nx.com"), "pass");
}

TEST(PolicyZone, MistakesAreToldWithFileAndLine) {
  const std::string soa = "@ SOA a. b. 1 2 3 4 5\n";
  const std::pair<std::string, const char*> wrong[] = {
      {"a.com CNAME\n", "bad.txt:2: found a CNAME without exactly one name, expected one"},
      {"a.com MX 10 b.com.\n", "bad.txt:2: found type MX, expected CNAME, A, AAAA or TXT"},
      {"a.com A 10.0.0\n", "bad.txt:2: found no address, expected an IPv4 address"},
      {"a.com AAAA 10.0.0.1\n", "bad.txt:2: found no address, expected an IPv6 address"},
      {"\n\na.com CNAME .\na.com CNAME *.\n",
       "bad.txt:5: found a.com again with another action, expected one action for a name"},
      {"a.com A 10.0.0.1\na.com CNAME b.\n",
       "bad.txt:3: found a CNAME beside other records, expected it alone"},
      {"33.1.0.0.10.rpz-ip CNAME .\n",
       "bad.txt:2: found 33.1.0.0.10.rpz-ip, expected like 24.0.2.0.192.rpz-ip: bits, then the address from "
       "its end, "
       "its other bits zero"},
      {"24.1.0.0.10.rpz-ip CNAME .\n",
       "bad.txt:2: found 24.1.0.0.10.rpz-ip, expected like 24.0.2.0.192.rpz-ip: bits, then the address from "
       "its end, "
       "its other bits zero"},
      {"a.rpz-port CNAME .\n",
       "bad.txt:2: found rpz-port, expected rpz-ip, rpz-client-ip, rpz-nsip or rpz-nsdname"},
      {"a.com TXT \"open\n", "bad.txt:2: found a quote that does not end, expected \""},
      {"a.com ( CNAME .\n", "bad.txt:2: found the end of the file, expected )"},
      {"$INCLUDE other.txt\n",
       "bad.txt:2: found \"$INCLUDE\" \"other.txt\", expected $ORIGIN NAME or $TTL SECONDS"},
      {"a.com\n", "bad.txt:2: found a record without a type, expected one"},
      {"a..com CNAME .\n", "bad.txt:2: found \"a..com\", expected a domain name"},
  };
  for (const auto& [text, message] : wrong) EXPECT_EQ(error_of(zone(soa + text)), message);
  EXPECT_EQ(error_of(zone("  CNAME .\n")),
            "bad.txt:1: found a record without an owner, expected a name at the start of the line");
}

TEST(DomainPolicy, TheFirstListHasTheLastWord) {
  ListSource allowed = list("good.evil.com\n");
  allowed.name = "allowed";
  allowed.action = ListAction::Pass;
  const DomainPolicy policy = *policy_of({allowed, list("evil.com\ngood.evil.com\n")});
  EXPECT_EQ(asked(policy, "good.evil.com"), "pass");
  EXPECT_EQ(asked(policy, "bad.evil.com"), "block");
  const DomainPolicy::Verdict verdict = policy.judge_question(name("bad.evil.com"), kClient);
  EXPECT_EQ(policy.list_name(verdict.rule), "bad");
  EXPECT_EQ(policy.category(verdict.rule), Category::Malware);
  EXPECT_EQ(verdict.skipped, 1);
}

TEST(DomainPolicy, MoreListsThanItCanNumberAreRefused) {
  DomainPolicyBuilder builder(1);
  for (int i = 0; i < 255; ++i) ASSERT_TRUE(builder.add(list("a.com\n")));
  EXPECT_EQ(builder.add(list("a.com\n")).error().text(),
            "bad.txt: list bad is one too many, expected at most 255");
}

TEST(Categories, HaveTheNamesOfTheKit) {
  for (const char* text : {"malware", "phishing", "c2", "newly_registered_domain", "compromised"})
    EXPECT_EQ(category_name(category_named(text).value()), text);
  EXPECT_FALSE(category_named("weather"));
}

}  // namespace
}  // namespace postern::profiles::dns
