// SPDX-License-Identifier: Apache-2.0
// Flights that a real server sent, and the leaf in them.
#include <gtest/gtest.h>

#include "classify/tls_server_flight.h"
#include "handshake_pair.h"

namespace postern::tls {
namespace {

using classify::Fit;
using State = classify::TlsServerFlight::Certificate;

class ServerFlight : public ::testing::Test {
 protected:
  classify::TlsServerFlight read(const HandshakePair& pair) {
    return classify::parse_tls_server_flight(as_bytes(pair.to_client), storage_);
  }
  static void limit(HandshakePair& pair, int version) {
    SSL_CTX_set_max_proto_version(pair.server_settings.get(), version);
  }
  classify::TlsHandshakeStorage storage_;
};

TEST_F(ServerFlight, OfTls12HasTheServersLeaf) {
  HandshakePair pair;
  limit(pair, TLS1_2_VERSION);
  pair.run();
  const auto flight = read(pair);
  ASSERT_EQ(flight.fit, Fit::Yes);
  EXPECT_TRUE(flight.complete);
  EXPECT_EQ(flight.version, TLS1_2_VERSION);
  EXPECT_EQ(flight.cipher_suite, SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(pair.client.get())));
  EXPECT_EQ(as_text(flight.leaf), der_of(pair.certificate.get()));
  EXPECT_EQ(flight.chain_length, 1);
  EXPECT_FALSE(flight.mutual_auth);
  EXPECT_FALSE(flight.resumed);
}

TEST_F(ServerFlight, OfTls12TellsThatAClientCertificateIsWanted) {
  HandshakePair pair;
  limit(pair, TLS1_2_VERSION);
  SSL_CTX_set_verify(pair.server_settings.get(), SSL_VERIFY_PEER, nullptr);
  pair.run();
  EXPECT_TRUE(read(pair).mutual_auth);
}

TEST_F(ServerFlight, OfTls13HasNone) {
  HandshakePair pair;
  pair.run();
  const auto flight = read(pair);
  EXPECT_EQ(flight.fit, Fit::Yes);
  EXPECT_EQ(flight.version, TLS1_3_VERSION);
  EXPECT_EQ(flight.certificate, State::Encrypted);
  EXPECT_TRUE(flight.complete);
}

TEST_F(ServerFlight, TellsResumption) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    HandshakePair pair;
    limit(pair, version);
    pair.run();
    EXPECT_FALSE(read(pair).resumed) << version;
    pair.resume();
    pair.to_client.clear();
    pair.run();
    ASSERT_EQ(SSL_session_reused(pair.client.get()), 1) << version;
    EXPECT_TRUE(read(pair).resumed) << version;
    EXPECT_EQ(read(pair).certificate == State::Absent, version == TLS1_2_VERSION);
  }
}

TEST_F(ServerFlight, TellsARetry) {
  HandshakePair pair;
  SSL_CTX_set1_groups_list(pair.client_settings.get(), "X25519:P-384");
  SSL_CTX_set1_groups_list(pair.server_settings.get(), "P-384");
  pair.run();
  ASSERT_EQ(SSL_is_init_finished(pair.client.get()), 1);
  const auto flight = read(pair);
  EXPECT_TRUE(flight.hello_retry);
  EXPECT_TRUE(flight.complete);
  EXPECT_EQ(flight.version, TLS1_3_VERSION);
}

TEST_F(ServerFlight, TellsTheAlertOfARefusal) {
  HandshakePair pair;
  limit(pair, TLS1_2_VERSION);
  SSL_CTX_set_min_proto_version(pair.client_settings.get(), TLS1_3_VERSION);
  pair.run();
  const auto flight = read(pair);
  EXPECT_EQ(flight.fit, Fit::Yes);
  EXPECT_TRUE(flight.alert);
  EXPECT_FALSE(flight.hello);
  EXPECT_EQ(flight.alert_description, SSL_AD_PROTOCOL_VERSION);
}

TEST_F(ServerFlight, TellsTheChosenProtocolWhereItIsClear) {
  HandshakePair pair;
  limit(pair, TLS1_2_VERSION);
  SSL_CTX_set_alpn_protos(pair.client_settings.get(), reinterpret_cast<const unsigned char*>("\2h2"), 3);
  SSL_CTX_set_alpn_select_cb(
      pair.server_settings.get(),
      [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned, void*) {
        *size = in[0];
        *out = in + 1;
        return SSL_TLSEXT_ERR_OK;
      },
      nullptr);
  pair.run();
  EXPECT_EQ(as_text(read(pair).alpn), "h2");
}

}  // namespace
}  // namespace postern::tls
