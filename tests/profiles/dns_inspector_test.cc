// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "dns_messages.h"
#include "profiles/dns/inspector.h"
#include "tests/classify/allocation_count.h"

namespace postern::profiles::dns {
namespace {

constexpr Timestamp kNow = 1000 * kSecond;
constexpr std::string_view kZone =
    "@ SOA a. b. 1 2 3 4 5\nnx.com CNAME .\nnodata.com CNAME *.\npass.com CNAME rpz-passthru.\ndrop.com "
    "CNAME rpz-drop.\n"
    "tcp.com CNAME rpz-tcp-only.\nlocal.com A 10.9.9.9\n24.0.2.0.203.rpz-ip CNAME .\n";

DomainPolicy policy_of(std::vector<ListSource> sources) {
  DomainPolicyBuilder builder(1);
  for (const ListSource& source : sources) EXPECT_TRUE(builder.add(source));
  return builder.build();
}

Settings settings() {
  Settings made;
  made.lists = policy_of(
      {{"zone", "zone", kZone, ListFormat::Rpz, Category::C2, std::nullopt},
       {"plain", "plain", "bad.example\npass.com\n", ListFormat::Plain, Category::Malware, std::nullopt}});
  made.own_names =
      policy_of({{"own", "own", "oob.corp\n", ListFormat::Plain, Category::None, ListAction::Pass}});
  made.management = PrefixRules({{*Prefix::parse("10.4.0.0/16"), RuleRef::of(1, 0)}});
  return made;
}

class InspectorTest : public testing::Test {
 protected:
  Verdict ask(std::string_view text, uint16_t type = kTypeA) {
    query_ = query(text, type);
    return inspector_.query(exchange_, as_bytes(query_), settings_, kNow);
  }
  Verdict answer(const std::string& bytes) {
    answer_ = bytes;
    return inspector_.answer(exchange_, as_bytes(answer_), settings_, kNow);
  }
  static std::string answer_of(std::string_view text, const std::string& records = {}, size_t count = 0) {
    return header(0x8180, {1, count}) + question(text) + records;
  }
  std::string forged(const Verdict& verdict) {
    std::array<uint8_t, kForgedRoom> room;
    return std::string(as_text(Bytes(room).first(inspector_.forge(verdict, exchange_, settings_, room))));
  }

  Settings settings_ = settings();
  Inspector inspector_{7, {1024, 1024, 1024, 64}};
  Exchange exchange_{*IpAddress::parse("10.4.0.7"), *IpAddress::parse("10.2.0.53"), 40000, 53,
                     Transport::Udp};
  std::string query_, answer_;
};

TEST_F(InspectorTest, UnlistedNamesAndTheirAnswersPass) {
  EXPECT_EQ(ask("good.example").act, Act::Pass);
  const Verdict verdict =
      answer(answer_of("good.example", record(kToQuestion, kTypeA, "\x09\x09\x09\x09"), 1));
  EXPECT_EQ(verdict.act, Act::Pass);
  EXPECT_EQ(verdict.reason, Reason::None);
}

TEST_F(InspectorTest, AListedNameIsRefusedAsTheProfileSays) {
  Verdict verdict = ask("www.bad.example");
  EXPECT_EQ(verdict.act, Act::Answer);
  EXPECT_EQ(verdict.reason, Reason::Listed);
  EXPECT_EQ(settings_.lists.category(verdict.listed.rule), Category::Malware);
  EXPECT_EQ(read_answer(forged(verdict)).header.answers, 1);
  settings_.refusal = Refusal::NxDomain;
  verdict = ask("www.bad.example");
  EXPECT_EQ(read_answer(forged(verdict)).header.rcode(), 3);
  settings_.refusal = Refusal::Drop;
  EXPECT_EQ(ask("www.bad.example").act, Act::Drop);
}

TEST_F(InspectorTest, AlertTellsAndPasses) {
  settings_.mode = Mode::Alert;
  const Verdict verdict = ask("bad.example");
  EXPECT_EQ(verdict.act, Act::Pass);
  EXPECT_EQ(verdict.reason, Reason::Listed);
  EXPECT_EQ(answer(answer_of("bad.example")).reason, Reason::Listed)
      << "it was asked, so its answer is expected";
}

TEST_F(InspectorTest, ActionsOfZonesAreKept) {
  const Verdict nx = ask("nx.com");
  EXPECT_EQ(read_answer(forged(nx)).header.rcode(), 3);
  EXPECT_EQ(ask("nodata.com").reply, Reply::NoData);
  EXPECT_EQ(ask("pass.com").act, Act::Pass);
  EXPECT_EQ(ask("pass.com").reason, Reason::None);
  EXPECT_EQ(ask("drop.com").act, Act::Drop);
  const Verdict local = ask("local.com");
  EXPECT_EQ(local.reply, Reply::Local);
  EXPECT_NE(forged(local).find("\x0a\x09\x09\x09"), std::string::npos);
}

TEST_F(InspectorTest, TcpOnlyAsksUdpClientsToComeBack) {
  EXPECT_EQ(ask("tcp.com").reply, Reply::Truncated);
  exchange_.transport = Transport::Tcp;
  EXPECT_EQ(ask("tcp.com").act, Act::Pass);
  EXPECT_EQ(answer(answer_of("tcp.com")).act, Act::Pass);
}

TEST_F(InspectorTest, AnswersThatLeadToListedPlacesAreReplaced) {
  ask("good.example");
  const std::string records = record(kToQuestion, kTypeCname, wire_name("x.bad.example"));
  const Verdict verdict = answer(answer_of("good.example", records, 1));
  EXPECT_EQ(verdict.act, Act::Answer);
  const Message replaced = read_answer(forged(verdict));
  EXPECT_EQ(replaced.header.id, 0x1234);
  EXPECT_EQ(replaced.header.answers, 1);
  ask("good.example");
  EXPECT_EQ(
      answer(answer_of("good.example", record(kToQuestion, kTypeA, std::string("\xcb\0\x02\x07", 4)), 1))
          .reply,
      Reply::NxDomain);
}

TEST_F(InspectorTest, UnaskedAndMismatchingAnswersAreDroppedByName) {
  EXPECT_EQ(answer(answer_of("good.example")).reason, Reason::Unsolicited);
  ask("good.example");
  EXPECT_EQ(answer(answer_of("other.example")).reason, Reason::WrongQuestion);
  EXPECT_EQ(answer(answer_of("good.example")).act, Act::Pass);
}

TEST_F(InspectorTest, ARefusedQueryExpectsNoAnswer) {
  ask("bad.example");
  EXPECT_EQ(answer(answer_of("bad.example")).reason, Reason::Unsolicited);
}

TEST_F(InspectorTest, MalformedMessagesAreDroppedWithTheirFault) {
  const std::string two = header(0x0100, {2}) + question("a") + question("b");
  const Verdict verdict = inspector_.query(exchange_, as_bytes(two), settings_, kNow);
  EXPECT_EQ(verdict.act, Act::Drop);
  EXPECT_EQ(verdict.reason, Reason::Malformed);
  EXPECT_EQ(verdict.fault, Fault::ManyQuestions);
  EXPECT_EQ(answer("x").fault, Fault::ShortHeader);
}

TEST_F(InspectorTest, ForeignNamesMayNotLeadIntoTheManagementZone) {
  const std::string inside = record(kToQuestion, kTypeA, std::string("\x0a\x04\x00\x09", 4));
  ask("rebind.example");
  const Verdict verdict = answer(answer_of("rebind.example", inside, 1));
  EXPECT_EQ(verdict.act, Act::Answer);
  EXPECT_EQ(verdict.reason, Reason::Rebinding);
  ask("bmc7.oob.corp");
  EXPECT_EQ(answer(answer_of("bmc7.oob.corp", inside, 1)).act, Act::Pass);
}

TEST_F(InspectorTest, SinkholedClientsAreKnownByTheName) {
  ask("c2.bad.example");
  ASSERT_TRUE(inspector_.sinkholed().find(exchange_.client, kNow));
  EXPECT_EQ(inspector_.sinkholed().find(exchange_.client, kNow)->name, name("c2.bad.example"));
  settings_.refusal = Refusal::NxDomain;
  ask("other.bad.example");
  EXPECT_EQ(inspector_.sinkholed().find(exchange_.client, kNow)->name, name("c2.bad.example"));
}

TEST_F(InspectorTest, ATunnelIsAnsweredLikeAListedName) {
  Verdict verdict;
  for (int i = 0; i < 10; ++i) verdict = ask("x" + std::to_string(i) + ".t.example", kTypeNull);
  EXPECT_EQ(verdict.act, Act::Answer);
  EXPECT_EQ(verdict.reason, Reason::Tunnel);
  EXPECT_EQ(read_answer(forged(verdict)).header.answers, 0);
}

TEST_F(InspectorTest, UpdatesAndNotificationsAreNotJudgedByName) {
  const std::string notify = header(0x2400, {}) + question("bad.example", kTypeSoa);
  EXPECT_EQ(inspector_.query(exchange_, as_bytes(notify), settings_, kNow).act, Act::Pass);
}

TEST_F(InspectorTest, NothingIsAllocated) {
  const std::string good = query("good.example"), bad = query("bad.example"),
                    odd = query("x7f3kq9zj.t.example", kTypeTxt);
  const std::string reply =
      answer_of("good.example", record(kToQuestion, kTypeCname, wire_name("x.bad.example")), 1);
  std::array<uint8_t, kForgedRoom> room;
  const size_t before = classify::allocation_count();
  size_t written = 0;
  for (int i = 0; i < 100; ++i) {
    inspector_.query(exchange_, as_bytes(good), settings_, kNow);
    inspector_.answer(exchange_, as_bytes(reply), settings_, kNow);
    inspector_.query(exchange_, as_bytes(odd), settings_, kNow);
    written += inspector_.forge(inspector_.query(exchange_, as_bytes(bad), settings_, kNow), exchange_,
                                settings_, room);
  }
  EXPECT_EQ(classify::allocation_count(), before);
  EXPECT_GT(written, 0u);
}

TEST(DnsReasons, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kReasons; ++i) names.insert(reason_name(static_cast<Reason>(i)));
  EXPECT_EQ(names.size(), kReasons);
}

}  // namespace
}  // namespace postern::profiles::dns
