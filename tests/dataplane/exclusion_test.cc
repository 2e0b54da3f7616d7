// SPDX-License-Identifier: Apache-2.0
// Which flows a worker leaves end to end although their rule wants them decrypted, and what it tells of them.
#include <gtest/gtest.h>

#include "tls_bench.h"

namespace postern::dataplane {
namespace {

using classify::hex;
using classify::usual_hello;

class Excluded : public testing::Test {
 protected:
  static classify::Policy excluding(std::string host, uint32_t generation = 1) {
    classify::Policy policy = proxy_tls(generation);
    policy.exclusions = {{classify::Exclusion::Host, {std::move(host)}, {}}};
    return policy;
  }
  // Whether a TLS core gets the flow.
  bool adopted(TlsBench& bench, const std::string& hello = usual_hello()) {
    EXPECT_TRUE(talk_.open(*bench.lane));
    const size_t sent = bench.lane->output.sent.size();
    bench.lane->receive(kFirstSide, talk_.from_client(kAck | kPsh, hello));
    passed_ = bench.lane->output.sent.size() > sent;
    return !bench.all().empty();
  }
  // Of the one handshake that was told.
  std::pair<LogRecord, classify::TlsFacts> told(TlsBench& bench) {
    for (const LogEvent& event : bench.lane->events())
      if (event.record.kind == RecordKind::Tls)
        return {event.record, read_extra<classify::TlsFacts>(event.extra)};
    ADD_FAILURE() << "no record of a handshake";
    return {};
  }
  static uint64_t counted(TlsBench& bench, DecryptReason reason) {
    return bench.lane->counters.not_decrypted[static_cast<size_t>(reason)].value();
  }

  TcpTalk talk_;
  bool passed_ = false;
};

TEST_F(Excluded, AFlowStaysEndToEndAndIsToldWhy) {
  TlsBench bench(excluding("*.example.net"));
  EXPECT_FALSE(adopted(bench));
  EXPECT_TRUE(passed_);
  EXPECT_EQ(counted(bench, DecryptReason::ExcludedHost), 1u);
  bench.lane->receive(kSecondSide, talk_.from_server(kAck | kPsh, "no handshake"));
  const auto [record, facts] = told(bench);
  EXPECT_EQ(record.decrypt_result, DecryptResult::Excluded);
  EXPECT_EQ(record.inspection_reason, InspectionReason::EncryptedExcluded);
  EXPECT_EQ(facts.decrypt_reason, DecryptReason::ExcludedHost);
}

// So nobody learns what runs inside, and the rule that names it cannot be met.
TEST_F(Excluded, AFlowIsNotOpenedForARuleThatNamesWhatRunsInside) {
  classify::Policy policy = excluding("*.example.net");
  policy.rules.back().application = classify::app::kHttp;
  TlsBench bench(std::move(policy));
  EXPECT_FALSE(adopted(bench));
  EXPECT_FALSE(passed_);
}

TEST_F(Excluded, AFlowOfAnotherHostIsDecrypted) {
  TlsBench bench(excluding("example.net"));
  EXPECT_TRUE(adopted(bench));
}

TEST_F(Excluded, ACategoryCountsWhereTheRuleNamesIt) {
  classify::Policy policy = proxy_tls();
  policy.exclusions = {{classify::Exclusion::Finance, {"bmc7.example.net"}, {}}};
  TlsBench unnamed(policy);
  EXPECT_TRUE(adopted(unnamed));
  policy.rules.back().excluded_categories.add(classify::Exclusion::Finance);
  TlsBench named(policy);
  talk_ = {};
  EXPECT_FALSE(adopted(named));
  EXPECT_EQ(counted(named, DecryptReason::Finance), 1u);
}

TEST_F(Excluded, NothingIsNeededToDecryptForIt) {
  classify::Policy policy = excluding("bmc7.example.net");
  policy.forward_proxy = false;
  TlsBench bench(std::move(policy));
  EXPECT_FALSE(adopted(bench));
  EXPECT_TRUE(passed_);
}

TEST_F(Excluded, AFlowThatRunsGoesOnWhenItsExclusionGoes) {
  TlsBench bench(excluding("bmc7.example.net"));
  EXPECT_FALSE(adopted(bench));
  bench.lane->publish(compiled(proxy_tls(2)));
  EXPECT_TRUE(bench.lane->passes(kFirstSide, talk_.from_client(kAck | kPsh, "more")));
}

TEST_F(Excluded, AClientOfAnOldVersionMeetsTheException) {
  TlsBench bench(proxy_tls());
  const std::string old = classify::client_hello(classify::server_name("bmc7.example.net") +
                                                 classify::extension(43, hex("02 0302")));
  EXPECT_FALSE(adopted(bench, old));
  EXPECT_FALSE(passed_);
  EXPECT_EQ(told(bench).second.decrypt_reason, DecryptReason::UnsupportedVersion);
  EXPECT_EQ(counted(bench, DecryptReason::UnsupportedVersion), 1u);
}

// An outer hello with a suite and a key length that are registered: real or GREASE, none can tell.
std::string hello_with_ech() {
  return classify::client_hello(
      classify::server_name("bmc7.example.net") + classify::kVersions13And12 +
      classify::extension(
          0xfe0d, hex("00 0001 0001 07 0020") + std::string(32, 'k') + hex("0090") + std::string(0x90, 'p')));
}

TEST_F(Excluded, AHelloThatMayHideAnotherIsDecrypted) {
  TlsBench bench(proxy_tls());
  EXPECT_TRUE(adopted(bench, hello_with_ech()));
}

TEST_F(Excluded, AHelloThatMayHideAnotherMeetsTheExceptionWhereTheSiteSaysSo) {
  classify::Policy policy = proxy_tls();
  policy.ech = classify::EchAnswer::Refuse;
  TlsBench bench(std::move(policy));
  EXPECT_FALSE(adopted(bench, hello_with_ech()));
  EXPECT_FALSE(passed_);
  EXPECT_EQ(told(bench).second.decrypt_reason, DecryptReason::Ech);
}

}  // namespace
}  // namespace postern::dataplane
