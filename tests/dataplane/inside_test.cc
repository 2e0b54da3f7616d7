// SPDX-License-Identifier: Apache-2.0
// A worker's side of what a TLS core finds in clear bytes: verdicts, logs and the ruling that goes back.
#include "dataplane/inside.h"

#include <gtest/gtest.h>

#include "inspected.h"
#include "tls_bench.h"

namespace postern::dataplane {
namespace {

namespace app = classify::app;

ClearFinding found(std::vector<AppId> applications, std::string_view signature = "") {
  ClearFinding finding{.direction = Direction::ToServer,
                       .count = static_cast<uint8_t>(applications.size()),
                       .applications = {},
                       .signature = profiles::as_fixed(signature)};
  std::copy(applications.begin(), applications.end(), finding.applications.begin());
  return finding;
}

class Inside : public testing::Test {
 protected:
  void begin(classify::Policy policy) {
    bench_.emplace(std::move(policy));
    flow_ = bench_->adopt(talk_);
    bench_->lane->events();
  }
  DecryptReason ruling(const ClearFinding& finding) {
    bench_->find(flow_, finding);
    const auto message = bench_->next();
    if (!message || !message->ruling) return DecryptReason::Count;
    EXPECT_EQ(message->tag.stamp, flow_.stamp);
    return message->ruling->refusal;
  }
  std::vector<LogEvent> events() { return bench_->lane->events(); }

  std::optional<TlsBench> bench_;
  TcpTalk talk_;
  TlsTag flow_;
};

// What is decrypted may be HTTP only.
classify::Policy decrypt_http() {
  classify::Policy policy = decrypt_tls();
  policy.rules[0].application = app::kHttp;
  return policy;
}

classify::Policy decrypt_but(AppId application) {
  classify::Policy policy = wire_policy();
  add_wire_rule(policy, Action::Drop, application);
  add_wire_rule(policy, Action::Allow, app::kTls).decryption = classify::DecryptionMode::SslInboundInspection;
  policy.inbound_inspection = true;
  return policy;
}

TEST_F(Inside, MeetsARuleForWhatCarriesIt) {
  begin(decrypt_tls());
  EXPECT_EQ(ruling(found({app::kHttp})), DecryptReason::None);
  const auto changes = bench_->lane->records(RecordKind::FlowChange);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].identified, app::kHttp);
  EXPECT_EQ(changes[0].application, app::kTls) << "as the rule calls it";
  EXPECT_EQ(changes[0].decrypt_result, DecryptResult::Decrypted);
}

TEST_F(Inside, IsRefusedByARuleForItself) {
  begin(decrypt_but(app::kSsh));
  EXPECT_EQ(ruling(found({app::kSsh})), DecryptReason::ApplicationDenied);
  const size_t sent = bench_->lane->output.sent.size();
  bench_->lane->receive(kFirstSide, talk_.from_client(kAck, "x"));
  EXPECT_EQ(bench_->lane->output.sent.size(), sent);
}

TEST_F(Inside, IsJudgedOneAfterTheOtherUntilOneIsRefused) {
  begin(decrypt_but(app::kSsh));
  EXPECT_EQ(ruling(found({app::kHttp, app::kSsh, app::kHttp})), DecryptReason::ApplicationDenied);
}

TEST_F(Inside, IsWaitedForByARuleThatDecryptsAndNamesIt) {
  begin(decrypt_http());
  EXPECT_EQ(ruling(found({app::kHttp})), DecryptReason::None);
  EXPECT_EQ(ruling(found({app::kSsh})), DecryptReason::ApplicationDenied);
}

TEST_F(Inside, IsNotWaitedForByARuleThatDoesNotDecrypt) {
  classify::Policy policy = decrypt_http();
  policy.rules[0].decryption = classify::DecryptionMode::None;
  TlsBench bench(std::move(policy));
  ASSERT_TRUE(talk_.open(*bench.lane));
  EXPECT_EQ(bench.lane->verdict(kFirstSide, talk_.from_client(kAck | kPsh, classify::usual_hello())),
            DropReason::PolicyDefault);
}

TEST_F(Inside, OfAnotherKindThanTheRuleSaysIsRefusedThoughItIsTlsAgain) {
  begin(decrypt_http());
  EXPECT_EQ(ruling(found({app::kTls})), DecryptReason::ApplicationDenied);
}

TEST_F(Inside, IsJudgedAnewByAnotherPolicy) {
  begin(decrypt_tls());
  EXPECT_EQ(ruling(found({app::kSsh})), DecryptReason::None);
  classify::Policy policy = decrypt_but(app::kSsh);
  policy.generation = Generation{2};
  bench_->lane->publish(compiled(std::move(policy)));
  bench_->lane->receive(kFirstSide, talk_.from_client(kAck, "x"));
  const auto messages = bench_->all();
  ASSERT_FALSE(messages.empty());
  EXPECT_EQ(messages[0].tag.kind, TlsMessage::Abort);
}

TEST_F(Inside, OfClearTextMembersIsNotMeant) {
  classify::Policy policy = decrypt_but(classify::kClearTextMgmt);
  for (classify::Application& application : policy.applications)
    if (application.id == classify::kClearTextMgmt)
      for (classify::Member& member : application.members) member.in_clear = member.application.has_value();
  begin(std::move(policy));
  EXPECT_EQ(ruling(found({app::kCimXml})), DecryptReason::None);
}

TEST_F(Inside, ASignatureEndsTheFlowAndIsTold) {
  begin(inspected(decrypt_tls()));
  EXPECT_EQ(ruling(found({app::kHttp}, "Test.One")), DecryptReason::ContentBlocked);
  const auto all = events();
  const auto alert = std::find_if(all.begin(), all.end(),
                                  [](const LogEvent& e) { return e.record.kind == RecordKind::Alert; });
  ASSERT_NE(alert, all.end());
  EXPECT_EQ(alert->record.drop_reason, DropReason::ContentBlocked);
  const auto facts = read_extra<AlertFacts>(alert->extra);
  EXPECT_EQ(facts.signature.view(), "Test.One");
  EXPECT_TRUE(facts.blocked);
}

TEST_F(Inside, ASignatureIsToldAndPassesWhereTheRuleOnlyAlerts) {
  begin(inspected(decrypt_tls(), classify::ProfileAction::Alert));
  EXPECT_EQ(ruling(found({app::kHttp}, "Test.One")), DecryptReason::None);
  EXPECT_EQ(bench_->lane->records(RecordKind::Alert).size(), 1u);
}

TEST_F(Inside, ASignaturePassesWhereNoRuleAsks) {
  begin(decrypt_tls());
  EXPECT_EQ(ruling(found({app::kHttp}, "Test.One")), DecryptReason::None);
  EXPECT_TRUE(bench_->lane->records(RecordKind::Alert).empty());
}

TEST_F(Inside, AnswersNothingAboutAnEarlierFlow) {
  begin(decrypt_tls());
  flow_.stamp += 1;
  bench_->find(flow_, found({app::kHttp}));
  EXPECT_FALSE(bench_->next());
}

TEST_F(Inside, OfAStuckCoreIsEndedAndItsPeersAreReset) {
  begin(decrypt_tls());
  bench_->links.cores[0]->stuck.store(true);
  const size_t sent = bench_->lane->output.sent.size();
  EXPECT_EQ(bench_->lane->verdict(kFirstSide, talk_.from_client(kAck, "x")), DropReason::DecryptionFailed);
  EXPECT_EQ(bench_->lane->verdict(kSecondSide, talk_.from_server(kAck, "y")), DropReason::DecryptionFailed);
  ASSERT_EQ(bench_->lane->output.sent.size(), sent + 2);
  EXPECT_EQ(bench_->lane->output.sent[sent].port.value, kFirstSide.value);
  EXPECT_EQ(bench_->lane->output.sent[sent + 1].port.value, kSecondSide.value);
  EXPECT_FALSE(bench_->next());
  TcpTalk other;
  other.client_port = 40001;
  ASSERT_TRUE(other.open(*bench_->lane));
  EXPECT_EQ(bench_->lane->verdict(kFirstSide, other.from_client(kAck | kPsh, classify::usual_hello())),
            DropReason::DecryptionUnavailable);
}

}  // namespace
}  // namespace postern::dataplane
