// SPDX-License-Identifier: Apache-2.0
#include "tls/peer_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <string>

#include "base/unique_fd.h"
#include "tls/session_settings.h"

namespace postern::tls {
namespace {

// One end is served; the test holds the other.
class PeerSocketTest : public ::testing::Test {
 protected:
  PeerSocketTest()
      : near_(pair_.first), far_(pair_.second), peer_(near_.get()), ssl_(SSL_new(settings_.get())) {
    EXPECT_TRUE(peer_.serve(ssl_));
  }
  ~PeerSocketTest() override { SSL_free(ssl_); }

  BIO* bio() { return SSL_get_wbio(ssl_); }
  bool write(const std::string& text) {
    return BIO_write(bio(), text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
  }
  std::string read(size_t most) {
    std::string room(most, 0);
    const int got = BIO_read(bio(), room.data(), static_cast<int>(most));
    return room.substr(0, got > 0 ? static_cast<size_t>(got) : 0);
  }
  std::string arrived() {
    std::string room(1 << 20, 0);
    const ssize_t got = ::recv(far_.get(), room.data(), room.size(), 0);
    return room.substr(0, got > 0 ? static_cast<size_t>(got) : 0);
  }
  void say(const std::string& text) {
    ASSERT_EQ(::send(far_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }

  static std::pair<int, int> sockets() {
    int both[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both), 0);
    return {both[0], both[1]};
  }

  OwnedSettings settings_ = new_client_settings();
  std::pair<int, int> pair_ = sockets();
  UniqueFd near_, far_;
  PeerSocket peer_;
  PeerSocket::Gathering gathering_;
  ssl_st* ssl_;
};

TEST_F(PeerSocketTest, WritesAtOnceWhatIsNotGathered) {
  ASSERT_TRUE(write("abc"));
  EXPECT_EQ(arrived(), "abc");
}

TEST_F(PeerSocketTest, SendsWhatWasGatheredInOrderWhenFlushed) {
  peer_.gather(gathering_);
  ASSERT_TRUE(write("abc"));
  ASSERT_TRUE(write("def"));
  EXPECT_EQ(arrived(), "");
  EXPECT_EQ(peer_.flush(), PeerSocket::Outcome::Done);
  EXPECT_EQ(arrived(), "abcdef");
}

TEST_F(PeerSocketTest, WritesAtOnceAgainAfterAFlush) {
  peer_.gather(gathering_);
  EXPECT_EQ(peer_.flush(), PeerSocket::Outcome::Done);
  ASSERT_TRUE(write("abc"));
  EXPECT_EQ(arrived(), "abc");
}

TEST_F(PeerSocketTest, GathersMoreThanThereIsRoomFor) {
  const std::string a(40'000, 'a'), b(40'000, 'b');
  peer_.gather(gathering_);
  ASSERT_TRUE(write(a));
  ASSERT_TRUE(write(b));
  EXPECT_EQ(peer_.flush(), PeerSocket::Outcome::Done);
  EXPECT_EQ(arrived() + arrived(), a + b);
}

TEST_F(PeerSocketTest, KeepsWhatTheSocketHasNoRoomForAndSendsItFirst) {
  std::string sent, heard;
  PeerSocket::Outcome outcome = PeerSocket::Outcome::Done;
  for (char c = 'a'; outcome == PeerSocket::Outcome::Done && c <= 'z'; ++c) {
    peer_.gather(gathering_);
    const std::string more(60'000, c);
    ASSERT_TRUE(write(more));
    sent += more;
    outcome = peer_.flush();
  }
  ASSERT_EQ(outcome, PeerSocket::Outcome::Waits);
  EXPECT_FALSE(write("!"));
  EXPECT_TRUE(BIO_should_retry(bio()));
  for (std::string part = arrived(); !part.empty(); part = arrived()) {
    heard += part;
    outcome = peer_.flush();
  }
  EXPECT_EQ(outcome, PeerSocket::Outcome::Done);
  EXPECT_EQ(heard, sent);
}

TEST_F(PeerSocketTest, NoticesAPeerThatHasGone) {
  far_ = UniqueFd();
  peer_.gather(gathering_);
  ASSERT_TRUE(write("abc"));
  EXPECT_EQ(peer_.flush(), PeerSocket::Outcome::Broken);
}

TEST_F(PeerSocketTest, ReadsNoMoreAfterAShortReadUntilTheNextEvent) {
  say("abc");
  EXPECT_EQ(read(100), "abc");
  EXPECT_TRUE(peer_.drained());
  say("def");
  EXPECT_EQ(read(100), "");
  EXPECT_TRUE(BIO_should_retry(bio()));
  peer_.notice();
  EXPECT_EQ(read(100), "def");
}

TEST_F(PeerSocketTest, ReadsOnAfterAFullRead) {
  say("abcdef");
  EXPECT_EQ(read(3), "abc");
  EXPECT_EQ(read(3), "def");
}

TEST_F(PeerSocketTest, ReadsUntilTheEndThatWasTold) {
  say("abc");
  far_ = UniqueFd();
  peer_.expect_end();
  EXPECT_EQ(read(100), "abc");
  EXPECT_EQ(read(100), "");
  EXPECT_FALSE(BIO_should_retry(bio()));
  EXPECT_TRUE(BIO_eof(bio()));
}

}  // namespace
}  // namespace postern::tls
