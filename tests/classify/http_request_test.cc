// SPDX-License-Identifier: Apache-2.0
#include "classify/http_request.h"

#include <gtest/gtest.h>

#include "wire_bytes.h"

namespace postern::classify {
namespace {

Fit request(const std::string& stream) { return is_http_request(ExactBytes(stream)); }
Fit response(const std::string& stream) { return is_http_response(ExactBytes(stream)); }

TEST(HttpRequest, IsHttpOnceItsLineEnds) {
  for (const char* text :
       {"GET / HTTP/1.1\r\n", "OPTIONS * HTTP/1.0\r\n", "CONNECT a.example:443 HTTP/1.1\r\n",
        "PROPFIND http://a/ HTTP/1.1\n", "M-SEARCH * HTTP/1.1\r\n"}) {
    const std::string line = text;
    for (size_t n = 0; n < line.size(); ++n) EXPECT_EQ(request(line.substr(0, n)), Fit::More) << line << n;
    EXPECT_EQ(request(line), Fit::Yes) << line;
    EXPECT_EQ(request(line + "Host: a\r\n\r\n"), Fit::Yes) << line;
  }
}

TEST(HttpRequest, MayFollowAnEmptyLine) {
  EXPECT_EQ(request("\r"), Fit::More);
  EXPECT_EQ(request("\r\nGET / HTTP/1.1\r\n"), Fit::Yes);
}

TEST(HttpRequest, WithATargetWithoutEndIsHttpInTheEnd) {
  EXPECT_EQ(request("GET /" + std::string(kLongestRequestLine - 100, 'a')), Fit::More);
  EXPECT_EQ(request("GET /" + std::string(kLongestRequestLine, 'a')), Fit::Yes);
}

TEST(HttpRequest, OtherLinesAreNotHttp) {
  for (const std::string& stream :
       {std::string("get / HTTP/1.1\r\n\r\n"), std::string("GET / HTTP/2.0\r\n\r\n"),
        std::string("GET /\r\n"), std::string("GET  / HTTP/1.1\r\n\r\n"),
        std::string("EHLO mail.example\r\n"), std::string("USER bob\r\n"), bytes_of("USER bob\0"),
        std::string("GET /a b HTTP/1.1\r\n\r\n"), std::string("GET / HTTP/1.1 \r\n\r\n"),
        std::string("SSH-2.0-x"), std::string(" GET / HTTP/1.1\r\n"), bytes_of("GET /\0 HTTP/1.1\r\n\r\n"),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), std::string(30, 'A')})
    EXPECT_EQ(request(stream), Fit::No) << stream;
}

TEST(HttpResponse, IsJudgedByItsStatusLine) {
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nServer: a\r\n\r\n"), Fit::Yes);
  EXPECT_EQ(response("HTTP/1.1 200\r\n\r\n"), Fit::Yes);
  EXPECT_EQ(response("HTTP/1."), Fit::More);
  EXPECT_EQ(response("HTTP/1.1 2xx\r\n"), Fit::No);
  EXPECT_EQ(response("HTTP/1.1\r\n"), Fit::No);
  EXPECT_EQ(response("220 mail.example ESMTP\r\n"), Fit::No);
}

}  // namespace
}  // namespace postern::classify
