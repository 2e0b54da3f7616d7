// SPDX-License-Identifier: Apache-2.0
#include "classify/tls_text.h"

#include <gtest/gtest.h>

#include "tls_chrome_hello.h"

namespace postern::classify {
namespace {

TlsFacts facts_of(const std::string& extensions) {
  const std::string body = hello_body(extensions);
  TlsFacts facts;
  facts.note(view_tls_client_hello(as_bytes(body)));
  return facts;
}
std::string text_of(const TlsFacts& facts) { return std::string(tls_text(facts).view()); }

TEST(TlsText, OfAHelloHasItsOffer) {
  EXPECT_EQ(text_of(facts_of(server_name("BMC7.Example.net") + kAlpnH2Http11 + kVersions13And12)),
            "sni=bmc7.example.net\nalpn=h2\nalpn=http/1.1\nversion=1.3\n");
}

TEST(TlsText, OfNothingIsEmpty) { EXPECT_EQ(text_of(TlsFacts()), ""); }

TEST(TlsText, CannotBeForgedByTheClient) {
  EXPECT_EQ(text_of(facts_of(server_name("a\nsubject=CN=\\x\xff"))),
            "sni=a\\0Asubject=cn=\\5Cx\\FF\nversion=1.2\n");
  EXPECT_EQ(text_of(facts_of(extension(16, hex("0003 02 0a68")))), "alpn=\\0Ah\nversion=1.2\n");
}

TEST(TlsText, OfAnAnsweredHandshakeHasAllOfIt) {
  TlsFacts facts = facts_of(server_name("a.example") + kAlpnH2Http11);
  TlsServerFlight flight;
  flight.hello = true;
  flight.version = 0x0303;
  flight.cipher_suite = 0xc02f;
  flight.alpn = as_bytes("h2");
  flight.mutual_auth = true;
  facts.note(flight);
  facts.ech = Ech::Offer;
  facts.ja3.append("11");
  facts.ja3s.append("22");
  facts.ja4.append("33");
  facts.subject.append("CN=a");
  facts.issuer.append("CN=b");
  facts.serial.append("0A");
  facts.names.append("a.example,b.example");
  EXPECT_EQ(
      text_of(facts),
      "sni=a.example\nalpn=h2\nalpn=http/"
      "1.1\nselected=h2\nversion=1.2\ncipher=c02f\nja3=11\nja3s=22\nja4=33\n"
      "ech=offer\nsubject=CN=a\nissuer=CN=b\nserial=0A\nname=a.example\nname=b.example\nmutual_auth=yes\n");
}

template <size_t N>
void fill(FixedText<N>& text, std::string_view piece) {
  while (!text.cut()) text.append(piece);
}

TEST(TlsText, HasRoomForTheLongestFacts) {
  TlsFacts facts;
  facts.client_hello = facts.server_hello = facts.mutual_auth = true;
  facts.version = 0x0303;
  facts.ech = Ech::Broken;
  fill(facts.server_name, "\n");
  fill(facts.alpn_offered, "\1\n");
  fill(facts.alpn_chosen, "\n");
  fill(facts.ja3, "f");
  fill(facts.ja3s, "f");
  fill(facts.ja4, "f");
  fill(facts.subject, "x");
  fill(facts.issuer, "x");
  fill(facts.serial, "x");
  fill(facts.names, "x,");
  const TlsText text = tls_text(facts);
  EXPECT_FALSE(text.cut()) << text.size();
  EXPECT_TRUE(text.view().ends_with("\nmutual_auth=yes\n"));
}

TEST(TlsFacts, KeepWholeProtocolNamesOnly) {
  const std::string list =
      hex("28") + std::string(40, 'a') + hex("1e") + std::string(30, 'b') + hex("02 6832");
  const TlsFacts facts = facts_of(extension(16, be16(list.size()) + list));
  EXPECT_EQ(facts.alpn_offered.view(), list.substr(0, 41));
  EXPECT_TRUE(facts.alpn_offered.cut());
}

TEST(TlsFacts, OfAHelloSayWhatItOffered) {
  const std::string body = chrome_body("a.example");
  TlsFacts facts;
  facts.note(view_tls_client_hello(as_bytes(body)));
  EXPECT_TRUE(facts.client_hello);
  EXPECT_FALSE(facts.server_hello);
  EXPECT_EQ(facts.client_version, 0x0304);
  EXPECT_EQ(facts.server_name.view(), "a.example");
  EXPECT_EQ(facts.ech, Ech::Offer);
  EXPECT_EQ(facts.ech_payload_length, 176);
}

}  // namespace
}  // namespace postern::classify
