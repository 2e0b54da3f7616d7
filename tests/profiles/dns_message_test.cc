// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "dns_messages.h"
#include "profiles/dns/message.h"
#include "tests/classify/wire_bytes.h"

namespace postern::profiles::dns {
namespace {

using classify::dns_fault_meaning;
using classify::dns_fault_name;
using classify::DnsRole;
using classify::ExactBytes;
using classify::hex;

Fault fault(const std::string& bytes, DnsRole role) { return read_message(ExactBytes(bytes), role).fault; }

const std::string kAnswerHeader = header(0x8180, {1, 1});
const std::string kQuestion = question("www.example.com");

struct Malformed {
  Fault fault;
  DnsRole role;
  std::string bytes;
};

// One message of every kind; the golden texts are the names.
std::vector<Malformed> malformed() {
  const auto in = [](const std::string& data, size_t type) {
    return kAnswerHeader + kQuestion + record(kToQuestion, type, data);
  };
  std::string long_name;
  for (int i = 0; i < 4; ++i) long_name += std::string(1, 63) + std::string(63, 'a');
  // A pointer to a name of 200 bytes behind labels that make it 260.
  std::string long_by_pointer =
      header(0x8180, {1, 1}) +
      question(std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c'));
  long_by_pointer += record(
      std::string(1, 63) + std::string(63, 'x') + std::string(1, 20) + std::string(20, 'y') + kToQuestion,
      kTypeA, "abcd");
  const auto q = DnsRole::Query, r = DnsRole::Response;
  return {
      {Fault::ShortHeader, q, "12345678901"},
      {Fault::ShortHeader, q, ""},
      {Fault::WrongDirection, q, header(0x8180, {}) + kQuestion},
      {Fault::WrongDirection, r, query("www.example.com")},
      {Fault::ReservedBit, q, header(0x0140, {}) + kQuestion},
      {Fault::BadOpcode, q, header(0x7900, {}) + kQuestion},
      {Fault::NoQuestion, q, header(0x0100, {0})},
      {Fault::NoQuestion, q, header(0x0100, {0, 0, 0, 1}) + edns()},
      {Fault::ManyQuestions, q, header(0x0100, {2}) + kQuestion + kQuestion},
      {Fault::ManyQuestions, q, header(0x0100, {0xffff}) + kQuestion},
      {Fault::ManyQuestions, r, header(0x8180, {2}) + kQuestion + kQuestion},
      {Fault::QueryWithError, q, header(0x0103, {}) + kQuestion},
      {Fault::QueryWithRecords, q, header(0x0100, {1, 1}) + kQuestion + record(kToQuestion, kTypeA, "abcd")},
      {Fault::QueryWithRecords, q, header(0x0100, {1, 0, 0, 3}) + kQuestion},
      {Fault::TruncatedName, q, header(0x0100, {}) + hex("03 7777")},
      {Fault::TruncatedName, r, kAnswerHeader + kQuestion + "\xc0"},
      {Fault::BadLabel, q, header(0x0100, {}) + hex("41 78 00 0001 0001")},
      {Fault::BadLabel, r, kAnswerHeader + kQuestion + hex("80 78 00")},
      {Fault::NameTooLong, q, header(0x0100, {}) + long_name + hex("00 0001 0001")},
      {Fault::NameTooLong, r, long_by_pointer},
      {Fault::PointerInQuestion, q, header(0x0100, {}) + hex("c00c 0001 0001")},
      {Fault::PointerIntoHeader, r, kAnswerHeader + kQuestion + record(hex("c000"), kTypeA, "abcd")},
      {Fault::PointerNotBackwards, r, kAnswerHeader + kQuestion + record(hex("c021"), kTypeA, "abcd")},
      {Fault::PointerNotBackwards, r, kAnswerHeader + kQuestion + record(hex("0161 c021"), kTypeA, "abcd")},
      {Fault::TruncatedQuestion, q, header(0x0100, {}) + hex("00 0001 00")},
      {Fault::BadType, q, header(0x0100, {}) + question("a", 0)},
      {Fault::BadClass, q, header(0x0100, {}) + question("a", 1, 7)},
      {Fault::TruncatedRecord, r, header(0x8180, {1, 2}) + kQuestion + record(kToQuestion, kTypeA, "abcd")},
      {Fault::TruncatedRecord, r, kAnswerHeader + kQuestion + hex("c00c 0001 0001 00000000 0005 61626364")},
      {Fault::TruncatedRecord, q, header(0x0100, {1, 0, 0, 1}) + kQuestion},
      {Fault::TrailingBytes, q, query("www.example.com") + "x"},
      {Fault::BadAddressRecord, r, in("abc", kTypeA)},
      {Fault::BadAddressRecord, r, in("abcd", kTypeAaaa)},
      {Fault::BadNameRecord, r, in("", kTypeCname)},
      {Fault::BadNameRecord, r, in(hex("0161 00 00"), kTypeCname)},
      {Fault::BadNameRecord, r, in(hex("0461"), kTypeNs)},
      {Fault::BadNameRecord, r, in(hex("000a"), kTypeMx)},
      {Fault::BadNameRecord, r, in(hex("0161 00 0162 00") + std::string(19, '\0'), kTypeSoa)},
      {Fault::EdnsRepeated, q, header(0x0100, {1, 0, 0, 2}) + kQuestion + edns() + edns()},
      {Fault::EdnsMisplaced, r, kAnswerHeader + kQuestion + edns()},
      {Fault::EdnsMisplaced, q, header(0x0100, {1, 0, 0, 1}) + kQuestion + record(kToQuestion, kTypeOpt, "")},
      {Fault::BadEdnsOptions, q, query_with("a", edns(hex("000a 0008 01")))},
      {Fault::BadEdnsOptions, q, query_with("a", edns("x"))},
  };
}

TEST(DnsMessage, EveryKindOfMalformedMessageIsRefusedByItsName) {
  std::set<Fault> seen = {Fault::None, Fault::Incomplete, Fault::ShortFrame};  // of streams, below
  for (const Malformed& one : malformed()) {
    EXPECT_EQ(dns_fault_name(fault(one.bytes, one.role)), dns_fault_name(one.fault))
        << testing::PrintToString(one.bytes);
    seen.insert(one.fault);
  }
  for (size_t i = 0; i < classify::kDnsFaults; ++i)
    EXPECT_TRUE(seen.contains(static_cast<Fault>(i))) << dns_fault_name(static_cast<Fault>(i));
}

TEST(DnsMessage, FaultsHaveNamesAndMeaningsOfTheirOwn) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < classify::kDnsFaults; ++i) {
    names.insert(dns_fault_name(static_cast<Fault>(i)));
    EXPECT_FALSE(dns_fault_meaning(static_cast<Fault>(i)).empty());
  }
  EXPECT_EQ(names.size(), classify::kDnsFaults);
}

TEST(DnsMessage, ABeginningOfAMessageIsNeverWhole) {
  const std::string query = query_with("www.example.com", edns(option(10, "12345678")));
  const std::string answer =
      kAnswerHeader + kQuestion + record(kToQuestion, kTypeCname, wire_name("a.example.com"));
  for (size_t n = 0; n < query.size(); ++n)
    EXPECT_NE(fault(query.substr(0, n), DnsRole::Query), Fault::None) << n;
  for (size_t n = 0; n < answer.size(); ++n)
    EXPECT_NE(fault(answer.substr(0, n), DnsRole::Response), Fault::None) << n;
}

TEST(DnsMessage, AQuestionIsReadInLowerCase) {
  const std::string bytes = query("WwW.ExAmPlE.com", kTypeAaaa);
  const Message message = read_query(bytes);
  EXPECT_EQ(message.name.text(), "www.example.com");
  EXPECT_EQ(message.type, kTypeAaaa);
  EXPECT_EQ(message.question_end, bytes.size());
  EXPECT_FALSE(message.edns);
}

TEST(DnsMessage, EdnsIsReadWithItsCookie) {
  const std::string bytes =
      query_with("a.example", edns(option(3, "x") + option(10, "12345678"), 4096, 0x8000));
  const Message message = read_query(bytes);
  ASSERT_EQ(message.fault, Fault::None);
  ASSERT_TRUE(message.edns);
  EXPECT_EQ(message.edns->udp_size, 4096);
  EXPECT_EQ(message.edns->version, 0);
  EXPECT_TRUE(message.edns->dnssec_ok);
  EXPECT_EQ(as_text(message.edns->cookie), "12345678");
}

TEST(DnsMessage, RecordsOfAllTypesPass) {
  const std::string rest = record(kToQuestion, 65, std::string(40, '\xff')) +
                           record(kToQuestion, kTypeMx, be16(10) + kToQuestion) +
                           record(kToQuestion, kTypeSrv, std::string(6, '\0') + wire_name("a.b")) +
                           record(kToQuestion, kTypeSoa, kToQuestion + kToQuestion + std::string(20, '\0')) +
                           record(kToQuestion, 46, "anything") + record(kToQuestion, 0xff99, "");
  EXPECT_EQ(fault(header(0x8180, {1, 6}) + kQuestion + rest, DnsRole::Response), Fault::None);
}

TEST(DnsMessage, NamesFollowTheirPointers) {
  // c00c is www.example.com, c010 example.com.
  const std::string bytes =
      header(0x8180, {1, 1}) + kQuestion + record(kToQuestion, kTypeCname, hex("0361 6263 c010"));
  const Message message = read_answer(bytes);
  ASSERT_EQ(message.fault, Fault::None);
  Records records(message);
  ASSERT_TRUE(records.next());
  EXPECT_EQ(records.owner().text(), "www.example.com");
  EXPECT_EQ(records.target().text(), "abc.example.com");
  EXPECT_FALSE(records.next());
}

TEST(DnsMessage, RecordsKnowTheirSections) {
  const std::string bytes = header(0x8180, {1, 1, 1, 2}) + kQuestion + record(kToQuestion, kTypeA, "abcd") +
                            record(kToQuestion, kTypeNs, kToQuestion) + record(kToQuestion, kTypeA, "efgh") +
                            edns();
  const Message message = read_answer(bytes);
  ASSERT_EQ(message.fault, Fault::None);
  std::vector<Records::Section> sections;
  for (Records records(message); records.next();) sections.push_back(records.section());
  using S = Records::Section;
  EXPECT_EQ(sections, (std::vector{S::Answer, S::Authority, S::Additional, S::Additional}));
}

TEST(DnsMessage, ATruncatedAnswerMayEndBetweenRecords) {
  const std::string one = record(kToQuestion, kTypeA, "abcd");
  EXPECT_EQ(fault(header(0x8380, {1, 5}) + kQuestion + one, DnsRole::Response), Fault::None);
  EXPECT_EQ(fault(header(0x8380, {1, 5}) + kQuestion + one + "\xc0", DnsRole::Response),
            Fault::TruncatedName);
}

TEST(DnsName, TextAndBackIsTheSame) {
  for (const char* text :
       {".", "com", "a.b.c.d", "_sip._tcp.example.com", "a\\.b.example", "\\001\\255.x", "a\\\\b.c"})
    EXPECT_EQ(name(text).text(), text);
  EXPECT_EQ(name("Example.COM.").text(), "example.com");
}

TEST(DnsName, WhatIsNoNameIsRefused) {
  const std::string label(63, 'a');
  for (const std::string& text :
       {std::string(""), std::string("a..b"), std::string(".a"), std::string(64, 'a'), std::string("\\"),
        std::string("\\25"), std::string("\\256"), label + "." + label + "." + label + "." + label})
    EXPECT_FALSE(Name::parse(text)) << text;
  EXPECT_TRUE(Name::parse(label + "." + label + "." + label + "." + std::string(61, 'a')));
}

TEST(DnsName, ParentsAreNamesOfTheirOwn) {
  const Name whole = name("a.bb.ccc.dddd");
  EXPECT_EQ(whole.parent(0), whole);
  EXPECT_EQ(whole.parent(2), name("ccc.dddd"));
  EXPECT_EQ(as_text(whole.parent(2).label(1)), "dddd");
  EXPECT_TRUE(whole.parent(4).is_root());
  EXPECT_TRUE(whole.ends_with(name("ccc.dddd")));
  EXPECT_FALSE(whole.ends_with(name("cc.dddd")));
}

TEST(DnsFrames, MessagesOfAStreamComeOneAfterTheOther) {
  const std::string first = query("a.example"), second = query("b.example");
  const std::string stream = be16(first.size()) + first + be16(second.size()) + second;
  const Frame frame = next_frame(as_bytes(stream));
  EXPECT_EQ(frame.fault, Fault::None);
  EXPECT_EQ(as_text(frame.message), first);
  EXPECT_EQ(as_text(next_frame(as_bytes(stream).subspan(frame.size)).message), second);
  EXPECT_EQ(next_frame({}).fault, Fault::Incomplete);
}

TEST(DnsFrames, AnIncompleteMessageSaysHowMuchItNeeds) {
  const std::string stream = be16(20) + "abc";
  EXPECT_EQ(next_frame(as_bytes(stream)).fault, Fault::Incomplete);
  EXPECT_EQ(next_frame(as_bytes(stream)).size, 22u);
}

TEST(DnsFrames, ALengthBelowAHeaderIsRefused) {
  for (const size_t length : {0, 1, 11})
    EXPECT_EQ(next_frame(as_bytes(be16(length))).fault, Fault::ShortFrame);
}

}  // namespace
}  // namespace postern::profiles::dns
