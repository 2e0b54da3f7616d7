// SPDX-License-Identifier: Apache-2.0
#include "tls/session.h"

#include <gtest/gtest.h>

#include <csignal>

#include "tests/tls/session_peers.h"

namespace postern::tls {
namespace {

constexpr std::string_view kEicar = R"(X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*)";
const std::vector<uint8_t> kBothProtocols = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// Remembers what it has seen, blocks the antivirus test file.
class Watcher : public ClearTextInspector {
 public:
  explicit Watcher(std::string& seen) : seen_(seen) {}
  void opened(std::string_view) noexcept override {}
  Ruling inspect(Direction direction, Bytes bytes) noexcept override {
    seen_ += direction == Direction::ToServer ? ">" : "<";
    seen_ += as_text(bytes);
    return seen_.find(kEicar) == std::string::npos ? Ruling::Pass : Ruling::Block;
  }

 private:
  std::string& seen_;
};

// Lets bytes wait that ask for it, and remembers the protocol.
class Holder : public ClearTextInspector {
 public:
  explicit Holder(std::string& protocol) : protocol_(protocol) {}
  void opened(std::string_view protocol) noexcept override { protocol_ = protocol; }
  Ruling inspect(Direction, Bytes bytes) noexcept override {
    return as_text(bytes) == "wait" ? Ruling::Wait : Ruling::Pass;
  }

 private:
  std::string& protocol_;
};

int http_1_1(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned, void*) {
  *out = reinterpret_cast<const unsigned char*>("http/1.1");
  *size = 8;
  return SSL_TLSEXT_ERR_OK;
}

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    std::signal(SIGPIPE, SIG_IGN);
    SSL_CTX_use_certificate(server_settings_.get(), real_.certificate.get());
    SSL_CTX_use_PrivateKey(server_settings_.get(), real_.key.get());
  }
  Exchange begin(Exchange::Setup setup = {}) {
    setup.client = client_settings_.get();
    setup.server = server_settings_.get();
    return Exchange(*credentials_, std::move(setup));
  }
  std::unique_ptr<InboundCredentials> import(const std::vector<const Imported*>& from) {
    auto identities = std::make_shared<ServerIdentities>();
    for (const Imported* one : from)
      identities->push_back(std::move(ServerIdentity::load(one->files).value()));
    return std::move(InboundCredentials::make(identities).value());
  }
  static std::string shown_to(Peer& peer) {
    const X509* shown = SSL_get0_peer_certificate(peer.ssl());
    return shown == nullptr ? "" : der_of(const_cast<X509*>(shown));
  }

  Folder folder_;
  Imported real_ = Imported::make(folder_.path(), "bmc.lab", new_key());
  Imported other_ = Imported::make(folder_.path(), "bmc.lab", new_key());
  Settings client_settings_{SSL_CTX_new(TLS_client_method())},
      server_settings_{SSL_CTX_new(TLS_server_method())};
  std::unique_ptr<InboundCredentials> credentials_ = import({&other_, &real_});
};

TEST_F(SessionTest, ShowsTheClientTheServersOwnCertificate) {
  Exchange exchange = begin();
  exchange.run();
  ASSERT_TRUE(exchange.session().established());
  EXPECT_EQ(shown_to(exchange.client()), der_of(real_.certificate.get()));
  const SessionFacts facts = exchange.session().facts();
  EXPECT_EQ(facts.version, TLS1_3_VERSION);
  EXPECT_EQ(std::string(facts.certificate.begin(), facts.certificate.end()), der_of(real_.certificate.get()));
}

TEST_F(SessionTest, CarriesMuchBothWays) {
  Exchange exchange = begin();
  const std::string much(3'000'000, 'x');
  exchange.client().send("up " + much);
  exchange.server().send("down " + much);
  exchange.run(2000);
  EXPECT_TRUE(exchange.server().heard() == "up " + much) << exchange.server().heard().size();
  EXPECT_TRUE(exchange.client().heard() == "down " + much) << exchange.client().heard().size();
  EXPECT_EQ(exchange.session().bytes(Direction::ToServer), much.size() + 3);
}

TEST_F(SessionTest, GivesTheClientTheVersionThatTheServerTook) {
  SSL_CTX_set_max_proto_version(server_settings_.get(), TLS1_2_VERSION);
  Exchange exchange = begin();
  exchange.client().send("hello");
  exchange.run();
  EXPECT_EQ(SSL_version(exchange.client().ssl()), TLS1_2_VERSION);
  EXPECT_EQ(exchange.server().heard(), "hello");
}

TEST_F(SessionTest, OffersTheServerNoVersionThatTheClientDidNot) {
  SSL_CTX_set_max_proto_version(client_settings_.get(), TLS1_2_VERSION);
  Exchange exchange = begin({.highest_version = TLS1_2_VERSION});
  exchange.run();
  EXPECT_EQ(SSL_version(exchange.server().ssl()), TLS1_2_VERSION);
}

TEST_F(SessionTest, GivesTheClientTheProtocolThatTheServerChose) {
  SSL_CTX_set_alpn_select_cb(server_settings_.get(), http_1_1, nullptr);
  Exchange exchange = begin({.alpn = kBothProtocols});
  exchange.run();
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(exchange.client().ssl(), &chosen, &size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");
  EXPECT_EQ(exchange.session().facts().alpn.view(), "http/1.1");
}

TEST_F(SessionTest, ChoosesNoProtocolWhenTheServerChoseNone) {
  Exchange exchange = begin({.alpn = kBothProtocols});
  exchange.run();
  ASSERT_TRUE(exchange.session().established());
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(exchange.client().ssl(), &chosen, &size);
  EXPECT_EQ(size, 0u);
}

TEST_F(SessionTest, ShowsTheInspectorTheClearBytesOfBothDirections) {
  std::string seen;
  Exchange exchange = begin({.inspector = std::make_unique<Watcher>(seen)});
  exchange.client().send("question");
  exchange.run();
  exchange.server().send("answer");
  exchange.run();
  EXPECT_EQ(seen, ">question<answer");
}

TEST_F(SessionTest, LetsNoByteOfBlockedContentPass) {
  std::string seen;
  Exchange exchange = begin({.inspector = std::make_unique<Watcher>(seen)});
  exchange.client().send("question");
  exchange.run();
  exchange.server().send(std::string(kEicar));
  exchange.run();
  EXPECT_EQ(exchange.progress(), Session::Progress::Over);
  EXPECT_EQ(exchange.session().reason(), DecryptReason::ContentBlocked);
  EXPECT_EQ(exchange.client().heard(), "");
}

TEST_F(SessionTest, HoldsWhatWaitsForItsInspectorAndCarriesTheOtherDirection) {
  std::string protocol;
  Exchange exchange = begin({.inspector = std::make_unique<Holder>(protocol)});
  exchange.client().send("wait");
  exchange.run();
  EXPECT_TRUE(exchange.session().holds(Direction::ToServer));
  EXPECT_EQ(exchange.server().heard(), "");
  exchange.client().send("later");
  exchange.server().send("meanwhile");
  exchange.run();
  EXPECT_EQ(exchange.client().heard(), "meanwhile");
  EXPECT_EQ(exchange.server().heard(), "");
  exchange.session().pass(Direction::ToServer);
  exchange.run();
  EXPECT_EQ(exchange.server().heard(), "waitlater");
}

TEST_F(SessionTest, TellsTheInspectorTheProtocolThatTheServerChose) {
  SSL_CTX_set_alpn_select_cb(server_settings_.get(), http_1_1, nullptr);
  std::string protocol;
  Exchange exchange = begin({.alpn = kBothProtocols, .inspector = std::make_unique<Holder>(protocol)});
  exchange.run();
  EXPECT_EQ(protocol, "http/1.1");
}

TEST_F(SessionTest, WritesTheSecretsOfBothSidesWhereTheSiteAsksForThem) {
  const std::string file = (folder_.path() / "keys.log").string();
  Exchange exchange = begin({.key_log = KeyLog::open(file).value()});
  exchange.run();
  ASSERT_TRUE(exchange.session().established());
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  size_t secrets = 0;
  for (size_t at = 0; (at = text.find("CLIENT_TRAFFIC_SECRET_0 ", at)) != std::string::npos; ++at) ++secrets;
  EXPECT_EQ(secrets, 2u) << text;
}

TEST_F(SessionTest, AKeyLogThatOthersMayReadIsRefused) {
  const std::string file = (folder_.path() / "keys.log").string();
  std::ofstream(file) << "";
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  const auto opened = KeyLog::open(file);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text().find("expected a file of mode 0600"), std::string::npos);
}

TEST_F(SessionTest, EndsWhenTheServerShowsAnotherKey) {
  credentials_ = import({&other_});
  Exchange exchange = begin();
  exchange.run();
  EXPECT_EQ(exchange.session().reason(), DecryptReason::KeyMismatch);
  EXPECT_FALSE(exchange.client().finished_handshake());
}

TEST_F(SessionTest, EndsWhenTheServerAsksForTheClientsCertificate) {
  SSL_CTX_set_verify(server_settings_.get(), SSL_VERIFY_PEER, nullptr);
  Exchange exchange = begin();
  exchange.run();
  EXPECT_EQ(exchange.session().reason(), DecryptReason::MutualTls);
  EXPECT_FALSE(exchange.client().finished_handshake());
}

TEST_F(SessionTest, BlamesTheServerThatSpeaksNoTls) {
  Exchange exchange = begin();
  ASSERT_GT(::write(exchange.server().socket(), "220 ready\r\n", 11), 0);
  exchange.run();
  EXPECT_EQ(exchange.session().reason(), DecryptReason::ServerHandshake);
}

TEST_F(SessionTest, BlamesTheClientThatRefusesTheCertificate) {
  SSL_CTX_set_verify(client_settings_.get(), SSL_VERIFY_PEER, nullptr);  // it trusts nobody
  Exchange exchange = begin();
  exchange.run();
  EXPECT_EQ(exchange.session().reason(), DecryptReason::ClientRefused);
  EXPECT_EQ(exchange.session().objection(), ClientObjection::UnknownCa);
}

TEST_F(SessionTest, BlamesTheClientThatLeavesTheHandshake) {
  Exchange exchange = begin();
  exchange.client().step();
  exchange.client().close();
  exchange.run();
  EXPECT_EQ(exchange.session().reason(), DecryptReason::ClientHandshake);
  EXPECT_EQ(exchange.session().objection(), ClientObjection::Left);
}

TEST_F(SessionTest, TakesAClientThatLeavesWithoutAByteForOneThatObjects) {
  Exchange exchange = begin();
  exchange.run();
  SSL_shutdown(exchange.client().ssl());
  exchange.client().close();
  exchange.run();
  EXPECT_EQ(exchange.session().objection(), ClientObjection::Left);
}

TEST_F(SessionTest, TakesAClientThatLeavesAfterAByteForContent) {
  Exchange exchange = begin();
  exchange.client().send("question");
  exchange.run();
  SSL_shutdown(exchange.client().ssl());
  exchange.client().close();
  exchange.run();
  EXPECT_EQ(exchange.session().objection(), ClientObjection::None);
}

TEST_F(SessionTest, TakesAClientWhoseServerEndsForContent) {
  Exchange exchange = begin();
  exchange.run();
  SSL_shutdown(exchange.server().ssl());
  exchange.run();
  SSL_shutdown(exchange.client().ssl());
  exchange.run();
  EXPECT_EQ(exchange.session().objection(), ClientObjection::None);
}

TEST_F(SessionTest, PassesTheServersStapledAnswerOn) {
  static const std::string kAnswer = "what a responder says";
  SSL_CTX_set_tlsext_status_cb(
      server_settings_.get(), +[](SSL* server, void*) {
        SSL_set_tlsext_status_ocsp_resp(server, OPENSSL_memdup(kAnswer.data(), kAnswer.size()),
                                        static_cast<long>(kAnswer.size()));
        return SSL_TLSEXT_ERR_OK;
      });
  SSL_CTX_set_tlsext_status_type(client_settings_.get(), TLSEXT_STATUSTYPE_ocsp);
  for (const uint16_t version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_CTX_set_max_proto_version(client_settings_.get(), version);
    Exchange exchange = begin({.highest_version = version});
    exchange.run();
    ASSERT_TRUE(exchange.session().established());
    const unsigned char* heard = nullptr;
    const long size = SSL_get_tlsext_status_ocsp_resp(exchange.client().ssl(), &heard);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(heard), size > 0 ? static_cast<size_t>(size) : 0),
              kAnswer);
  }
}

TEST_F(SessionTest, StaplesNothingWhereTheServerDoesNot) {
  SSL_CTX_set_tlsext_status_type(client_settings_.get(), TLSEXT_STATUSTYPE_ocsp);
  Exchange exchange = begin();
  exchange.run();
  ASSERT_TRUE(exchange.session().established());
  const unsigned char* heard = nullptr;
  EXPECT_LE(SSL_get_tlsext_status_ocsp_resp(exchange.client().ssl(), &heard), 0);
}

class Resumption : public SessionTest, public testing::WithParamInterface<int> {
 protected:
  Resumption() {
    SSL_CTX_set_max_proto_version(client_settings_.get(), GetParam());
    SSL_CTX_set_session_id_context(server_settings_.get(), reinterpret_cast<const unsigned char*>("s"), 1);
  }
  // A session in this scope; the client resumes the one before if it can.
  SessionFacts meet(uint8_t scope) {
    Exchange exchange = begin({.highest_version = static_cast<uint16_t>(GetParam()),
                               .scope = SessionScope{scope},
                               .upstream = &upstream_});
    if (saved_ != nullptr) SSL_set_session(exchange.client().ssl(), saved_.get());
    exchange.client().send("question");
    exchange.server().send("answer");
    exchange.run();
    EXPECT_EQ(exchange.client().heard(), "answer");
    EXPECT_EQ(exchange.server().heard(), "question");
    const SessionFacts facts = exchange.session().facts();
    SSL_shutdown(exchange.client().ssl());
    exchange.run();
    saved_.reset(SSL_get1_session(exchange.client().ssl()));
    return facts;
  }

  UpstreamSessions upstream_{16};
  SavedSession saved_;
};

INSTANTIATE_TEST_SUITE_P(Versions, Resumption, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(Resumption, SessionsOfOneScopeGoOnOnBothSides) {
  const SessionFacts first = meet(1), second = meet(1);
  EXPECT_FALSE(first.client_resumed || first.server_resumed);
  EXPECT_TRUE(second.client_resumed);
  EXPECT_TRUE(second.server_resumed);
  EXPECT_EQ(second.certificate, first.certificate);
}

TEST_P(Resumption, SessionsOfAnotherScopeBeginAnew) {
  meet(1);
  const SessionFacts other = meet(2);
  EXPECT_FALSE(other.client_resumed);
  EXPECT_FALSE(other.server_resumed);
}

TEST_P(Resumption, TicketsAreWorthNothingToOtherCredentials) {
  meet(1);
  credentials_ = import({&real_});
  EXPECT_FALSE(meet(1).client_resumed);
}

TEST_P(Resumption, AnInspectorSeesASessionThatGoesOn) {
  meet(1);
  std::string seen;
  Exchange exchange = begin({.highest_version = static_cast<uint16_t>(GetParam()),
                             .inspector = std::make_unique<Watcher>(seen),
                             .scope = SessionScope{1},
                             .upstream = &upstream_});
  SSL_set_session(exchange.client().ssl(), saved_.get());
  exchange.client().send(std::string(kEicar));
  exchange.run();
  EXPECT_TRUE(SSL_session_reused(exchange.client().ssl()));
  EXPECT_EQ(exchange.session().reason(), DecryptReason::ContentBlocked);
  EXPECT_EQ(exchange.server().heard(), "");
}

TEST_F(SessionTest, PassesAnEndOnAndKeepsTheOtherDirection) {
  Exchange exchange = begin();
  exchange.client().send("last question");
  exchange.run();
  SSL_shutdown(exchange.client().ssl());
  exchange.run();
  EXPECT_TRUE(exchange.server().heard_end());
  EXPECT_EQ(exchange.progress(), Session::Progress::Waiting);
  exchange.server().send("answer");
  exchange.run();
  EXPECT_EQ(exchange.client().heard(), "answer");
  SSL_shutdown(exchange.server().ssl());
  exchange.run();
  EXPECT_EQ(exchange.progress(), Session::Progress::Over);
  EXPECT_EQ(exchange.session().reason(), DecryptReason::None);
}

TEST_F(SessionTest, PassesATruncationOnAsATruncation) {
  Exchange exchange = begin();
  exchange.client().send("question");
  exchange.run();
  exchange.client().close();
  exchange.run();
  EXPECT_FALSE(exchange.server().heard_end());
  EXPECT_TRUE(exchange.server().heard_hangup());
}

TEST_F(SessionTest, RefusesToRenegotiate) {
  SSL_CTX_set_max_proto_version(client_settings_.get(), TLS1_2_VERSION);
  Exchange exchange = begin({.highest_version = TLS1_2_VERSION});
  exchange.run();
  ASSERT_TRUE(exchange.session().established());
  SSL_renegotiate(exchange.client().ssl());
  SSL_do_handshake(exchange.client().ssl());
  exchange.run();
  exchange.client().send("after");
  exchange.run();
  EXPECT_EQ(exchange.server().heard(), "");
}

TEST_F(SessionTest, AdmitsOnlyServersWithAnImportedCertificate) {
  const auto admits = [&](const char* name, const char* address) {
    return credentials_->admits({.server_name = name, .alpn = {}, .server = *IpAddress::parse(address)});
  };
  EXPECT_EQ(admits("bmc.lab", "10.4.0.9"), DecryptReason::None);
  EXPECT_EQ(admits("", "10.4.0.5"), DecryptReason::None);
  EXPECT_EQ(admits("other.lab", "10.4.0.5"), DecryptReason::NoCertificate);
  EXPECT_EQ(admits("", "10.4.0.9"), DecryptReason::NoCertificate);
}

TEST_F(SessionTest, AnIdentityBoundToServersIsForAnyNameThere) {
  real_.files.servers = {*Prefix::parse("10.4.0.0/24")};
  credentials_ = import({&real_});
  EXPECT_EQ(
      credentials_->admits({.server_name = "x.lab", .alpn = {}, .server = *IpAddress::parse("10.4.0.9")}),
      DecryptReason::None);
  EXPECT_EQ(
      credentials_->admits({.server_name = "bmc.lab", .alpn = {}, .server = *IpAddress::parse("10.5.0.9")}),
      DecryptReason::NoCertificate);
}

TEST_F(SessionTest, AKeyThatOthersMayReadIsRefused) {
  std::filesystem::permissions(real_.files.key, std::filesystem::perms(0640));
  const auto loaded = ServerIdentity::load(real_.files);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().text().find("expected mode 0600"), std::string::npos) << loaded.error().text();
}

TEST_F(SessionTest, AKeyOfAnotherCertificateIsRefused) {
  real_.files.key = other_.files.key;
  const auto loaded = ServerIdentity::load(real_.files);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().file, other_.files.key);
}

TEST_F(SessionTest, AFileWithoutACertificateIsRefused) {
  real_.files.certificate = real_.files.key;
  const auto loaded = ServerIdentity::load(real_.files);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().text().find("found no certificate"), std::string::npos) << loaded.error().text();
}

}  // namespace
}  // namespace postern::tls
