// SPDX-License-Identifier: Apache-2.0
#include "tls/forward_credentials.h"

#include <gtest/gtest.h>

#include <csignal>
#include <map>

#include "tests/tls/signing_files.h"
#include "tests/tls/upstream_cases.h"

namespace postern::tls {
namespace {

// A client that trusts the site's CA and verifies like any other.
Settings client_of(const Issued& root) {
  Settings settings(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_verify(settings.get(), SSL_VERIFY_PEER, nullptr);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(settings.get()), root.get());
  X509_VERIFY_PARAM* how = SSL_CTX_get0_param(settings.get());
  X509_VERIFY_PARAM_set_time(how, kNow);
  X509_VERIFY_PARAM_set1_host(how, "bmc.lab", 0);
  return settings;
}

int give_staple(SSL* server, void* text) {
  const auto& answer = *static_cast<const std::string*>(text);
  if (answer.empty()) return SSL_TLSEXT_ERR_NOACK;
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(answer.data(), answer.size()));
  SSL_set_tlsext_status_ocsp_resp(server, copy, static_cast<long>(answer.size()));
  return SSL_TLSEXT_ERR_OK;
}

class ForwardCredentialsTest : public testing::Test {
 protected:
  ForwardCredentialsTest() { std::signal(SIGPIPE, SIG_IGN); }

  void proxy(const std::map<CertificateFault, FaultAction>& actions) {
    const Folder folder;
    write_file(folder.path() / "root", [&](FILE* file) { PEM_write_X509(file, family().root.get()); });
    ForwardCredentials::Setup setup{
        .trust = std::make_shared<TrustStore>(
            std::move(TrustStore::load({.certificates = folder.path() / "root", .crls = {}}).value())),
        .leaves = {load_ca({site_}), load_ca({untrusted_site_}), 16}};
    for (const auto& [fault, action] : actions) setup.actions[static_cast<size_t>(fault)] = action;
    setup.clock = [this] { return now_; };
    credentials_ = std::move(ForwardCredentials::make(std::move(setup)).value());
  }

  // A client that trusts `trusted` speaks to the server of the scene.
  Exchange& meet(const Scene& scene, const Issued& trusted) {
    client_settings_ = client_of(trusted);
    server_settings_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_security_level(server_settings_.get(), 0);
    EXPECT_EQ(SSL_CTX_use_certificate(server_settings_.get(), scene.leaf.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(server_settings_.get(), scene.leaf.key.get()), 1);
    for (const Issued& one : scene.chain) SSL_CTX_add1_chain_cert(server_settings_.get(), one.get());
    ocsp_ = scene.ocsp;
    SSL_CTX_set_tlsext_status_cb(server_settings_.get(), give_staple);
    SSL_CTX_set_tlsext_status_arg(server_settings_.get(), &ocsp_);
    SSL_CTX_set_session_id_context(server_settings_.get(), reinterpret_cast<const unsigned char*>("s"), 1);
    return meet_again();
  }

  // The same client and server once more, after an orderly end: OpenSSL takes up no other session.
  Exchange& meet_again() {
    if (exchange_) {
      SSL_shutdown(exchange_->client().ssl());
      SSL_shutdown(exchange_->server().ssl());
      exchange_->run();
    }
    exchange_.emplace(*credentials_, Exchange::Setup{.client = client_settings_.get(),
                                                     .server = server_settings_.get(),
                                                     .upstream = &upstream_});
    exchange_->client().send("question");
    exchange_->server().send("answer");
    exchange_->run();
    return *exchange_;
  }
  static void expect_silence(Exchange& exchange) {
    EXPECT_EQ(exchange.progress(), Session::Progress::Over);
    EXPECT_EQ(exchange.session().reason(), DecryptReason::UpstreamUntrusted);
    EXPECT_EQ(BIO_number_read(SSL_get_rbio(exchange.client().ssl())), 0u);
    EXPECT_EQ(exchange.server().heard(), "");
  }

  Issued site_ = issue_self_signed(authority("site CA"));
  Issued untrusted_site_ = issue_self_signed(authority("untrusted site CA"));
  std::unique_ptr<ForwardCredentials> credentials_;
  Settings client_settings_, server_settings_;
  Timestamp now_ = static_cast<Timestamp>(kNow) * kSecond;
  std::string ocsp_;
  UpstreamSessions upstream_{4};
  std::optional<Exchange> exchange_;
};

TEST_F(ForwardCredentialsTest, AClientTrustsTheLeafOfAGoodServer) {
  proxy({});
  Exchange& exchange = meet(shows({}), site_);
  EXPECT_EQ(exchange.client().heard(), "answer");
  EXPECT_EQ(exchange.server().heard(), "question");
  EXPECT_EQ(SSL_get_verify_result(exchange.client().ssl()), X509_V_OK);
  EXPECT_EQ(exchange.session().fault(), CertificateFault::None);
}

TEST_F(ForwardCredentialsTest, AClientTrustsALeafBelowAnIntermediateOfTheSite) {
  proxy({});
  const Issued root = site_;
  site_ = issue(authority("site issuing"), root);
  proxy({});
  EXPECT_EQ(meet(shows({.key = rsa_key(2048)}), root).client().heard(), "answer");
}

TEST_F(ForwardCredentialsTest, AServerSeenAgainGetsTheSameLeaf) {
  proxy({});
  const Scene scene = shows({});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(meet(scene, site_).client().heard(), "answer");
  EXPECT_EQ(credentials_->leaves().counts().minted, 1u);
  EXPECT_EQ(credentials_->leaves().counts().reused, 2u);
}

TEST_F(ForwardCredentialsTest, ABadServerIsBlockedBeforeTheClientHearsAByte) {
  proxy({});
  const std::pair<CertificateFault, Scene> scenes[] = {
      {CertificateFault::Expired, shows({.ends = kNow - 1})},
      {CertificateFault::WrongName, shows({.names = "DNS:other.lab"})},
      {CertificateFault::SelfSigned, {issue_self_signed({}), {}, family().root}},
      {CertificateFault::IncompleteChain, {issue({}, family().issuing), {}, family().root}},
      {CertificateFault::WrongPurpose, shows({.purpose = "clientAuth"})}};
  for (const auto& [fault, scene] : scenes) {
    SCOPED_TRACE(certificate_fault_name(fault));
    Exchange& exchange = meet(scene, site_);
    expect_silence(exchange);
    EXPECT_EQ(exchange.session().fault(), fault);
  }
}

TEST_F(ForwardCredentialsTest, AStapledRevocationBlocks) {
  proxy({});
  Scene scene = shows({});
  scene.ocsp = staple(scene.leaf, family().issuing, family().issuing, {.status = V_OCSP_CERTSTATUS_REVOKED});
  Exchange& exchange = meet(scene, site_);
  expect_silence(exchange);
  EXPECT_EQ(exchange.session().fault(), CertificateFault::Revoked);
}

TEST_F(ForwardCredentialsTest, AServerThatMustStapleAndDoesPasses) {
  proxy({});
  Scene scene = shows({.more = {{NID_tlsfeature, "status_request"}}});
  scene.ocsp = staple(scene.leaf, family().issuing, family().issuing, {});
  EXPECT_EQ(meet(scene, site_).client().heard(), "answer");
}

TEST_F(ForwardCredentialsTest, AServersSessionThatGoesOnIsJudgedAnew) {
  proxy({});
  EXPECT_EQ(meet(shows({.ends = kNow + kDay}), site_).client().heard(), "answer");
  Exchange& again = meet_again();
  EXPECT_EQ(again.client().heard(), "answer");
  EXPECT_TRUE(again.session().facts().server_resumed);
  now_ += 2 * static_cast<Timestamp>(kDay) * kSecond;
  Exchange& late = meet_again();
  expect_silence(late);
  EXPECT_EQ(late.session().fault(), CertificateFault::Expired);
}

TEST_F(ForwardCredentialsTest, TheStapledAnswerGoesOnWithTheSession) {
  proxy({});
  Scene scene = shows({.more = {{NID_tlsfeature, "status_request"}}});
  scene.ocsp = staple(scene.leaf, family().issuing, family().issuing, {});
  meet(scene, site_);
  for (int i = 0; i < 2; ++i) {
    Exchange& again = meet_again();
    EXPECT_EQ(again.client().heard(), "answer");
    EXPECT_TRUE(again.session().facts().server_resumed);
  }
  now_ += 2 * static_cast<Timestamp>(kDay) * kSecond;
  Exchange& late = meet_again();
  expect_silence(late);
  EXPECT_EQ(late.session().fault(), CertificateFault::OcspStale);
}

TEST_F(ForwardCredentialsTest, TheStapledAnswerIsNotShownToTheClient) {
  proxy({});
  Scene scene = shows({});
  scene.ocsp = staple(scene.leaf, family().issuing, family().issuing, {});
  meet(scene, site_);
  SSL_CTX_set_tlsext_status_type(client_settings_.get(), TLSEXT_STATUSTYPE_ocsp);
  Exchange& exchange = meet_again();
  EXPECT_EQ(exchange.client().heard(), "answer");
  const unsigned char* heard = nullptr;
  EXPECT_LE(SSL_get_tlsext_status_ocsp_resp(exchange.client().ssl(), &heard), 0) << "it is about another one";
}

TEST_F(ForwardCredentialsTest, AnUntrustedLeafIsNotTrustedByClientsOfTheSite) {
  proxy({{CertificateFault::SelfSigned, FaultAction::UntrustedLeaf}});
  const Scene scene{issue_self_signed({}), {}, family().root};
  EXPECT_TRUE(meet(scene, site_).client().failed());
  Exchange& exchange = meet(scene, untrusted_site_);
  EXPECT_EQ(exchange.client().heard(), "answer");
  EXPECT_EQ(exchange.session().fault(), CertificateFault::SelfSigned);
}

TEST_F(ForwardCredentialsTest, AWeakKeyIsJudgedByItsAction) {
  const Scene scene = shows({.key = rsa_key(1024)});
  proxy({});
  expect_silence(meet(scene, site_));
  proxy({{CertificateFault::WeakKey, FaultAction::UntrustedLeaf}});
  EXPECT_EQ(meet(scene, untrusted_site_).client().heard(), "answer");
}

TEST_F(ForwardCredentialsTest, AnAllowedFaultIsVouchedForAndNamed) {
  proxy({{CertificateFault::SelfSigned, FaultAction::Allow}});
  Exchange& exchange = meet({issue_self_signed({}), {}, family().root}, site_);
  EXPECT_EQ(exchange.client().heard(), "answer");
  EXPECT_EQ(exchange.session().fault(), CertificateFault::SelfSigned);
}

TEST_F(ForwardCredentialsTest, AnAllowedFaultAllowsNoOther) {
  proxy({{CertificateFault::SelfSigned, FaultAction::Allow},
         {CertificateFault::Expired, FaultAction::UntrustedLeaf}});
  Exchange& blocked = meet({issue_self_signed({.names = "DNS:other.lab"}), {}, family().root}, site_);
  expect_silence(blocked);
  EXPECT_EQ(blocked.session().fault(), CertificateFault::WrongName);
  Exchange& untrusted = meet({issue_self_signed({.ends = kNow - 1}), {}, family().root}, site_);
  EXPECT_TRUE(untrusted.client().failed());
  EXPECT_EQ(untrusted.session().fault(), CertificateFault::Expired);
}

TEST_F(ForwardCredentialsTest, AnAllowedExpiredServerStaysExpiredForTheClient) {
  proxy({{CertificateFault::Expired, FaultAction::Allow}});
  Exchange& exchange = meet(shows({.ends = kNow - 1}), site_);
  EXPECT_TRUE(exchange.client().failed());
  EXPECT_EQ(SSL_get_verify_result(exchange.client().ssl()), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_F(ForwardCredentialsTest, WhatCannotBeMirroredIsNotShown) {
  proxy({{CertificateFault::Malformed, FaultAction::Allow}});
  Exchange& exchange = meet(shows({.subject = std::string("a\0b", 3)}), site_);
  EXPECT_EQ(exchange.session().reason(), DecryptReason::NotMirrored);
  EXPECT_EQ(BIO_number_read(SSL_get_rbio(exchange.client().ssl())), 0u);
}

TEST_F(ForwardCredentialsTest, AnUntrustedLeafNeedsACaForIt) {
  FaultActions actions{};
  actions[static_cast<size_t>(CertificateFault::SelfSigned)] = FaultAction::UntrustedLeaf;
  const auto made = ForwardCredentials::make(
      {.trust = nullptr, .leaves = {load_ca({site_}), nullptr, 1}, .actions = actions, .clock = {}});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text().find("expected a CA for untrusted servers"), std::string::npos);
}

}  // namespace
}  // namespace postern::tls
