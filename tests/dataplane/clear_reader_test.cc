// SPDX-License-Identifier: Apache-2.0
// What the clear bytes of a decrypted session turn out to be.
#include "dataplane/clear_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "inspected.h"

namespace postern::dataplane {
namespace {

namespace app = classify::app;
using Ruling = tls::ClearTextInspector::Ruling;

constexpr AppId kUpload{110}, kHttp2{111};

// With an application inside HTTP, and HTTP/2.
classify::Policy with_http_inside() {
  classify::Policy policy = allow_all();
  classify::Application upload = classify::named(kUpload, "upload"), http2 = classify::named(kHttp2, "http2");
  policy.applications.push_back(upload);
  policy.applications.push_back(http2);
  classify::Signature request{};
  request.application = kUpload;
  request.layer = classify::Layer::Http;
  request.pattern = "^PUT ";
  request.confidence = classify::Confidence::High;
  policy.signatures.push_back(request);
  classify::Signature preface{};
  preface.application = kHttp2;
  preface.layer = classify::Layer::Tcp;
  preface.sender = classify::Sender::Client;
  preface.decoder = "http2_clear";
  preface.confidence = classify::Confidence::High;
  policy.signatures.push_back(preface);
  return policy;
}

class ClearReaderTest : public testing::Test {
 protected:
  explicit ClearReaderTest(classify::Policy policy = with_http_inside()) { use(std::move(policy)); }
  void use(classify::Policy policy) {
    snapshot_ = classify::compiled(std::move(policy));
    view_.snapshot = snapshot_.get();
    reader_.emplace(view_, request());
  }
  static AdoptionRequest request(uint16_t server_port = 443) {
    AdoptionRequest request;
    request.to_client.remote = {classify::address("10.1.0.5"), 40000};
    request.to_server.remote = {classify::address("10.3.0.1"), server_port};
    return request;
  }
  Ruling from_client(std::string_view text) { return reader_->inspect(Direction::ToServer, as_bytes(text)); }
  Ruling from_server(std::string_view text) { return reader_->inspect(Direction::ToClient, as_bytes(text)); }
  std::vector<AppId> told(Direction direction = Direction::ToServer) {
    const ClearFinding& finding = reader_->finding(direction);
    return {finding.applications.begin(), finding.applications.begin() + finding.count};
  }

  std::unique_ptr<const classify::PolicySnapshot> snapshot_;
  PolicyView view_;
  std::optional<ClearReader> reader_;
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kPut = "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";

TEST_F(ClearReaderTest, LetsARequestWaitThatTellsWhatItIs) {
  EXPECT_EQ(from_client(kGet), Ruling::Wait);
  EXPECT_EQ(told(), std::vector{app::kHttp});
  EXPECT_EQ(from_client(kGet), Ruling::Pass) << "nothing new";
}

TEST_F(ClearReaderTest, TellsEachRequestThatIsForAnotherApplication) {
  from_client(kGet);
  EXPECT_EQ(from_client(kPut), Ruling::Wait);
  EXPECT_EQ(told(), std::vector{kUpload});
  EXPECT_EQ(from_client(std::string(kGet) + std::string(kPut)), Ruling::Wait);
  EXPECT_EQ(told(), (std::vector{app::kHttp, kUpload}));
}

TEST_F(ClearReaderTest, WaitsForAWholeHeadOverManyPieces) {
  for (const char c : kPut.substr(0, kPut.size() - 1)) EXPECT_EQ(from_client({&c, 1}), Ruling::Pass);
  EXPECT_EQ(from_client("\n"), Ruling::Wait);
  EXPECT_EQ(told(), std::vector{kUpload});
}

TEST_F(ClearReaderTest, TellsWhatTheFirstBytesAreWhenTheServerSpeaksFirst) {
  EXPECT_EQ(from_server("SSH-2.0-OpenSSH_9.2\r\n"), Ruling::Wait);
  EXPECT_EQ(told(Direction::ToClient), std::vector{app::kSsh});
}

TEST_F(ClearReaderTest, TellsUnknownBytesOnceNothingCanFitThem) {
  EXPECT_EQ(from_server(std::string(100, '\x01')), Ruling::Pass) << "the client has not spoken";
  EXPECT_EQ(from_client(std::string(20000, '\x01')), Ruling::Wait);
  EXPECT_EQ(told(), std::vector{kApplicationUnidentified});
}

TEST_F(ClearReaderTest, FindsDnsInsideTls) {
  reader_.emplace(view_, request(853));
  // One question for example.com, with its length before it (RFC 7858).
  const std::string query(
      "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07"
      "example\x03"
      "com\x00\x00\x01\x00\x01",
      31);
  EXPECT_EQ(from_client(query), Ruling::Wait);
  EXPECT_EQ(told(), std::vector{app::kDns});
}

TEST_F(ClearReaderTest, TakesHttp2ForItselfWhenItWasAgreedOn) {
  reader_->opened("h2");
  EXPECT_EQ(from_client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9)),
            Ruling::Wait);
  EXPECT_EQ(told(), std::vector{kHttp2});
}

TEST_F(ClearReaderTest, BelievesNothingElseWhenHttp2WasAgreedOn) {
  reader_->opened("h2");
  EXPECT_EQ(from_client(kGet), Ruling::Wait);
  EXPECT_EQ(told(), std::vector{kApplicationUnidentified});
}

TEST_F(ClearReaderTest, GivesUpARequestThatTwoReadersTakeForTwo) {
  from_client(kGet);
  EXPECT_EQ(
      from_client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"),
      Ruling::Wait);
  EXPECT_EQ(told().back(), kApplicationUnidentified);
}

TEST_F(ClearReaderTest, BlocksARecordWithMoreChangesThanAFindingHolds) {
  std::string many;
  for (int i = 0; i < 20; ++i) many += std::string(kGet) + std::string(kPut);
  EXPECT_EQ(from_client(many), Ruling::Block);
}

TEST_F(ClearReaderTest, TellsASignatureAsOftenAsItIsAskedAgain) {
  use(inspected(with_http_inside()));
  EXPECT_EQ(from_client("GET / HTTP/1.1\r\nX: " + kEicar), Ruling::Wait);
  EXPECT_EQ(reader_->finding(Direction::ToServer).signature.view(), "Eicar-Test-Signature");
  EXPECT_TRUE(told().empty());
  reader_->ruled({.direction = Direction::ToServer, .refusal = {}, .asks_again = true});
  EXPECT_EQ(from_client("\r\nHost: a\r\n\r\n"), Ruling::Wait);
  EXPECT_EQ(told(), std::vector{app::kHttp});
  EXPECT_EQ(reader_->finding(Direction::ToServer).signature.view(), "Eicar-Test-Signature");
  reader_->ruled({.direction = Direction::ToServer, .refusal = {}});
  EXPECT_EQ(from_client(kPut), Ruling::Wait);
  EXPECT_TRUE(reader_->finding(Direction::ToServer).signature.empty());
}

}  // namespace
}  // namespace postern::dataplane
