// SPDX-License-Identifier: Apache-2.0
// Forged answers are read back by libldns, which made none of them.
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "dns_messages.h"
#include "profiles/dns/forged_answer.h"

// Last, for it defines true and false.
#include <ldns/ldns.h>

namespace postern::profiles::dns {
namespace {

using Packet = std::unique_ptr<ldns_pkt, void (*)(ldns_pkt*)>;

Packet parsed(std::string_view bytes) {
  ldns_pkt* packet = nullptr;
  const ldns_status status = ldns_wire2pkt(&packet, as_bytes(bytes).data(), bytes.size());
  EXPECT_EQ(status, LDNS_STATUS_OK) << ldns_get_errorstr_by_id(status);
  return {packet, ldns_pkt_free};
}

std::string forged(const std::string& query, const Forgery& forgery, Transport transport = Transport::Udp) {
  std::array<uint8_t, kForgedRoom> room;
  const Message message = read_query(query);
  EXPECT_EQ(message.fault, Fault::None);
  const size_t size = forge_answer(message, forgery, transport, room);
  return std::string(as_text(Bytes(room).first(size)));
}

Forgery sinkhole() { return {Reply::Sinkhole, Sinkhole::documentation(), nullptr}; }
Forgery with(Reply reply) { return {reply, Sinkhole::documentation(), nullptr}; }

std::string text_of(ldns_rr_list* records) {
  char* text = ldns_rr_list2str(records);
  std::string out(text);
  std::free(text);
  return out;
}
std::string answers(const Packet& packet) { return text_of(ldns_pkt_answer(packet.get())); }

TEST(ForgedAnswer, AddressesLeadToTheSinkhole) {
  const Packet v4 = parsed(forged(query("bad.example"), sinkhole()));
  EXPECT_EQ(answers(v4), "bad.example.\t10\tIN\tA\t198.51.100.53\n");
  EXPECT_EQ(ldns_pkt_get_rcode(v4.get()), LDNS_RCODE_NOERROR);
  const Packet v6 = parsed(forged(query("bad.example", kTypeAaaa), sinkhole()));
  EXPECT_EQ(answers(v6), "bad.example.\t10\tIN\tAAAA\t2001:db8::53\n");
  const Packet both = parsed(forged(query("bad.example", kTypeAny), sinkhole()));
  EXPECT_EQ(ldns_rr_list_rr_count(ldns_pkt_answer(both.get())), 2u);
}

TEST(ForgedAnswer, OtherTypesHaveNoData) {
  for (const uint16_t type : {kTypeTxt, kTypeMx, uint16_t{65}}) {
    const Packet packet = parsed(forged(query("bad.example", type), sinkhole()));
    EXPECT_EQ(answers(packet), "");
    EXPECT_EQ(ldns_pkt_get_rcode(packet.get()), LDNS_RCODE_NOERROR);
    EXPECT_EQ(text_of(ldns_pkt_authority(packet.get())), "example.\t10\tIN\tSOA\t. . 1 10 10 10 10\n");
  }
  Forgery only_v4 = sinkhole();
  only_v4.sinkhole.v6.reset();
  EXPECT_EQ(answers(parsed(forged(query("bad.example", kTypeAaaa), only_v4))), "");
}

TEST(ForgedAnswer, NxDomainAndNoDataSayForHowLong) {
  const Packet no = parsed(forged(query("a.bad.example"), with(Reply::NxDomain)));
  EXPECT_EQ(ldns_pkt_get_rcode(no.get()), LDNS_RCODE_NXDOMAIN);
  EXPECT_EQ(text_of(ldns_pkt_authority(no.get())), "bad.example.\t10\tIN\tSOA\t. . 1 10 10 10 10\n");
  const Packet empty = parsed(forged(query("a.bad.example"), with(Reply::NoData)));
  EXPECT_EQ(ldns_pkt_get_rcode(empty.get()), LDNS_RCODE_NOERROR);
  EXPECT_EQ(ldns_rr_list_rr_count(ldns_pkt_authority(empty.get())), 1u);
  EXPECT_EQ(text_of(ldns_pkt_authority(parsed(forged(query("."), with(Reply::NoData))).get())),
            ".\t10\tIN\tSOA\t. . 1 10 10 10 10\n");
}

TEST(ForgedAnswer, IdFlagsAndTheCaseOfTheQuestionAreKept) {
  const std::string asked = header(0x0110, {}, 0xbeef) + question("BaD.eXaMpLe");
  const std::string answer = forged(asked, sinkhole());
  EXPECT_EQ(answer.substr(12, asked.size() - 12), asked.substr(12));
  const Packet packet = parsed(answer);
  EXPECT_EQ(ldns_pkt_id(packet.get()), 0xbeef);
  EXPECT_TRUE(ldns_pkt_qr(packet.get()));
  EXPECT_TRUE(ldns_pkt_rd(packet.get()));
  EXPECT_TRUE(ldns_pkt_ra(packet.get()));
  EXPECT_TRUE(ldns_pkt_cd(packet.get()));
  EXPECT_FALSE(ldns_pkt_aa(packet.get()));
  EXPECT_FALSE(ldns_pkt_ad(packet.get()));
  EXPECT_FALSE(ldns_pkt_tc(packet.get()));
}

TEST(ForgedAnswer, EdnsAnswersEdns) {
  EXPECT_FALSE(ldns_pkt_edns(parsed(forged(query("bad.example"), sinkhole())).get()));
  const Packet packet = parsed(forged(query_with("bad.example", edns("", 4096, 0x8000)), sinkhole()));
  EXPECT_TRUE(ldns_pkt_edns(packet.get()));
  EXPECT_EQ(ldns_pkt_edns_udp_size(packet.get()), 1232);
  EXPECT_EQ(ldns_pkt_edns_version(packet.get()), 0);
  EXPECT_TRUE(ldns_pkt_edns_do(packet.get()));
  EXPECT_EQ(answers(packet), "bad.example.\t10\tIN\tA\t198.51.100.53\n");
}

TEST(ForgedAnswer, AnUnknownVersionOfEdnsIsToldSo) {
  const Packet packet = parsed(forged(query_with("bad.example", edns("", 1232, 0x010000)), sinkhole()));
  EXPECT_EQ(ldns_pkt_edns_extended_rcode(packet.get()), 1);  // with 0 in the header: 16, BADVERS
  EXPECT_EQ(answers(packet), "");
}

std::string cookie_in(const Packet& packet) {
  ldns_rdf* data = ldns_pkt_edns_data(packet.get());
  return data == nullptr ? ""
                         : std::string(reinterpret_cast<char*>(ldns_rdf_data(data)), ldns_rdf_size(data));
}

TEST(ForgedAnswer, ACookieOfAKnownServerComesBackAndAClientsAloneDoesNot) {
  const std::string client = "12345678", server = "abcdefgh01234567";
  const auto asked_with = [](const std::string& cookie) {
    return parsed(forged(query_with("bad.example", edns(option(10, cookie))), sinkhole()));
  };
  EXPECT_EQ(cookie_in(asked_with(client)), "");
  EXPECT_EQ(cookie_in(asked_with(client + server)), option(10, client + server));
  EXPECT_EQ(cookie_in(asked_with("123456789")), "");
  EXPECT_EQ(cookie_in(asked_with(std::string(41, 'x'))), "");
}

TEST(ForgedAnswer, OverTcpTheLengthComesFirst) {
  const std::string answer = forged(query("bad.example"), sinkhole(), Transport::Tcp);
  EXPECT_EQ(answer.substr(0, 2), be16(answer.size() - 2));
  EXPECT_EQ(answers(parsed(answer.substr(2))), "bad.example.\t10\tIN\tA\t198.51.100.53\n");
}

TEST(ForgedAnswer, TcpOnlyIsATruncatedAnswerOverUdp) {
  const Packet udp = parsed(forged(query("bad.example"), with(Reply::Truncated)));
  EXPECT_TRUE(ldns_pkt_tc(udp.get()));
  EXPECT_EQ(answers(udp), "");
}

ListRule local_rule() {
  return {ListAction::Local, {{kTypeA, 60, "\x0a\x09\x09\x09", false}, {kTypeTxt, 60, "\x02hi", false}}};
}

TEST(ForgedAnswer, LocalRecordsAreThoseOfTheType) {
  const ListRule rule = local_rule();
  const Forgery local{Reply::Local, Sinkhole::documentation(), &rule};
  EXPECT_EQ(answers(parsed(forged(query("bad.example"), local))), "bad.example.\t60\tIN\tA\t10.9.9.9\n");
  EXPECT_EQ(answers(parsed(forged(query("bad.example", kTypeTxt), local))),
            "bad.example.\t60\tIN\tTXT\t\"hi\"\n");
  EXPECT_EQ(answers(parsed(forged(query("bad.example", kTypeAaaa), local))), "");
}

TEST(ForgedAnswer, ALocalAliasMayTakeTheQuestionIntoItself) {
  const ListRule rule{ListAction::Local, {{kTypeCname, 60, wire_name("walled.example"), true}}};
  const Forgery local{Reply::Local, Sinkhole::documentation(), &rule};
  EXPECT_EQ(answers(parsed(forged(query("bad.test"), local))),
            "bad.test.\t60\tIN\tCNAME\tbad.test.walled.example.\n");
}

TEST(ForgedAnswer, WhatDoesNotFitTheClientIsCutAtARecord) {
  ListRule rule{ListAction::Local, {}};
  for (int i = 0; i < 4; ++i)
    rule.records.push_back({kTypeTxt, 60, std::string(1, '\xc8') + std::string(200, 'x'), false});
  const Forgery local{Reply::Local, Sinkhole::documentation(), &rule};
  const Packet plain = parsed(forged(query("bad.example", kTypeTxt), local));
  EXPECT_TRUE(ldns_pkt_tc(plain.get()));
  EXPECT_EQ(ldns_rr_list_rr_count(ldns_pkt_answer(plain.get())), 2u);
  const Packet large = parsed(forged(query_with("bad.example", edns(), kTypeTxt), local));
  EXPECT_FALSE(ldns_pkt_tc(large.get()));
  EXPECT_EQ(ldns_rr_list_rr_count(ldns_pkt_answer(large.get())), 4u);
}

TEST(ForgedAnswer, TooSmallARoomGetsNothing) {
  const std::string asked = query_with("bad.example", edns());
  std::array<uint8_t, 40> room;
  EXPECT_EQ(forge_answer(read_query(asked), sinkhole(), Transport::Udp, std::span(room).first(20)), 0u);
  EXPECT_EQ(forge_answer(read_query(asked), sinkhole(), Transport::Udp, room),
            asked.size());  // without records
}

}  // namespace
}  // namespace postern::profiles::dns
