// SPDX-License-Identifier: Apache-2.0
#include "control/eve_tls.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "tests/control/event_schema.h"

namespace postern::control {
namespace {

using classify::Ech;
using classify::TlsFacts;
using dataplane::extra_of;
using dataplane::LogRecord;
using nlohmann::json;

class EveTls : public EventSchema {
 protected:
  // Held against the schema on the way.
  json tls_of(const TlsFacts& facts) {
    const std::string text(formatter_.line(sample_.handshake(), extra_of(facts)));
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    expect_valid(text);
    return json::parse(text)["tls"];
  }
};

TEST_F(EveTls, WritesAHandshakeWithItsCertificate) {
  EXPECT_EQ(
      formatter_.line(sample_.handshake(), extra_of(sample_.tls_facts())),
      R"({"timestamp":"2026-01-02T03:04:05.123456+0000","flow_id":1234567890123,"in_iface":"front","side":"it",)"
      R"("event_type":"tls","observer":"rack12","vlan":[10],"src_ip":"10.1.0.5","src_port":49152,)"
      R"("dest_ip":"10.3.0.10","dest_port":443,"proto":"TCP","community_id":"1:WrE2x5GO6iySyBdr+T/u0bKPN+A=",)"
      R"("app_proto":"tls","app_id":"infra_mgmt_web","tls":{"subject":"C=DE, O=Example, CN=bmc7.example",)"
      R"("issuerdn":"CN=Example CA","serial":"0A:1B",)"
      R"("fingerprint":"4a:4a:4a:4a:4a:4a:4a:4a:4a:4a:4a:4a:4a:4a:4a:4a:4a:4a:4a:4a",)"
      R"("fingerprint_sha256":"b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7:b7",)"
      R"("notbefore":"2026-01-01T00:00:00","notafter":"2027-01-01T00:00:00",)"
      R"("subjectaltname":["bmc7.example","bmc7"],"sni":"bmc7.example","version":"TLS 1.2",)"
      R"("cipher":"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256","client_alpns":["h2","http/1.1"],"server_alpns":["h2"],)"
      R"("ja3":{"hash":"773906b0efdefa24a7f2b8eb6985bf37"},"ja3s":{"hash":"ae4edc6faf64d08308082ad26be60767"},)"
      R"("ja4":"t12d1516h2_8daaf6152771_02713d6af862"},)"
      R"("policy":{"pack":"out_of_band_server_management","rule":"infra_mgmt_web","index":0,"generation":7},)"
      R"("zone":{"src":"trust","dst":"management"},"verdict":{"action":"allow"},)"
      R"("decrypt":{"mode":"ssl_inbound_inspection","result":"unavailable","reason":"no_engine"},"user":"alice"})"
      "\n");
  expect_valid(sample_.handshake(), extra_of(sample_.tls_facts()));
}

TEST_F(EveTls, WritesOnlyWhatTheClientSaidBeforeTheServerAnswers) {
  TlsFacts facts;
  facts.client_hello = true;
  facts.client_version = 0x0304;
  facts.server_name.append("bmc7.example");
  EXPECT_EQ(tls_of(facts), (json{{"sni", "bmc7.example"}}));
}

TEST_F(EveTls, WritesAnEmptyObjectWhereNothingWasShown) { EXPECT_EQ(tls_of({}), json::object()); }

TEST_F(EveTls, WritesVersionAndCipherWithoutANameAsNumbers) {
  TlsFacts facts = sample_.tls_facts();
  facts.version = 0x7f1c;
  facts.cipher_suite = 0x0a0b;
  EXPECT_EQ(tls_of(facts)["version"], "0x7f1c");
  EXPECT_EQ(tls_of(facts)["cipher"], "0x0a0b");
  facts.version = 0x0304;
  facts.cipher_suite = 0x1301;
  EXPECT_EQ(tls_of(facts)["version"], "TLS 1.3");
  EXPECT_EQ(tls_of(facts)["cipher"], "TLS_AES_128_GCM_SHA256");
}

TEST_F(EveTls, SaysWhatWasUnusualAboutTheHandshake) {
  TlsFacts facts;
  facts.resumed = facts.hello_retry = facts.mutual_auth = facts.quic = true;
  facts.ech = Ech::Offer;
  EXPECT_EQ(tls_of(facts), (json{{"session_resumed", true},
                                 {"hello_retry", true},
                                 {"mutual_auth", true},
                                 {"quic", true},
                                 {"ech", "offer"}}));
}

TEST_F(EveTls, HasAWordForEveryKindOfEch) {
  TlsFacts facts;
  for (const auto& [kind, word] : {std::pair{Ech::Inner, "inner"}, std::pair{Ech::Offer, "offer"},
                                   std::pair{Ech::Grease, "grease"}, std::pair{Ech::Broken, "broken"}}) {
    facts.ech = kind;
    EXPECT_EQ(tls_of(facts)["ech"], word);
  }
}

TEST_F(EveTls, NamesTheAlertThatEndedIt) {
  TlsFacts facts;
  facts.alert = true;
  facts.alert_level = 2;
  facts.alert_description = 40;
  EXPECT_EQ(tls_of(facts)["alert"], (json{{"level", 2}, {"code", 40}, {"description", "handshake_failure"}}));
  facts.alert_description = 255;
  EXPECT_EQ(tls_of(facts)["alert"], (json{{"level", 2}, {"code", 255}}));
}

TEST_F(EveTls, WritesTheVerdictThatTheHandshakeMetWith) {
  dataplane::LogRecord record = sample_.handshake();
  record.action = Action::Drop;
  record.drop_reason = DropReason::PolicyRule;
  const std::string text(formatter_.line(record, extra_of(sample_.tls_facts())));
  expect_valid(text);
  EXPECT_EQ(json::parse(text)["verdict"], (json{{"action", "drop"}, {"reason", "policy_rule"}}));
}

TEST_F(EveTls, EscapesWhatThePeersSent) {
  const std::string nasty("\"},\n\r\t\\\0\x1b\x7f\xff", 11);
  TlsFacts facts;
  facts.server_name.append(nasty);
  facts.alpn_offered.append(static_cast<char>(nasty.size()));
  facts.alpn_offered.append(nasty);
  facts.alpn_chosen.append(nasty);
  const std::string text(formatter_.line(sample_.handshake(), extra_of(facts)));
  for (const char c : text.substr(0, text.size() - 1)) EXPECT_TRUE(static_cast<uint8_t>(c) >= 0x20) << text;
  const json tls = tls_of(facts);
  const std::string shown = nasty.substr(0, nasty.size() - 1) + "\xef\xbf\xbd";
  EXPECT_EQ(tls["sni"], shown);
  EXPECT_EQ(tls["client_alpns"], json{shown});
  EXPECT_EQ(tls["server_alpns"], json{shown});
}

template <size_t N>
void scramble(FixedText<N>& text, std::mt19937& random) {
  text = {};
  for (size_t i = random() % (N + 1); i > 0; --i) text.append(static_cast<char>(random()));
}

TEST_F(EveTls, StaysValidWhateverThePeersSend) {
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    TlsFacts facts = sample_.tls_facts();
    scramble(facts.server_name, random);
    scramble(facts.alpn_offered, random);
    scramble(facts.alpn_chosen, random);
    scramble(facts.subject, random);
    scramble(facts.issuer, random);
    scramble(facts.names, random);
    facts.version = static_cast<uint16_t>(random());
    facts.cipher_suite = static_cast<uint16_t>(random());
    facts.alert = random() % 2 == 0;
    facts.alert_level = static_cast<uint8_t>(random());
    facts.alert_description = static_cast<uint8_t>(random());
    facts.ech = static_cast<Ech>(random() % 5);
    tls_of(facts);
    ASSERT_FALSE(HasFailure()) << i;
  }
}

TEST_F(EveTls, FitsALineWithEveryTextAtItsLongest) {
  TlsFacts facts = sample_.tls_facts();
  for (auto* text : {&facts.subject, &facts.issuer}) {
    *text = {};
    while (!text->cut()) text->append('\x01');  // six characters each
  }
  facts.server_name = {};
  while (!facts.server_name.cut()) facts.server_name.append('\x01');
  EXPECT_EQ(tls_of(facts)["sni"], std::string(255, '\x01'));
}

TEST_F(EveTls, SchemaRefusesHandshakesThatLackOrInventSomething) {
  const json good = json::parse(formatter_.line(sample_.handshake(), extra_of(sample_.tls_facts())));
  ASSERT_TRUE(accepts(good));
  const std::pair<const char*, std::function<void(json&)>> spoilers[] = {
      {"no tls", [](json& e) { e.erase("tls"); }},
      {"unknown key", [](json& e) { e["tls"]["extra"] = 1; }},
      {"no flow", [](json& e) { e.erase("flow_id"); }},
      {"called a flow", [](json& e) { e["event_type"] = "flow"; }},
      {"a flow inside", [](json& e) { e["flow"] = json::object(); }},
      {"invented version", [](json& e) { e["tls"]["version"] = "TLS 9"; }},
      {"plain fingerprint", [](json& e) { e["tls"]["fingerprint"] = std::string(40, 'a'); }},
      {"negation", [](json& e) { e["tls"]["session_resumed"] = false; }},
      {"local date", [](json& e) { e["tls"]["notafter"] = "1.1.2027"; }},
      {"unknown ech", [](json& e) { e["tls"]["ech"] = "maybe"; }},
  };
  for (const auto& [name, spoil] : spoilers) {
    json event = good;
    spoil(event);
    EXPECT_FALSE(accepts(event)) << name;
  }
  json flow = json::parse(formatter_.line(sample_.https()));
  flow["tls"] = good["tls"];
  EXPECT_FALSE(accepts(flow)) << "tls inside a flow event";
}

TEST_F(EveTls, TellsWhatIsWrongWithAServer) {
  LogRecord record = sample_.handshake();
  record.decryption_mode = 2;  // ssl_forward_proxy
  record.decrypt_result = dataplane::DecryptResult::Failed;
  TlsFacts facts = sample_.tls_facts();
  facts.decrypt_reason = DecryptReason::UpstreamUntrusted;
  for (size_t i = 1; i < tls::kCertificateFaults; ++i) {
    facts.certificate_fault = static_cast<uint8_t>(i);
    const std::string text(formatter_.line(record, extra_of(facts)));
    expect_valid(text);
    EXPECT_EQ(json::parse(text)["decrypt"],
              (json{{"mode", "ssl_forward_proxy"},
                    {"result", "failed"},
                    {"reason", "upstream_untrusted"},
                    {"cause", tls::certificate_fault_name(static_cast<tls::CertificateFault>(i))}}));
  }
}

TEST_F(EveTls, EveryReasonIsInTheSchema) {
  LogRecord record = sample_.handshake();
  TlsFacts facts = sample_.tls_facts();
  for (size_t i = 1; i < kDecryptReasons; ++i) {
    facts.decrypt_reason = static_cast<DecryptReason>(i);
    const std::string text(formatter_.line(record, extra_of(facts)));
    expect_valid(text);
    EXPECT_EQ(json::parse(text)["decrypt"]["reason"], decrypt_reason_name(facts.decrypt_reason));
  }
}

}  // namespace
}  // namespace postern::control
