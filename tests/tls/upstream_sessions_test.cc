// SPDX-License-Identifier: Apache-2.0
#include "tls/upstream_sessions.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/tls/handshake_pair.h"

namespace postern::tls {
namespace {

class UpstreamSessionsTest : public testing::Test {
 protected:
  UpstreamSessionsTest() {
    pair_.run();
    original_.reset(SSL_get1_session(pair_.client.get()));
  }
  UpstreamSessions::Known known(uint8_t mark) const {
    return {.session = std::unique_ptr<SSL_SESSION, UpstreamSessions::Free>(SSL_SESSION_dup(original_.get())),
            .ocsp = {mark}};
  }
  static SessionScope scope(uint8_t number) { return {number}; }
  // 0: none.
  static int mark(const UpstreamSessions::Known& taken) {
    return taken.session == nullptr ? 0 : taken.ocsp.at(0);
  }

  HandshakePair pair_;
  SavedSession original_;
};

TEST_F(UpstreamSessionsTest, GivesASessionOnce) {
  UpstreamSessions sessions(4);
  sessions.put(scope(1), known(1));
  EXPECT_EQ(mark(sessions.take(scope(2))), 0);
  EXPECT_EQ(mark(sessions.take(scope(1))), 1);
  EXPECT_EQ(mark(sessions.take(scope(1))), 0);
  EXPECT_EQ(sessions.size(), 0u);
}

TEST_F(UpstreamSessionsTest, GivesTheLatestOfAScope) {
  UpstreamSessions sessions(4);
  sessions.put(scope(1), known(1));
  sessions.put(scope(1), known(2));
  EXPECT_EQ(mark(sessions.take(scope(1))), 2);
  EXPECT_EQ(mark(sessions.take(scope(1))), 1);
}

TEST_F(UpstreamSessionsTest, ForgetsTheOldestWhenFull) {
  UpstreamSessions sessions(2);
  for (const uint8_t number : {1, 2, 3}) sessions.put(scope(number), known(number));
  EXPECT_EQ(sessions.size(), 2u);
  EXPECT_EQ(mark(sessions.take(scope(1))), 0);
  EXPECT_EQ(mark(sessions.take(scope(2))), 2);
  EXPECT_EQ(mark(sessions.take(scope(3))), 3);
}

TEST_F(UpstreamSessionsTest, KeepsFewOfOneScope) {
  UpstreamSessions sessions(100);
  for (uint8_t number = 1; number <= 20; ++number) sessions.put(scope(1), known(number));
  EXPECT_EQ(sessions.size(), 4u);
  EXPECT_EQ(mark(sessions.take(scope(1))), 20);
}

TEST_F(UpstreamSessionsTest, GivesNoSessionThatCannotGoOn) {
  UpstreamSessions sessions(4);
  sessions.put(scope(1), {.session = std::unique_ptr<SSL_SESSION, UpstreamSessions::Free>(SSL_SESSION_new()),
                          .ocsp = {1}});
  EXPECT_EQ(mark(sessions.take(scope(1))), 0);
}

}  // namespace
}  // namespace postern::tls
