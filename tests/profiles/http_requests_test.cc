// SPDX-License-Identifier: Apache-2.0
#include "profiles/http_requests.h"

#include <gtest/gtest.h>

#include <random>
#include <type_traits>

#include "http_talk.h"

namespace postern::profiles {
namespace {

using Events = std::vector<std::string>;

const std::string kGet = "GET /redfish/v1 HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: secret\r\n\r\n";
const std::string kGetTold = "head GET /redfish/v1 HTTP/1.1\nhost: bmc\n";
const std::string kPost =
    "POST /redfish/v1/SessionService/Sessions HTTP/1.1\r\nHost: bmc\r\nContent-Type: application/json\r\n"
    "Content-Length: 25\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n";
const std::string kPostTold =
    "head POST /redfish/v1/SessionService/Sessions HTTP/1.1\ncontent-type: application/json\nhost: bmc\n";
const std::string kChunked =
    "PATCH /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
    "5;name=\"a b\"\r\nhello\r\n1B\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\nX-Sum: 1\r\nX-Other: "
    "2\r\n\r\n";
const std::string kChunkedTold = "head PATCH /a HTTP/1.1\nhost: a\n";
const std::string kConnect = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";
const std::string kUpgrade =
    "GET /kvm/0 HTTP/1.1\r\nHost: bmc\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";
const std::string kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/";

TEST(HttpRequests, TellsHeadAndEndOfARequestWithoutBody) {
  EXPECT_EQ(events_of(kGet), (Events{kGetTold, "end"}));
}

TEST(HttpRequests, SeesNoRequestInABody) {
  EXPECT_EQ(events_of(kPost), (Events{kPostTold, "end"}));
  EXPECT_EQ(events_of(kChunked), (Events{kChunkedTold, "end"}));
}

TEST(HttpRequests, TellsEveryRequestOfAPipeline) {
  EXPECT_EQ(events_of(kGet + kPost + kChunked + kGet),
            (Events{kGetTold, "end", kPostTold, "end", kChunkedTold, "end", kGetTold, "end"}));
}

TEST(HttpRequests, TellsTheSameHoweverTheStreamIsSplitInTwo) {
  const std::string stream = kGet + kChunked + kPost + kGet;
  const Events whole = events_of(stream);
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    HttpTalk talk;
    talk.client(stream.substr(0, cut));
    talk.client(stream.substr(cut));
    ASSERT_EQ(talk.events(), whole) << cut;
  }
}

TEST(HttpRequests, TellsTheSameByteByByte) {
  const std::string stream = kGet + kChunked + kPost + kGet;
  HttpTalk talk;
  for (const char c : stream) talk.client(std::string(1, c));
  EXPECT_EQ(talk.events(), events_of(stream));
}

TEST(HttpRequests, TellsTheSameInRandomPieces) {
  const std::string stream = kGet + kChunked + kPost + kGet;
  const Events whole = events_of(stream);
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    HttpTalk talk;
    for (size_t at = 0; at < stream.size();) {
      const size_t size = std::min<size_t>(random() % 40, stream.size() - at);
      talk.client(stream.substr(at, size));
      at += size;
    }
    ASSERT_EQ(talk.events(), whole) << round;
  }
}

TEST(HttpRequests, TellsAnEndAsSoonAsItsLastByteIsThere) {
  for (const std::string& request : {kGet, kPost, kChunked}) {
    HttpTalk talk;
    talk.client(request.substr(0, request.size() - 1));
    EXPECT_NE(talk.last(), "end");
    talk.client(request.substr(request.size() - 1));
    EXPECT_EQ(talk.last(), "end");
  }
}

TEST(HttpRequests, FollowsABodyOfAMegabyte) {
  HttpTalk talk;
  talk.client("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n");
  const std::string piece = "GET / HTTP/1.1\r\n" + std::string(1008, 'x');
  for (int i = 0; i < 1023; ++i) talk.client(piece);
  talk.client(piece.substr(1));
  EXPECT_EQ(talk.events().size(), 1u);
  talk.client("x");
  EXPECT_EQ(talk.last(), "end");
  talk.client(kGet);
  EXPECT_EQ(talk.events().size(), 4u);
}

TEST(HttpRequests, FollowsALengthOfEighteenDigits) {
  EXPECT_EQ(
      events_of("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\n" + kGet).size(),
      1u);
}

TEST(HttpRequests, TakesEveryMethodOfItsAlphabet) {
  for (const char* method : {"M-POST", "M-SEARCH", "RPC_IN_DATA", "VERSION-CONTROL", "BREW", "A"})
    EXPECT_EQ(events_of(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n"),
              (Events{"head " + std::string(method) + " / HTTP/1.1\nhost: a\n", "end"}));
}

TEST(HttpRequests, SkipsOneEmptyLineBeforeARequest) {
  EXPECT_EQ(events_of("\r\n" + kGet + "\r\n" + kGet), (Events{kGetTold, "end", kGetTold, "end"}));
  EXPECT_EQ(events_of("\r\n\r\n" + kGet), (Events{"bad_request_line"}));
}

TEST(HttpRequests, NeverKeepsCredentials) {
  const std::string text = events_of(
      "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic c2VjcmV0\r\nX-Auth-Token: c2VjcmV0\r\n"
      "Cookie: SESSION=c2VjcmV0\r\nProxy-Authorization: c2VjcmV0\r\nAccept: */*\r\n\r\n")[0];
  EXPECT_EQ(text, "head GET / HTTP/1.1\naccept: */*\nhost: a\n");
}

TEST(HttpRequests, KeepsEveryFieldOfAHeadBeyondItsRoom) {
  std::string request = "POST /?" + std::string(6000, 'q') + " HTTP/1.1\r\n";
  for (int i = 0; i < 60; ++i)
    request += "X-Padding: " + std::string(500, 'x') + "\r\nUser-Agent: " + std::string(200, 'u') + "\r\n";
  HttpTalk talk;
  talk.client(request + "CIMOperation: MethodCall\r\n\r\n");
  EXPECT_NE(talk.events()[0].find("\ncimoperation: MethodCall\n"), std::string::npos);
  EXPECT_EQ(talk.last(), "end");
}

TEST(HttpRequests, SaysWhenAKeptFieldWasCut) {
  for (const auto& [size, cut] : {std::pair{256, false}, {257, true}}) {
    HttpRequests requests;
    const std::string head =
        "GET / HTTP/1.1\r\nHost: a\r\nAccept: " + std::string(static_cast<size_t>(size), 'a') + "\r\n\r\n";
    ASSERT_EQ(requests.feed(Direction::ToServer, as_bytes(head)).event, HttpEvent::RequestHead);
    EXPECT_EQ(requests.head().cut, cut) << size;
  }
}

TEST(HttpRequests, IsOpaqueOnceAConnectIsGranted) {
  HttpTalk talk;
  talk.client(kConnect);
  talk.server("HTTP/1.1 200 Connection established\r\n\r\n" + std::string("\x16\x03\x03", 3));
  talk.client(kGet);
  EXPECT_EQ(talk.events(),
            (Events{"head CONNECT a.example:443 HTTP/1.1\nhost: a.example:443\n", "end", "opaque 1"}));
}

TEST(HttpRequests, GoesOnAfterARefusedConnect) {
  HttpTalk talk;
  talk.client(kConnect);
  talk.server("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n");
  talk.client(kGet);
  EXPECT_EQ(talk.events().size(), 4u);
  EXPECT_EQ(talk.events()[2], kGetTold);
}

TEST(HttpRequests, IsOpaqueOnceAnUpgradeIsGranted) {
  HttpTalk talk;
  talk.client(kUpgrade);
  EXPECT_EQ(talk.requests().opaque_as(), HttpOpaque::No);
  talk.server(kSwitching + std::string("\x82\x01x", 3));
  talk.client(kGet);
  EXPECT_EQ(talk.last(), "opaque 2");
  EXPECT_EQ(talk.events().size(), 3u);
}

TEST(HttpRequests, GoesOnAfterARefusedUpgrade) {
  HttpTalk talk;
  talk.client(kUpgrade);
  talk.server("HTTP/1.1 103 Early Hints\r\n\r\n" + kOk);
  talk.client(kGet);
  EXPECT_EQ(talk.events().size(), 4u);
  EXPECT_EQ(talk.events()[2], kGetTold);
}

TEST(HttpRequests, IsOpaqueAfterThePrefaceOfHttp2) {
  EXPECT_EQ(events_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), (Events{"opaque 3"}));
  EXPECT_EQ(events_of(kGet + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").back(), "bad_version");
}

TEST(HttpRequests, PairsAnswersOfAPipelineWithTheirRequests) {
  HttpTalk talk;
  const std::string head = "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n";
  talk.client(kGet + head + kGet + kUpgrade);
  talk.server(kOk);
  talk.server("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");  // of HEAD: no body follows
  talk.server("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n");
  talk.server(kSwitching);
  EXPECT_EQ(talk.last(), "opaque 2");
}

TEST(HttpRequests, ReadsAnswersInPiecesOfOneByte) {
  HttpTalk talk;
  talk.client(kGet + kUpgrade);
  for (const char c :
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + kSwitching)
    talk.server(std::string(1, c));
  EXPECT_EQ(talk.last(), "opaque 2");
}

TEST(HttpRequests, WaitsForContinue) {
  const std::string head = "PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  HttpTalk talk;
  talk.client(head);
  talk.server("HTTP/1.1 100 Continue\r\n\r\n");
  talk.client("abc");
  talk.server(kOk);
  talk.client(kGet);
  EXPECT_EQ(talk.events().size(), 4u);
  EXPECT_EQ(talk.last(), "end");
}

TEST(HttpRequests, TakesABodyThatDidNotWaitForContinue) {
  HttpTalk talk;
  talk.client("PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\na");
  talk.server("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
  talk.client("bc" + kGet);
  EXPECT_EQ(talk.last(), "end");
}

TEST(HttpRequests, LetsAServerGiveUpBeforeARequestIsComplete) {
  HttpTalk talk;
  talk.client("GET / HT");
  talk.server("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(talk.events().empty());
}

TEST(HttpRequests, TakesOldAnswersWithBareLineFeeds) {
  HttpTalk talk;
  talk.client(kGet);
  talk.server("HTTP/1.0 200 OK\nServer: old\nContent-Type: text/html\n\n<html>");
  EXPECT_EQ(talk.events(), (Events{kGetTold, "end"}));
}

TEST(HttpRequests, CanBeCopiedInTheMiddleOfARequest) {
  HttpTalk talk;
  talk.client(kPost.substr(0, 70));
  HttpTalk copy = talk;
  copy.client(kPost.substr(70));
  talk.client(kPost.substr(70));
  EXPECT_EQ(copy.events(), (Events{kPostTold, "end"}));
  EXPECT_EQ(talk.events(), copy.events());
}

TEST(HttpRequests, HasAFixedSmallSize) {
  EXPECT_LE(sizeof(HttpRequests), 4096u);
  EXPECT_TRUE(std::is_trivially_copyable_v<HttpRequests>);
}

}  // namespace
}  // namespace postern::profiles
