// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dns_messages.h"
#include "profiles/dns/sinkholed_names.h"
#include "profiles/dns/transactions.h"

namespace postern::profiles::dns {
namespace {

constexpr Timestamp kNow = 1000 * kSecond;

Exchange exchange(uint16_t client_port = 40000, const char* client = "10.4.0.7") {
  return {*IpAddress::parse(client), *IpAddress::parse("10.2.0.53"), client_port, 53, Transport::Udp};
}
std::string answer(std::string_view text, size_t id = 0x1234, size_t type = kTypeA) {
  return header(0x8180, {}, id) + question(text, type);
}

class TransactionsTest : public testing::Test {
 protected:
  void ask(std::string_view text, const Exchange& by = exchange(), size_t id = 0x1234, Timestamp now = kNow,
           size_t type = kTypeA) {
    const std::string bytes = query(text, type, id);
    waiting_.ask(by, read_query(bytes), now);
  }
  Match match(const std::string& bytes, const Exchange& by = exchange(), Timestamp now = kNow) {
    return waiting_.answer(by, read_answer(bytes), now);
  }
  Transactions waiting_{64, 7};
};

TEST_F(TransactionsTest, AnAnswerBelongsToItsQueryOnce) {
  ask("a.example");
  EXPECT_EQ(match(answer("a.example")), Match::Expected);
  EXPECT_EQ(match(answer("a.example")), Match::Unsolicited);
}

TEST_F(TransactionsTest, ARepeatedQueryHasTwoAnswers) {
  ask("a.example");
  ask("a.example");
  EXPECT_EQ(match(answer("a.example")), Match::Expected);
  EXPECT_EQ(match(answer("A.example")), Match::Expected);
  EXPECT_EQ(match(answer("a.example")), Match::Unsolicited);
}

TEST_F(TransactionsTest, AnotherIdPortAddressOrTransportIsUnsolicited) {
  ask("a.example");
  EXPECT_EQ(match(answer("a.example", 0x1235)), Match::Unsolicited);
  EXPECT_EQ(match(answer("a.example"), exchange(40001)), Match::Unsolicited);
  EXPECT_EQ(match(answer("a.example"), exchange(40000, "10.4.0.8")), Match::Unsolicited);
  Exchange tcp = exchange();
  tcp.transport = Transport::Tcp;
  EXPECT_EQ(match(answer("a.example"), tcp), Match::Unsolicited);
  EXPECT_EQ(match(answer("a.example")), Match::Expected);
}

TEST_F(TransactionsTest, AnotherQuestionWithTheIdIsNamed) {
  ask("a.example");
  EXPECT_EQ(match(answer("b.example")), Match::WrongQuestion);
  EXPECT_EQ(match(answer("a.example", 0x1234, kTypeAaaa)), Match::WrongQuestion);
  EXPECT_EQ(match(header(0x8180, {0})), Match::WrongQuestion) << "none at all";
  EXPECT_EQ(match(answer("a.example")), Match::Expected);
}

TEST_F(TransactionsTest, AServerThatCannotReadTheQuestionMayLeaveItOut) {
  ask("a.example");
  EXPECT_EQ(match(header(0x8181, {0})), Match::Expected);
}

TEST_F(TransactionsTest, TwoQueriesMayShareAnId) {
  ask("a.example");
  ask("b.example");
  EXPECT_EQ(match(answer("b.example")), Match::Expected);
  EXPECT_EQ(match(answer("a.example")), Match::Expected);
}

TEST_F(TransactionsTest, ATransferHasManyMessages) {
  ask("example", exchange(), 0x1234, kNow, kTypeAxfr);
  EXPECT_EQ(match(answer("example", 0x1234, kTypeAxfr)), Match::Expected);
  EXPECT_EQ(match(header(0x8400, {0, 0})), Match::Expected);
  EXPECT_EQ(match(answer("example", 0x1234, kTypeAxfr)), Match::Expected);
}

TEST_F(TransactionsTest, ALateAnswerIsUnsolicited) {
  ask("a.example");
  EXPECT_EQ(match(answer("a.example"), exchange(), kNow + Transactions::kLifetime + 1), Match::Unsolicited);
}

TEST_F(TransactionsTest, WhenFullWhoAsksMostGivesWay) {
  ask("victim.example", exchange(50000, "10.4.0.8"));
  for (uint16_t i = 0; i < 1000; ++i) ask("flood.example", exchange(i), i, kNow + 1 + i);
  EXPECT_GT(waiting_.given_way(), 900u);
  EXPECT_EQ(match(answer("victim.example"), exchange(50000, "10.4.0.8"), kNow + 2000), Match::Expected);
}

TEST(SinkholedNames, AConnectionIsToldByTheClientsLastName) {
  SinkholedNames names(16);
  const IpAddress client = *IpAddress::parse("10.4.0.7"), other = *IpAddress::parse("fd00::1");
  EXPECT_FALSE(names.find(client, kNow));
  EXPECT_FALSE(names.last(kNow));
  names.remember(client, name("first.example"), kNow);
  names.remember(client, name("c2.evil.example"), kNow + 5);
  ASSERT_TRUE(names.find(client, kNow + 9));
  EXPECT_EQ(names.find(client, kNow + 9)->name, name("c2.evil.example"));
  EXPECT_EQ(names.find(client, kNow + 9)->asked, kNow + 5);
  EXPECT_FALSE(names.find(other, kNow + 9));
  EXPECT_EQ(names.last(kNow + 9)->name, name("c2.evil.example"));
}

TEST(SinkholedNames, AreForgottenAfterTheirLifetime) {
  SinkholedNames names(16);
  const IpAddress client = *IpAddress::parse("10.4.0.7");
  names.remember(client, name("a.example"), kNow);
  EXPECT_TRUE(names.find(client, kNow - 1)) << "by a worker whose round began before";
  EXPECT_TRUE(names.find(client, kNow + SinkholedNames::kLifetime));
  EXPECT_FALSE(names.find(client, kNow + SinkholedNames::kLifetime + 1));
  EXPECT_FALSE(names.last(kNow + SinkholedNames::kLifetime + 1));
}

TEST(SinkholedNames, WhenFullTheNewestWinsItsPlace) {
  SinkholedNames names(1);
  const IpAddress first = *IpAddress::parse("10.4.0.7"), second = *IpAddress::parse("10.4.0.8");
  names.remember(first, name("a.example"), kNow);
  names.remember(second, name("b.example"), kNow);
  EXPECT_FALSE(names.find(first, kNow));
  EXPECT_EQ(names.find(second, kNow)->name, name("b.example"));
}

}  // namespace
}  // namespace postern::profiles::dns
