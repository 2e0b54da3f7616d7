// SPDX-License-Identifier: Apache-2.0
// Every way to make two readers of one stream see different requests ends as an anomaly with its name.
#include <gtest/gtest.h>

#include <set>

#include "http_talk.h"

namespace postern::profiles {
namespace {

struct Vector {
  std::string client;
  std::string anomaly;
};

std::string with_header(const std::string& lines) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n\r\n";
}
std::string chunked(const std::string& body) { return with_header("Transfer-Encoding: chunked") + body; }

const std::string kSmuggled = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> all = {
      // Request line.
      {"GET  / HTTP/1.1\r\n", "bad_request_line"},
      {"GET /  HTTP/1.1\r\n", "bad_request_line"},
      {"GET / HTTP/1.1 \r\n", "bad_request_line"},
      {"GET\t/ HTTP/1.1\r\n", "bad_method"},
      {" GET / HTTP/1.1\r\n", "bad_request_line"},
      {"GET / a HTTP/1.1\r\n", "bad_request_line"},
      {"GET\r\n", "bad_request_line"},
      {"get / HTTP/1.1\r\n", "bad_method"},
      {"GET\x0b / HTTP/1.1\r\n", "bad_method"},
      {std::string(25, 'A') + " / HTTP/1.1\r\n", "bad_method"},
      {"\x16\x03\x01\x02", "bad_method"},
      {"GET redfish/v1 HTTP/1.1\r\n", "bad_target"},
      {"GET /a#/../b HTTP/1.1\r\n", "bad_target"},
      {"GET /a\tb HTTP/1.1\r\n", "bad_target"},
      {"GET /a\x7f HTTP/1.1\r\n", "bad_target"},
      {"GET :// HTTP/1.1\r\n", "bad_target"},
      {"CONNECT /a HTTP/1.1\r\n", "bad_target"},
      {"GET /" + std::string(2048, 'a') + " HTTP/1.1\r\n", "request_line_too_long"},
      {"GET /?" + std::string(8189, 'a') + " HTTP/1.1\r\n", "request_line_too_long"},
      {"GET /\r\n", "http_0_9"},
      {"GET / \r\n", "http_0_9"},
      {"GET / HTTP/0.9\r\n", "bad_version"},
      {"GET / HTTP/1.2\r\n", "bad_version"},
      {"GET / HTTP/1.10\r\n", "bad_version"},
      {"GET / HTTP/2.0\r\n", "bad_version"},
      {"GET / HTTP/1,1\r\n", "bad_version"},
      {"GET / http/1.1\r\n", "bad_request_line"},
      {"PRI / HTTP/2.0\r\n", "bad_version"},
      // Lines.
      {std::string("GE\0T / HTTP/1.1\r\n", 17), "nul"},
      {std::string("GET /\0 HTTP/1.1\r\n", 17), "nul"},
      {with_header(std::string("A\0: b", 5)), "nul"},
      {with_header(std::string("A: b\0c", 6)), "nul"},
      {"GET / HTTP/1.1\rHost: a\r\n\r\n", "bare_cr"},
      {with_header("A: b\rTransfer-Encoding: chunked"), "bare_cr"},
      {with_header("A: b\r\rTransfer-Encoding: chunked"), "bare_cr"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\rX", "bare_cr"},
      {"\rGET / HTTP/1.1\r\n", "bare_cr"},
      {"GET / HTTP/1.1\nHost: a\r\n\r\n", "bare_lf"},
      {with_header("A: b\nTransfer-Encoding: chunked"), "bare_lf"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", "bare_lf"},
      {"\nGET / HTTP/1.1\r\n", "bare_lf"},
      {with_header("A: b\r\n c"), "obs_fold"},
      {with_header("Transfer-Encoding:\r\n chunked"), "obs_fold"},
      {with_header("Transfer-Encoding: chunked\r\n\tx"), "obs_fold"},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", "obs_fold"},
      {with_header("Transfer-Encoding : chunked"), "space_before_colon"},
      {with_header("Content-Length\t: 5"), "space_before_colon"},
      {with_header("A b: c"), "space_before_colon"},
      {with_header(": c"), "bad_header_name"},
      {with_header("A"), "bad_header_name"},
      {with_header("A(b): c"), "bad_header_name"},
      {with_header("Transfer-Encoding\x0b: chunked"), "bad_header_name"},
      {with_header("\xc3\xa4: c"), "bad_header_name"},
      {with_header("A: b\x01"), "bad_header_value"},
      {with_header("A: b\x7f"), "bad_header_value"},
      {with_header("A: " + std::string(70000, 'a')), "head_too_long"},
      {chunked("0\r\nA: " + std::string(70000, 'a')), "head_too_long"},
      {with_header("Host: b"), "repeated_host"},
      // CL.CL, CL.TE, TE.CL, TE.TE.
      {with_header("Content-Length: 5\r\nContent-Length: 6"), "repeated_content_length"},
      {with_header("Content-Length: 5\r\nContent-Length: 5"), "repeated_content_length"},
      {with_header("Content-Length: 6\r\nTransfer-Encoding: chunked") + "0\r\n\r\nG", "length_and_encoding"},
      {with_header("Transfer-Encoding: chunked\r\nContent-Length: 4") + "5c\r\n" + kSmuggled,
       "length_and_encoding"},
      {with_header("Content-Length: 0\r\nTransfer-Encoding: chunked"), "length_and_encoding"},
      {with_header("Transfer-Encoding: chunked\r\nTransfer-Encoding: x"), "repeated_transfer_encoding"},
      {with_header("Transfer-Encoding: x\r\nTransfer-Encoding: chunked"), "bad_transfer_encoding"},
      {with_header("Transfer-Encoding: chunked\r\nTransfer-encoding: chunked"), "repeated_transfer_encoding"},
      {with_header("Transfer-Encoding: xchunked"), "bad_transfer_encoding"},
      {with_header("Transfer-Encoding: chunked, identity"), "bad_transfer_encoding"},
      {with_header("Transfer-Encoding: identity, chunked"), "bad_transfer_encoding"},
      {with_header("Transfer-Encoding: \"chunked\""), "bad_transfer_encoding"},
      {with_header("Transfer-Encoding: chunked;q=1"), "bad_transfer_encoding"},
      {with_header("Transfer-Encoding: identity"), "bad_transfer_encoding"},
      {with_header("Transfer-Encoding:"), "bad_transfer_encoding"},
      {with_header("Transfer-Encoding: chunked" + std::string(40, ' ') + "x"), "bad_transfer_encoding"},
      {with_header("Transfer-Encoding: \x0b"
                   "chunked"),
       "bad_header_value"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "encoding_in_http_1_0"},
      {with_header("Transfer_Encoding: chunked"), "framing_lookalike"},
      {with_header("content_length: 5"), "framing_lookalike"},
      {with_header("Content-Length: +5"), "bad_content_length"},
      {with_header("Content-Length: -5"), "bad_content_length"},
      {with_header("Content-Length: 0x5"), "bad_content_length"},
      {with_header("Content-Length: 5, 5"), "bad_content_length"},
      {with_header("Content-Length: 5 5"), "bad_content_length"},
      {with_header("Content-Length: 1e1"), "bad_content_length"},
      {with_header("Content-Length:"), "bad_content_length"},
      {with_header("Content-Length: 1000000000000000000"), "bad_content_length"},
      {with_header("Content-Length: 18446744073709551617"), "bad_content_length"},
      // Chunks.
      {chunked("x\r\n"), "bad_chunk_size"},
      {chunked("0x5\r\nhello\r\n"), "bad_chunk_size"},
      {chunked("+5\r\nhello\r\n"), "bad_chunk_size"},
      {chunked(" 5\r\nhello\r\n"), "bad_chunk_size"},
      {chunked("5 \r\nhello\r\n"), "bad_chunk_size"},
      {chunked("5\nhello\n"), "bad_chunk_size"},
      {chunked("\r\n"), "bad_chunk_size"},
      {chunked("-1\r\n"), "bad_chunk_size"},
      {chunked("80000000\r\n"), "bad_chunk_size"},
      {chunked("100000005\r\nhello\r\n"), "bad_chunk_size"},
      {chunked("10000000000000005\r\nhello\r\n"), "bad_chunk_size"},
      {chunked("ffffffffffffffff\r\n"), "bad_chunk_size"},
      {chunked("5\rXhello\r\n"), "bad_chunk"},
      {chunked("5;a\nhello\r\n"), "bad_chunk"},
      {chunked("5\r\nhelloX\r\n0\r\n\r\n"), "bad_chunk"},
      {chunked("5\r\nhello\n0\r\n\r\n"), "bad_chunk"},
      {chunked("0\r\n\rX"), "bare_cr"},
      {chunked("0\r\n\n"), "bare_lf"},
      {chunked("0\r\n A: b\r\n\r\n"), "obs_fold"},
      {chunked("0\r\nContent-Length: 5\r\n\r\n"), "framing_in_trailer"},
      {chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"), "framing_in_trailer"},
      {chunked("0\r\nHost: b\r\n\r\n"), "framing_in_trailer"},
      {chunked("0\r\n" + kSmuggled), "space_before_colon"},
      // The connection.
      {with_header("Expect: y 100-continue"), "bad_expect"},
      {with_header("Expect: 100-continue\r\nExpect: 100-continue"), "bad_expect"},
      {"CONNECT a:1 HTTP/1.1\r\nContent-Length: 1\r\n\r\n", "connect_with_body"},
      {"CONNECT a:1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "connect_with_body"},
      {"CONNECT a:1 HTTP/1.1\r\n\r\nx", "early_tunnel_data"},
      {"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" + kSmuggled, "early_tunnel_data"},
      {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n" + kSmuggled, "data_after_close"},
      {"GET / HTTP/1.0\r\n\r\n" + kSmuggled, "data_after_close"},
  };
  return all;
}

TEST(HttpSmuggling, EndsAsANamedAnomaly) {
  for (const Vector& vector : vectors()) {
    HttpTalk talk;
    talk.client(vector.client + kSmuggled);
    EXPECT_EQ(talk.last(), vector.anomaly) << vector.client.substr(0, 200);
    EXPECT_EQ(talk.requests().opaque_as(), HttpOpaque::Anomaly);
  }
}

TEST(HttpSmuggling, EndsTheSameByteByByte) {
  for (const Vector& vector : vectors()) {
    const std::string stream = vector.client + kSmuggled;
    HttpTalk talk;
    for (const char c : stream) talk.client(std::string(1, c));
    EXPECT_EQ(talk.events(), events_of(stream)) << vector.client.substr(0, 200);
  }
}

TEST(HttpSmuggling, NeverTellsOfTheSmuggledRequest) {
  for (const Vector& vector : vectors())
    for (const std::string& event : events_of(vector.client + kSmuggled))
      EXPECT_EQ(event.find("/admin"), std::string::npos) << vector.client.substr(0, 200);
}

TEST(HttpSmuggling, NothingIsToldAfterAnAnomaly) {
  HttpTalk talk;
  talk.client("GET / HTTP/1.1\n" + kSmuggled);
  talk.client(kSmuggled);
  talk.server("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(talk.events().size(), 1u);
}

TEST(HttpSmuggling, APipelineHasADepth) {
  HttpTalk talk;
  for (size_t i = 0; i < HttpRequests::kDeepestPipeline; ++i) talk.client(kSmuggled);
  EXPECT_EQ(talk.last(), "end");
  talk.server("HTTP/1.1 204 No\r\n\r\n");
  talk.client(kSmuggled);
  EXPECT_EQ(talk.last(), "end");
  talk.client(kSmuggled);
  EXPECT_EQ(talk.last(), "pipeline_too_deep");
}

struct Answered {
  std::string client, server, more, anomaly;
};

TEST(HttpSmuggling, AnswersThatFitNoRequestAreAnomalies) {
  const std::string upgrade = "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n";
  const std::string expects = "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 40\r\n\r\n";
  const std::string switching = "HTTP/1.1 101 S\r\n\r\n";
  const Answered all[] = {
      {"", "HTTP/1.1 200 OK\r\n\r\n", "", "unpaired_response"},
      {kSmuggled, "HTTP/1.1 204 A\r\n\r\nHTTP/1.1 204 A\r\n\r\n", "", "unpaired_response"},
      {kSmuggled, switching, "", "unexpected_switch"},
      {upgrade + "Content-Length: 5\r\n\r\n", switching, "", "unexpected_switch"},
      {kSmuggled + upgrade + "\r\n", switching, "", "unexpected_switch"},
      {"CONNECT a:1 HTTP/1.1\r\n\r\n", switching, "", "unexpected_switch"},
      {kSmuggled, "SSH-2.0-x\r\n", "", "bad_response"},
      {kSmuggled, "HTTP/1.1 20 OK\r\nA\r\n\r\n", "", "bad_response"},
      {expects, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", kSmuggled, "ambiguous_continue"},
      {expects, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", kSmuggled, "ambiguous_continue"},
  };
  for (const Answered& one : all) {
    HttpTalk talk;
    talk.client(one.client);
    talk.server(one.server);
    talk.client(one.more);
    EXPECT_EQ(talk.last(), one.anomaly) << one.client << one.server;
  }
}

TEST(HttpAnomaly, HasAVectorForEachName) {
  std::set<std::string> reached = {"none",
                                   "pipeline_too_deep",
                                   "bad_response",
                                   "unpaired_response",
                                   "unexpected_switch",
                                   "ambiguous_continue"};  // the tests above
  for (const Vector& vector : vectors()) reached.insert(vector.anomaly);
  for (size_t i = 0; i < kHttpAnomalies; ++i)
    EXPECT_TRUE(reached.count(std::string(http_anomaly_name(static_cast<HttpAnomaly>(i)))))
        << http_anomaly_name(static_cast<HttpAnomaly>(i));
  EXPECT_EQ(reached.size(), kHttpAnomalies);
}

}  // namespace
}  // namespace postern::profiles
