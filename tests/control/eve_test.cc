// SPDX-License-Identifier: Apache-2.0
#include "control/eve.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "control/address_text.h"
#include "control/eve_words.h"
#include "tests/control/event_schema.h"

namespace postern::control {
namespace {

using dataplane::DecryptResult;
using dataplane::EndReason;
using dataplane::InspectionReason;
using dataplane::InspectionStatus;
using dataplane::LogRecord;
using dataplane::RecordKind;
using nlohmann::json;

class Eve : public testing::Test {
 protected:
  std::string line(const LogRecord& record) { return std::string(formatter_.line(record)); }
  json parsed(const LogRecord& record) { return json::parse(line(record)); }

  Sample sample_;
  EveFormatter formatter_{sample_.names, "rack12"};
};

TEST_F(Eve, WritesTheEndOfAnAllowedFlow) {
  EXPECT_EQ(
      line(sample_.https()),
      R"({"timestamp":"2026-01-02T03:04:05.123456+0000","flow_id":1234567890123,"in_iface":"front","side":"it",)"
      R"("event_type":"flow","observer":"rack12","vlan":[10],"src_ip":"10.1.0.5","src_port":49152,)"
      R"("dest_ip":"10.3.0.10","dest_port":443,"proto":"TCP","community_id":"1:WrE2x5GO6iySyBdr+T/u0bKPN+A=",)"
      R"("app_proto":"tls","app_id":"infra_mgmt_web","flow":{"pkts_toserver":10,"pkts_toclient":9,)"
      R"("bytes_toserver":1000,"bytes_toclient":9000,"start":"2026-01-02T03:04:00.123456+0000",)"
      R"("end":"2026-01-02T03:04:05.123456+0000","age":5,"state":"closed","reason":"tcp_fin","log":"end",)"
      R"("dropped_pkts":0},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"13"},)"
      R"("policy":{"pack":"out_of_band_server_management","rule":"infra_mgmt_web","index":0,"generation":7},)"
      R"("zone":{"src":"trust","dst":"management"},"verdict":{"action":"allow"},)"
      R"("inspection":{"status":"none","reason":"engine_absent"},)"
      R"("decrypt":{"mode":"ssl_inbound_inspection","result":"unavailable","reason":"no_engine"},)"
      R"("user":"alice"})"
      "\n");
}

TEST_F(Eve, WritesAFlowThatTheDefaultRuleDrops) {
  EXPECT_EQ(
      line(sample_.dropped_ipmi()),
      R"({"timestamp":"2026-01-02T03:04:05.123456+0000","flow_id":42,"in_iface":"front","side":"it",)"
      R"("event_type":"drop","observer":"rack12","src_ip":"10.1.0.5","src_port":40000,"dest_ip":"10.4.0.7",)"
      R"("dest_port":623,"proto":"UDP","community_id":"1:b6SbKOBBvDvSPNvBncP+fVDm2fw=","flow":{"pkts_toserver":0,)"
      R"("pkts_toclient":0,"bytes_toserver":0,"bytes_toclient":0,"start":"2026-01-02T03:04:05.123456+0000",)"
      R"("end":"2026-01-02T03:04:05.123456+0000","age":0,"state":"dropped","dropped_pkts":1},)"
      R"("policy":{"rule":"default","generation":7},"zone":{"src":"trust","dst":"management"},)"
      R"("verdict":{"action":"drop","reason":"policy_default"},)"
      R"("inspection":{"status":"none","reason":"dropped"},"decrypt":{"mode":"none","result":"not_tls"}})"
      "\n");
}

TEST_F(Eve, WritesAFrameThatIsNoIpWithoutAddresses) {
  EXPECT_EQ(line(sample_.dropped_frame()),
            R"({"timestamp":"2026-01-02T03:04:05.123456+0000","in_iface":"front","side":"management",)"
            R"("event_type":"drop","observer":"rack12","drop":{"suppressed":12},"policy":{"generation":7},)"
            R"("verdict":{"action":"drop","reason":"l2_policy"}})"
            "\n");
}

TEST_F(Eve, WritesStats) {
  StatsRecord stats;
  stats.time = kSampleTime;
  stats.uptime_seconds = 60;
  stats.generation = Generation{7};
  stats.received = 100;
  stats.sent = 90;
  stats.held = 1;
  stats.dropped[static_cast<size_t>(DropReason::PolicyRule)] = 6;
  stats.dropped[static_cast<size_t>(DropReason::Midstream)] = 3;
  stats.flows_active = 4;
  stats.flows_opened = 5;
  stats.log_lines = 12;
  stats.wires.push_back(
      {"front",
       {PortStats{"it", "tap:a", 60, 6000, 40, 4000}, PortStats{"management", "tap:b", 40, 4000, 50, 5000}}});
  const std::string text(formatter_.line(stats));
  EXPECT_TRUE(text.starts_with(
      R"({"timestamp":"2026-01-02T03:04:05.123456+0000","event_type":"stats","observer":"rack12","stats":{"uptime":60,)"
      R"("generation":7,"received":100,"sent":90,"forged":0,"terminated":0,"held":1,"dropped":9,"drops":{"truncated":0,)"))
      << text;
  EXPECT_TRUE(text.ends_with(
      R"(},"flows":{"active":4,"opened":5},"wires":[{"wire":"front","sides":[{"side":"it",)"
      R"("port":"tap:a","rx_packets":60,"rx_bytes":6000,"tx_packets":40,"tx_bytes":4000},{"side":"management",)"
      R"("port":"tap:b","rx_packets":40,"rx_bytes":4000,"tx_packets":50,"tx_bytes":5000}]}],)"
      R"("log":{"lines":12,"lost":0,"write_errors":0}}})"
      "\n"))
      << text;
  EXPECT_EQ(json::parse(text)["stats"]["drops"]["policy_rule"], 6);
}

TEST_F(Eve, WritesLossOfRecords) {
  EXPECT_EQ(formatter_.line(LogLoss{kSampleTime, LossCause::WriteFailed, 17}),
            R"({"timestamp":"2026-01-02T03:04:05.123456+0000","event_type":"anomaly","observer":"rack12",)"
            R"("anomaly":{"type":"log_loss","cause":"write_failed","lost":17}})"
            "\n");
}

TEST_F(Eve, WritesTypeAndCodeOfIcmpInsteadOfPorts) {
  LogRecord record = sample_.https();
  record.protocol = 58;
  record.source_port = 128;
  record.destination_port = 0;
  const json event = parsed(record);
  EXPECT_EQ(event["proto"], "IPv6-ICMP");
  EXPECT_EQ(event["icmp_type"], 128);
  EXPECT_EQ(event["icmp_code"], 0);
  EXPECT_FALSE(event.contains("src_port"));
  EXPECT_FALSE(event.contains("tcp"));
}

TEST_F(Eve, SaysThatARecogniserGaveUpAsSuricataDoes) {
  LogRecord record = sample_.https();
  record.identified = kApplicationUnidentified;
  EXPECT_EQ(parsed(record)["app_proto"], "failed");
}

TEST_F(Eve, LeavesOutAnApplicationThatIsStillPending) {
  LogRecord record = sample_.https();
  record.identified = record.application = kApplicationPending;
  EXPECT_FALSE(parsed(record).contains("app_proto"));
  EXPECT_FALSE(parsed(record).contains("app_id"));
}

TEST_F(Eve, NamesNoRuleWhereNoRuleJudged) {
  LogRecord record = sample_.dropped_ipmi();
  record.drop_reason = DropReason::FlowTableFull;
  EXPECT_EQ(parsed(record)["policy"], (json{{"generation", 7}}));
}

TEST_F(Eve, WritesBothVlansOuterFirst) {
  LogRecord record = sample_.https();
  record.vlan[1] = 20;
  EXPECT_EQ(parsed(record)["vlan"], (json{10, 20}));
}

TEST_F(Eve, WritesUnknownProtocolsAsNumbers) {
  LogRecord record = sample_.https();
  record.protocol = 253;
  EXPECT_EQ(parsed(record)["proto"], "253");
}

TEST_F(Eve, NeverWritesANegativeAge) {
  LogRecord record = sample_.https();
  record.last = record.start - kSecond;
  EXPECT_EQ(parsed(record)["flow"]["age"], 0);
}

TEST_F(Eve, WritesAFlowStartWithoutAnEnd) {
  LogRecord record = sample_.https();
  record.kind = RecordKind::FlowStart;
  record.end_reason = EndReason::None;
  const json flow = parsed(record)["flow"];
  EXPECT_EQ(flow["log"], "start");
  EXPECT_EQ(flow["state"], "established");
  EXPECT_FALSE(flow.contains("end"));
  EXPECT_FALSE(flow.contains("reason"));
}

TEST_F(Eve, WritesAChangeOfTheApplicationAsAFlowThatGoesOn) {
  LogRecord record = sample_.https();
  record.kind = RecordKind::FlowChange;
  record.end_reason = EndReason::None;
  const json event = parsed(record);
  EXPECT_EQ(event["event_type"], "flow");
  EXPECT_EQ(event["flow"]["log"], "change");
  EXPECT_EQ(event["flow"]["state"], "established");
  EXPECT_FALSE(event["flow"].contains("reason"));
}

TEST_F(Eve, CallsAFlowWithoutAnAnswerNew) {
  LogRecord record = sample_.https();
  record.end_reason = EndReason::AgedOut;
  record.packets[1] = 0;
  EXPECT_EQ(parsed(record)["flow"]["state"], "new");
}

TEST_F(Eve, SaysWhyAPinnedApplicationStaysEncrypted) {
  LogRecord record = sample_.https();
  record.decryption_mode = 0;
  record.decrypt_result = DecryptResult::Excluded;
  record.inspection = InspectionStatus::MetadataOnly;
  record.inspection_reason = InspectionReason::EncryptedCertPinnedApp;
  const json event = parsed(record);
  EXPECT_EQ(event["inspection"],
            (json{{"status", "metadata_only"}, {"reason", "encrypted_cert_pinned_app"}}));
  EXPECT_EQ(event["decrypt"],
            (json{{"mode", "none"}, {"result", "excluded"}, {"reason", "cert_pinned_app"}}));
}

TEST_F(Eve, KeepsItsWordsForTheNextLine) {
  const std::string first = line(sample_.https());
  line(sample_.dropped_ipmi());
  EXPECT_EQ(line(sample_.https()), first);
}

TEST_F(Eve, LearnsRenamedSidesWhenRenewed) {
  line(sample_.https());
  sample_.names.wire("front", "office", "rack");
  formatter_.renew("rack13");
  const json event = parsed(sample_.https());
  EXPECT_EQ(event["side"], "office");
  EXPECT_EQ(event["observer"], "rack13");
}

TEST_F(Eve, EscapesEveryNameTheOperatorGave) {
  const std::string nasty = "a\"b\\c\n\t\r\x01\x7f</script>\xc3\xa9";
  LogRecord record = sample_.https();
  record.wire = sample_.names.wire(nasty, nasty, nasty);
  record.source_zone = sample_.names.zone(nasty);
  record.application = record.identified = sample_.names.application(nasty);
  record.rule = sample_.names.rule({nasty, nasty, 1});
  record.subject = sample_.names.subject(nasty);
  formatter_.renew(nasty);
  const std::string text = line(record);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const json event = json::parse(text);
  for (const char* const field : {"in_iface", "side", "observer", "app_id", "app_proto", "user"})
    EXPECT_EQ(event[field], nasty) << field;
  EXPECT_EQ(event["zone"]["src"], nasty);
  EXPECT_EQ(event["policy"]["pack"], nasty);
  EXPECT_EQ(event["policy"]["rule"], nasty);
}

TEST(JsonQuoted, EscapesWhatJsonAndTerminalsWouldObey) {
  EXPECT_EQ(json_quoted("a\"b\\c\n\r\t"), R"("a\"b\\c\n\r\t")");
  EXPECT_EQ(json_quoted(std::string_view("\0\x1b\x7f", 3)), R"("\u0000\u001b\u007f")");
}

TEST(JsonQuoted, EscapesControlsThatAreTwoBytesOfUtf8) {
  EXPECT_EQ(json_quoted("\xc2\x9b[31m\xc2\x80\xc2\xa0"), "\"\\u009b[31m\\u0080\xc2\xa0\"");
}

TEST(JsonQuoted, KeepsWellFormedUtf8) {
  EXPECT_EQ(json_quoted("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92"),
            "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92\"");
}

TEST(JsonQuoted, RepairsBytesThatAreNoUtf8) {
  // Cut short, overlong, surrogate, beyond U+10FFFF, lone continuation.
  for (const char* const bad :
       {"\xe2\x82", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\x80"}) {
    const std::string quoted = json_quoted(bad);
    EXPECT_TRUE(json::accept(quoted)) << quoted;
    EXPECT_NE(quoted.find("\xef\xbf\xbd"), std::string::npos) << quoted;
  }
}

TEST(JsonQuoted, AgreesWithAParserOnRandomBytes) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 12, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const json parsed = json::parse(json_quoted(text), nullptr, false);
    ASSERT_TRUE(parsed.is_string()) << i;
    // The library's two ways to treat bad bytes differ only where there are some.
    const bool is_utf8 = json(text).dump(-1, ' ', false, json::error_handler_t::ignore) ==
                         json(text).dump(-1, ' ', false, json::error_handler_t::replace);
    ASSERT_EQ(parsed.get<std::string>() == text, is_utf8) << i;
  }
}

TEST(AddressText, SaysWhatTheLibrarySays) {
  std::mt19937 random(1);
  for (int i = 0; i < 100'000; ++i) {
    IpAddress address;
    // Sparse bytes, so that runs of zeros of every length and place occur.
    for (uint8_t& byte : address.bytes) byte = random() % 3 == 0 ? static_cast<uint8_t>(random()) : 0;
    if (i % 4 == 0) address = IpAddress::from_v4(&address.bytes[12]);
    if (i % 7 == 0) std::fill_n(address.bytes.begin(), 2 * (random() % 9), 0);
    ASSERT_EQ(AddressText(address).view(), address.text());
  }
}

// The value after the last of each enumeration has no word of its own; these name the last.
constexpr int kEndReasons = static_cast<int>(EndReason::Shutdown) + 1;
constexpr int kInspectionStatuses = static_cast<int>(InspectionStatus::Full) + 1;
constexpr int kInspectionReasons = static_cast<int>(InspectionReason::Exception) + 1;
constexpr int kDecryptionModes = static_cast<int>(classify::DecryptionMode::SslForwardProxy) + 1;
constexpr int kDecryptResults = static_cast<int>(DecryptResult::Unavailable) + 1;

TEST_F(EventSchema, AcceptsEveryKindOfFlowLine) {
  for (const RecordKind kind :
       {RecordKind::FlowStart, RecordKind::FlowChange, RecordKind::FlowEnd, RecordKind::FlowDrop}) {
    LogRecord base = kind == RecordKind::FlowDrop ? sample_.dropped_ipmi() : sample_.https();
    base.kind = kind;
    for (int protocol = 0; protocol < 256; ++protocol) {
      LogRecord record = base;
      record.protocol = static_cast<uint8_t>(protocol);
      record.source_port = record.destination_port = 200;
      expect_valid(record);
    }
    for (int i = 0; i < kEndReasons; ++i) {
      LogRecord record = base;
      record.end_reason = static_cast<EndReason>(i);
      expect_valid(record);
    }
    for (int i = 0; i < kInspectionStatuses * kInspectionReasons; ++i) {
      LogRecord record = base;
      record.inspection = static_cast<InspectionStatus>(i % kInspectionStatuses);
      record.inspection_reason = static_cast<InspectionReason>(i / kInspectionStatuses);
      expect_valid(record);
    }
    for (int i = 0; i < kDecryptionModes * kDecryptResults; ++i) {
      LogRecord record = base;
      record.decryption_mode = static_cast<uint8_t>(i % kDecryptionModes);
      record.decrypt_result = static_cast<DecryptResult>(i / kDecryptionModes);
      expect_valid(record);
    }
  }
  EXPECT_GT(lines_, 800);
}

TEST_F(EventSchema, AcceptsAlertsOfEitherOutcome) {
  LogRecord record = sample_.handshake();
  record.kind = RecordKind::Alert;
  for (const bool blocked : {true, false}) {
    dataplane::AlertFacts facts{.signature = {}, .direction = Direction::ToClient, .blocked = blocked};
    facts.signature.append("Eicar-Test-Signature");
    expect_valid(record, dataplane::extra_of(facts));
    const json event = json::parse(formatter_.line(record, dataplane::extra_of(facts)));
    EXPECT_EQ(event["alert"]["action"], blocked ? "blocked" : "allowed");
    EXPECT_EQ(event["alert"]["signature"], "Eicar-Test-Signature");
    EXPECT_EQ(event["direction"], "to_client");
  }
}

TEST_F(EventSchema, AcceptsEveryDropReasonOfFlowsAndOfPackets) {
  LogRecord packet = sample_.dropped_ipmi();
  packet.kind = RecordKind::PacketDrop;
  packet.flow_id = 0;
  for (LogRecord record : {sample_.dropped_ipmi(), packet, sample_.dropped_frame()}) {
    for (size_t i = 1; i < kDropReasons; ++i) {
      record.drop_reason = static_cast<DropReason>(i);
      expect_valid(record);
    }
  }
}

TEST_F(EventSchema, ListsTheDropReasonsThereAreAndNoOthers) {
  json expected = json::array();
  for (size_t i = 1; i < kDropReasons; ++i) expected.push_back(drop_reason_name(static_cast<DropReason>(i)));
  EXPECT_EQ(document_["definitions"]["drop_reason"]["enum"], expected);
}

TEST_F(EventSchema, AcceptsARecordThatKnowsAlmostNothing) {
  LogRecord record = sample_.dropped_frame();
  record.wire = WireId{200};
  record.generation = Generation{};
  formatter_.renew("");
  expect_valid(record);
}

TEST_F(EventSchema, AcceptsStatsAndLoss) {
  StatsRecord stats;
  expect_valid(formatter_.line(stats));
  stats.wires.push_back({"front", {PortStats{"it", "tap:a"}, PortStats{"management", "tap:b"}}});
  expect_valid(formatter_.line(stats));
  expect_valid(formatter_.line(LogLoss{0, LossCause::QueueFull, 1}));
  expect_valid(formatter_.line(LogLoss{kSampleTime, LossCause::WriteFailed, 1}));
}

TEST_F(EventSchema, RefusesLinesThatLackOrInventSomething) {
  const json good = json::parse(formatter_.line(sample_.https()));
  ASSERT_TRUE(accepts(good));
  const std::pair<const char*, std::function<void(json&)>> spoilers[] = {
      {"no timestamp", [](json& e) { e.erase("timestamp"); }},
      {"local time", [](json& e) { e["timestamp"] = "2026-01-02T03:04:05.123456+0100"; }},
      {"no verdict", [](json& e) { e.erase("verdict"); }},
      {"unknown action", [](json& e) { e["verdict"]["action"] = "maybe"; }},
      {"unknown key", [](json& e) { e["extra"] = 1; }},
      {"stats inside a flow", [](json& e) { e["stats"] = json::object(); }},
      {"unknown key inside", [](json& e) { e["flow"]["extra"] = 1; }},
      {"unknown event", [](json& e) { e["event_type"] = "alert"; }},
      {"flow called drop", [](json& e) { e["event_type"] = "drop"; }},
      {"port beyond", [](json& e) { e["src_port"] = 65536; }},
      {"one address", [](json& e) { e.erase("dest_ip"); }},
      {"no inspection", [](json& e) { e.erase("inspection"); }},
      {"bad community id", [](json& e) { e["community_id"] = "1:short"; }},
      {"text for a number", [](json& e) { e["flow"]["age"] = "5"; }},
  };
  for (const auto& [name, spoil] : spoilers) {
    json event = good;
    spoil(event);
    EXPECT_FALSE(accepts(event)) << name;
  }
}

}  // namespace
}  // namespace postern::control
